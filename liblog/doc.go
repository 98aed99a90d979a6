// Package liblog is the structured log of every tradechat process: zerolog with this project's field names, one
// line an event, JSON for machines and a console format for terminals, and a limit on events that repeat.
//
// # One line
//
//	{"level":"warn","pid":4711,"role":"worker","slot":2,"event":"checksum-fail","suppressed":123,
//	 "conn":88,"req_id":7,"opcode":"TRANSFER","status":"ERR_CHECKSUM_FAIL","time":"2026-01-02T03:04:05.678901Z","message":"frame refused"}
//
// The names stand in fields.go and nowhere else. Times are UTC, so that the lines of all processes sort together.
//
// # Repeats
//
// Logger.Limited writes the first RepeatLimit.Events events of a key in each window and counts the rest. The count
// comes out with the first event after the window, or from Sweep, which an owner calls now and then (an event
// loop's timer, say), or from Close. No event is lost without a trace; a flood costs a map look-up an event.
//
//	key ─▶ repeat{since, level, written, suppressed}      one entry a key; beyond RepeatKeysMax keys, one for all others
//
// # Slow readers
//
// A write(2) to a pipe, terminal or socket waits while its reader does not read. A process that must not stop for that gives New a
// Queue. Its lines are then written by a goroutine; those that find no room are dropped, and a line with their number follows
// once the reader reads again. A process that is killed loses what is queued.
//
// # Invariants
//
//   - A Write is of whole lines, so lines of processes that share a pipe or file do not mix (up to PIPE_BUF bytes on a
//     pipe, pipe(7)).
//   - A Logger and the loggers made of it may be used by several goroutines; they share one table of repeats.
//   - A suppressed or disabled event allocates nothing.
package liblog
