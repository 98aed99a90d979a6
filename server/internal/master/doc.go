// Package master is the supervising process: it owns what must outlive a worker, and serves no client.
//
//	master ── holds ── listening sockets (one a worker slot) · segment · eventfds · lock of the data folder
//	   │  └─ store, bound to its own slot: repairs, admin requests, verification
//	   ├─ log writer  ┐ each a child of a role: package role has the table of them,
//	   ├─ worker 0    │ package heritage what they inherit
//	   ├─ worker 1    │
//	   └─ worker …    ┘
//
// # One loop
//
// All decisions are made by one goroutine (supervise), which takes reports of processes that became ready or ended, signals,
// and a tick every beatEvery. Beside it run: two goroutines a process that wait for it, the admin socket, and the queues of stdout and
// stderr, so that no reader of these can stop the loop. They share only the store, under its mutex, and the published state of the
// children.
//
// # The life of a child
//
//	      spawn            ready                  ended
//	down ───────▶ starting ──────▶ running ──────────────────▶ dirty ── repair ──▶ down
//	 ▲                │ ended                (watchdog: SIGKILL)                     │
//	 └────────────────┴──────────────── pause: none, 100 ms, 200 ms … 5 s ───────────┘
//
// A process that ends without having been asked to is a crash, whatever its exit code. What a crash means is in the child's policy, a
// row of role.Table; the code asks for a role's policy and never for its name.
//
// # Start and stop
//
// A segment that a crash left is repaired and given to the first role, the log writer, which compares it with the disk (warm). If it is
// doubtful, or if there is none, a new one is filled from the disk (cold). The other roles start once it is ready.
//
// A stop goes through the table of roles backwards: the processes of a row are asked to end once those of later rows are gone and repaired
// after. So workers drain while the log writer still answers for what they wait for; then it writes the rest and a snapshot, and the
// books are audited. A role that is needed for that has successors during a stop, too.
//
// Children are asked over their line, and ignore signals: SIGTERM comes to all processes of a group or cgroup at once, in an order that
// nobody promises.
//
// # Invariants
//
//  1. A slot is repaired only after its process was reaped, and bound again only after it was repaired.
//  2. A signal is sent only to a process that has not been reaped: its pid is its own.
//  3. What a killed worker had queued on its listening socket waits there: the master never closes it while it serves.
//  4. Only the master reads a lock's or a process's death; time-outs are no evidence, except for the watchdog, which makes
//     sure by killing.
//  5. The master's end of a child's line is in the master alone, so the kernel tells every child when the master is gone.
//  6. The loop writes only to what cannot block: queues, eventfds, and lines on which nothing else was ever written.
package master
