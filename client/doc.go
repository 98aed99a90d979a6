// Package client talks to a tradechat server: it logs in, makes calls, receives pushes, and comes back after the
// connection was lost.
//
//	      callers (any number of goroutines)                       one consumer
//	 Balance  Transfer  SendChat …                                  <-Pushes()
//	     │        │         │                                            ▲
//	┌────▼────────▼─────────▼──────────── Client ────────────────────────┴────────┐
//	│ waits while reconnecting, repeats what is safe to repeat      inbox (bounded)│
//	│ supervisor: connection lost → dial, HELLO, resume (or LOGIN, join)   ▲      │
//	└────┬───────────────────────────────────────────────────────────────┬─┴──────┘
//	┌────▼──────────────────────────── link ─────────────────────────────┴─────────┐
//	│ out: frames in req_id order ──▶ one writer ──▶ socket ──▶ one reader         │
//	│ pending: req_id → call  ◀───────────────── responses ────────────┘           │
//	└──────────────────────────────────────────────────────────────────────────────┘
//
// A link is one connection and knows requests, responses and pushes, but no login. A Client is a user's presence: it
// outlives its links. Admin is the same link on the server's Unix socket.
//
// # Invariants
//
//   - A req_id is chosen and its frame queued under one lock, and one writer writes the queue: req_ids increase
//     strictly on the wire. A link goes on above the ids of the one before it: those of money requests increase
//     strictly over the whole life of a Client.
//   - A call ends exactly once. One that moves money and lost its answer is sent again under its req_id once the session is resumed, or
//     asked after if that has ended (retry.go). Whatever else changes something and lost its answer ends with ErrOutcomeUnknown
//     and is never repeated by itself. A call whose frame certainly did not reach the server, or that changes
//     nothing, is repeated on the next connection.
//   - A frame that the operating system did not take whole never reached the server: the writer counts its bytes.
//   - The reader never waits: a response has room reserved for it, and a full inbox drops pushes and says which.
//   - A room's gap is told before the messages that follow it.
//
// # Locks
//
// Client.mu, link.mu, memberships.mu and inbox.mu are leaves: none is held while another is taken, nor while waiting.
// call.naming is taken before link.mu.
package client
