// Package server runs a tradechatd of our own for a measurement: on a free loopback port, with a data folder and a segment
// name that nobody else has.
//
//	$TMPDIR/tradechat-bench-123/    data/        the server's data folder
//	                                server.log   its log, all processes
//	/dev/shm/tradechat-…            its segment
//
// # Invariants
//
//   - Start has either failed, and nothing is left, or returned a Server whose Discard the caller defers.
//   - Stop is the clean end: exit code 0, an audit that found the books right, and nothing left in /dev/shm. Anything else
//     is its error.
//   - After Stop or Discard neither the folder nor the segment is there.
package server
