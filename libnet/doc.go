// Package libnet holds the sockets and the Linux descriptors of tradechat: listening sockets that a supervisor
// keeps for its workers, their inheritance, exact reads and writes with a total deadline, dialling with backoff,
// and thin wrappers of eventfd, timerfd and futex. It knows nothing of the wire protocol. Linux only.
//
// # Who holds a listening socket
//
//	supervisor                                child of slot 1
//	ListenGroup("host:7878", 2)
//	  fd 5 ── socket A (slot 0) ─┐
//	  fd 6 ── socket B (slot 1) ─┼─ Spawn{Inherit: {6}} ──▶ fd 3 ── socket B ── ListenerFromFD ── net.Listener
//	        one port, shared by SO_REUSEPORT
//
// The kernel spreads new connections over A and B. A child that dies leaves its socket open in the supervisor, so
// that the connections queued on it wait for the child's successor instead of being reset.
//
// # Invariants
//
//   - A descriptor that this package hands out as an int (or as EventFD, TimerFD, Socket) has no finalizer and is
//     not in the runtime's poller: it stays open until its owner closes it.
//   - Every descriptor made here is close-on-exec. A child gets what Spawn.Inherit lists and nothing else.
//   - A function that takes a descriptor leaves it open and leaves its file status flags alone (ListenerFromFD
//     makes the description nonblocking, which ListenGroup's sockets are already).
//   - Deadlines are total: they bound the whole call, however many system calls it takes.
//   - Errors name the operation and the offending value, and wrap the system's errno.
package libnet
