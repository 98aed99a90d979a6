// Package chatcheck finds out whether every message was delivered once, in order and unharmed to every member.
//
// # What is checked where
//
// A message's text is a pure function of its ID, the room, the run and its length (Codec): who receives it can tell
// whether it is whole, and what is left to compare is the ID alone.
//
//	Member   one membership, owned by one thread. Expects room_seq to count on without a hole: finds messages that
//	         are missing, repeated or out of order. Announced gaps become holes, which ROOM_HISTORY must fill.
//	Room     all of a room's members, behind a mutex. For each room_seq it knows the ID that somebody saw there, and
//	         compares what every other member saw: finds members that disagree. The first sight of a room_seq also
//	         marks the ID in its sender's history: finds a message with two room_seqs, or of nobody.
//	Sender   one connection's own messages between CHAT_SEND and their own delivery to it, owned by one thread. An ack
//	         and the delivery must name the same room_seq, what was refused must not arrive, what was acked must.
//	Group    the rooms and the connections of a run, and the Faults that all of them report to.
//
// # Memory
//
//	room_seq   … 63 │ 64 ………… 127 │ 128 ……… 191 │ 192 …
//	           gone │  block (IDs)  │  block (IDs)  │
//	                  ▲ low                           ▲ the fastest member
//	                  the slowest live member
//
// A member collects blockLen IDs before it takes the room's mutex to compare them. A room keeps the blocks from its
// slowest live member on, blocksMax at most: memory follows the lag between members, not the number of messages.
// A sender's ring holds what is between its oldest message without a verdict and its newest, ownMax at most.
// What does not fit is reported as Unchecked, never passed over.
//
// # Memberships and what they promise
//
// A membership is an interval of room_seqs: it begins after the last_seq of the JOIN_ROOM response, and ends with the
// connection. A connection that comes back begins a new one; what was said while it was away is no part of either.
// Within the interval a member must have seen every room_seq up to the room's target, which is the highest that was
// acked to anybody or that a JOIN_ROOM response named after the load: so every acked message was seen by every
// member that was there the whole time. A message whose ack was lost may or may not exist; if anybody saw it, it has a
// room_seq, and then all must have seen it there, once.
//
// # Invariants
//
//   - Room.low is at most the block of every live member's next room_seq, of its first open hole, and of each message
//     that was acked to a live member and not delivered to it.
//   - A block in the window has an ID for a room_seq if and only if somebody has published it.
//   - Lock order: Room.mu, then the mutex of Faults. Members and senders have no locks: their thread owns them.
package chatcheck
