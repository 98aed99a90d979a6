// Package closedloop is the smallest client that keeps a server busy: one thread, one epoll set, and on each connection a
// window of requests, the next of which is sent when all answers to the one before are there.
//
//	window:  depth × Exchange.AppendRequest  ──▶  one write
//	         Exchange.Answers                ◀──  read until there are depth of them; then the next window
//
// What is said is the Exchange's: Transfer here, other servers' protocols in package peers. An answer to a TRANSFER is right if bytes
// 10–21 of its header (opcode, status OK, req_id) are those of a request under way. That holds for a server that echoes the
// request, too, so both are driven by the same instructions and the traffic is the same byte for byte, but for what follows the
// header in the answers.
//
// # Invariants
//
//   - Between two Runs nothing is under way: a Run drains what it has sent. So what a server used between two looks at
//     its clock belongs to exactly the requests that Run counted.
//   - The loop allocates nothing while it runs.
package closedloop
