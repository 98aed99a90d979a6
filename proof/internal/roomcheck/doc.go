// Package roomcheck finds out whether each member of a room got every message once and in order, or was told what it did not
// get, over connections that are cut and servers that are begun anew.
//
//	member's stream   joined(0)  1 2 3  gap(4…6)  7 8 │ reset(2)  3 4 5 …
//	                  └────────── life 0 ─────────────┘└──── life 1 ─────
//
// A life of the server is the time between two starts from disk: chat is in memory only, so each life counts a room's messages
// from 1. The server's clock, which stands in every message and every acknowledgement, says which life it is of; a gap and
// a reset carry no time, and belong to a life between those of the messages around them.
//
// # What must hold
//
//   - In a life the numbers that a member gets count on without a hole, but for those that a gap told of. None comes twice, none
//     after a higher one.
//   - A new life is told of by a reset before its first message, and counts on from that.
//   - What was acknowledged to its sender reaches every member at the acknowledged place, or lies in a gap that the member was
//     told of, or behind the last that it got of a life whose end it was told of.
//   - At a place of a life all members see the same message, and a message has one place.
//   - Nobody sees what nobody sent.
package roomcheck
