// Package worker is the process that serves clients: it reads frames, runs their handlers on shared memory and writes
// the answers.
//
// # Threads
//
//	goroutine      what it does                                       touches
//	accept         accept4, enrols each connection into the loop      the count of open sockets
//	loop (gnet)    everything else                                    everything else
//	writable       sockets that take something again                  its own epoll set
//	farewell       writes what a socket did not take at once          a socket that the loop has given up
//	line           asked to end: has the loop begin the drain;        –
//	               end of the master: has the process end at once
//	log            writes the log's lines to stderr (liblog.Queue)    –
//
// All handlers, pushes and sweeps run on the one loop, so nothing in this package has a lock, and the shmstore.Store,
// which is not safe for concurrent use, has one user. Two descriptors that are no connections are on the loop as well:
//
//	slot's eventfd  another worker put something into a room or mailbox of ours   → deliver
//	                the journal: what we await is durable, or will not be         → release
//	timerfd         every 100 ms: heart, clock, timeouts, lingering sockets       → tick
//
// # A turn
//
// gnet calls once for each readable descriptor. Such a call is a turn:
//
//	begin    read the clock once, beat the heart if it is due
//	         connection: Peek everything, decode every whole frame, run its handler;
//	                     answers collect in out, those that tell of a record are parked;
//	                     one Write of out, one Discard
//	         eventfd:    TakeDirty; for each room encode each event once, one Write for each local member
//	         timerfd:    sweep
//	end      wake the journal if something was committed, send the parked answers that are durable, go on with
//	         connections that need not wait any more,
//	         let go of the sessions of connections that ended during the turn, drop the dead ones
//
// A Write can fail and gnet then calls OnClose before it returns, in the middle of whatever runs. So during a turn
// nothing is taken out of a table: a connection that is gone has no socket any more (conn.sock is nil) and is on the
// list of the dead, and end takes it out.
//
// # Memory
//
//	connections  rows:  [*conn][*conn][*conn]…        packed: the last row moves into a gap
//	             seen:  [tick ][tick ][tick ]…        when the last byte came
//	             since: [tick ][tick ][0    ]…        when the deadline began to run; 0: logged in
//	sessions     by session row of the segment: *conn
//	rooms        by room id: [member][member]…        packed; conn.seats says where a connection sits
//	parking      [conn, seq, req_id, status, bytes]…  answers that wait to become durable, in the order of their seqs
//	paused       by descriptor: [since, outbound]     connections that are not read from (pause.go)
//
// A connection's own memory is a conn (144 bytes) besides what gnet holds; what only LOGIN needs is in a greeting that
// is dropped with it, what only a misbehaving client needs is in a record that others do not have. Buffers for answers,
// pushes and lists belong to the worker and are used again and again: a request allocates nothing.
//
// # Life of a connection
//
//	CONNECTED ── HELLO ──▶ GREETED ── LOGIN ──▶ READY ── LOGOUT ──▶ CONNECTED
//	     └───────────────────┴──────────────────┴──▶ leaving ──▶ closed
//
// A connection whose client closes its side (shutdown(2), SHUT_WR) gets the answers to what it has asked, and is closed then.
//
// READY ends a session only by LOGOUT. However else it ends, the session is detached: LOGIN on any worker resumes it.
//
// The server never just closes: a close with unread input makes the kernel send a reset, which can destroy the answer
// that said why. leaving means: what was queued or parked is sent, then our side is shut down, what still arrives is dropped
// unread, and the socket is closed when the client closes its side, or after a short while.
//
// # Invariants
//
//  1. A gnet.Conn is never used after OnClose: conn.sock is the only reference, and OnClose clears it.
//  2. Store, tables and buffers are used on the loop only.
//  3. Every request that was read whole is answered, unless its connection is leaving. What its answer promises is
//     durable when the answer is written, or the journal has failed and the answer is ERR_TIMEOUT. (--durability sync)
//  4. An answer to JOIN_ROOM is written before any push of that room: whoever delivers during a turn flushes out first.
//  5. What a client can make the worker hold is bounded: input by one frame and two reads, answers by what one turn adds to
//     an empty queue, since nothing more is read or answered while any wait, pushes by --max-outbound, answers that wait for
//     the journal by half of that and by parkedBytesMax.
//  6. While anything is parked the slot awaits the seq at its front: the log writer wakes it, and no wake-up is lost.
package worker
