// Package driver makes the load: threads, each with an epoll loop and connections of its own.
//
//	Fleet ──phases──▶ Thread 0 ── epoll ── Conn 0, T, 2T …     one goroutine a thread, locked to its OS thread
//	      ◀─reached── Thread 1 ── epoll ── Conn 1, T+1 …
//
// # A connection
//
//	down ─▶ connecting ─▶ greeting ─▶ loggingIn ─▶ joining ─▶ ready ─▶ leaving ─▶ gone
//	  ▲                                                        │
//	  └─────────── the connection ends, for whatever reason ◀──┘      after a wait; a new session each time
//
// In a closed loop a ready connection keeps Plan.Pipeline requests in flight: every answer makes room for the next request, at once
// or after Plan.Think. In an open loop requests are due at times of their own, each on a connection of its own choice, and
// wait there when Plan.Pipeline are in flight: see pace.
//
// A request is one call in the connection's table; its slot's number is in its req_id, so that an answer finds it without a
// search. A call that is not answered in time is counted as failed and stays in the table, expired: a late answer still
// settles what it did, and makes no room twice.
//
// A money request that was in flight when the server closed the connection is a doubt: when the connection is back, it
// asks TXN_STATUS at once, while the server still knows. "Not applied" is final then, for who closed the connection takes
// nothing more from it. What stays in doubt is left to the audit.
//
// # Phases of a run
//
//	Connect  every connection becomes ready
//	Load     requests are made: a Step, and perhaps the next one at once (the first being a warm-up)
//	Rest     between two steps of a sweep: nothing new is due; wait for the answers, and for the connections
//	Settle   nothing new is due; wait for the answers
//	Mark     JOIN_ROOM again: its last_seq is what every member must have seen at the end
//	Drain    wait until it has, and until announced gaps are filled
//	Leave    LOGOUT, whose answer comes after every push that was queued before it; then the verdict
//
// A connection that ends comes back during Connect, Load and Rest; after that it stays away.
//
// # Invariants
//
//   - A thread touches its own connections, members, senders, book and counters only, and without locks; what it shares
//     is the Plan, which does not change, and the chat group's rooms, which have their own.
//   - From a ready connection's request to its answer nothing is allocated.
//   - req_ids increase strictly over a connection's whole life, all its sessions together.
//   - Every request that was due in the step that is measured is counted once: as succeeded, as failed, of one kind, or as skipped.
//     What was due in a warm-up is judged like all, and counted nowhere.
package driver
