// Package master is the supervising process: it owns what must outlive a worker, and serves no client.
//
//	master ── holds ── listening sockets (one a worker slot) · segment · eventfds · lock of the data folder
//	   │  └─ store, bound to its own slot: repairs, admin requests, verification
//	   ├─ journal  ┐   starts before the workers, ends after them
//	   ├─ worker 0 │
//	   ├─ worker 1 ├─ inherit all of that (package heritage)
//	   └─ worker … ┘
//
// # One loop
//
// All decisions are made by one goroutine (supervise), which takes reports of children that became ready or ended, signals,
// and a tick every beatEvery. Beside it run: two goroutines a child that wait for it, and the admin socket. They share
// only the store, under its mutex, and the published state of the slots.
//
// # The life of a slot
//
//	      spawn            ready                  ended
//	down ───────▶ starting ──────▶ running ──────────────────▶ dirty ── repair ──▶ down
//	 ▲                │ ended                (watchdog: SIGKILL)                     │
//	 └────────────────┴──────────────── pause: none, 100 ms, 200 ms … 5 s ───────────┘
//
// A process that ends without having been asked to is a crash, whatever its exit code. Nothing is respawned once the
// server stops.
//
// # Start and stop
//
// A segment that a crash left is repaired and given to the journal, which compares it with the disk (warm). If it is doubtful, or if there
// is none, a new one is filled from the disk (cold). The workers start once the journal is ready. At a stop they drain while the journal
// still answers for what they wait for; then it writes the rest and a snapshot, and the books are audited.
//
// # Invariants
//
//  1. A slot is repaired only after its process was reaped, and bound again only after it was repaired.
//  2. A signal is sent only to a child that has not been reaped: its pid is its own.
//  3. What a killed worker had queued on its listening socket waits there: the master never closes it while it serves.
//  4. Only the master reads a lock's or a process's death; time-outs are no evidence, except for the watchdog, which makes
//     sure by killing.
//  5. The life pipe's write end is in the master alone, so the kernel tells every child when the master is gone.
package master
