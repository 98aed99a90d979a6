// Package stats counts requests and their latencies: without locks and without allocation in the threads that make
// the load, and second by second for those who watch.
//
//	load thread ── Thread: totals, one histogram an operation (3 digits)    read by others when the thread has ended
//	     │  ▲         └─ Interval: this second, one histogram (2 digits)
//	     │  └── spare intervals ──────┐
//	     └───── filled ones ─────▶ Timeline ──▶ one Row a second, all threads together
//
// A thread hands an interval over when its second is up. If no spare one is at hand, it goes on filling the one it has,
// which then counts for the later second: nothing is lost and nobody waits.
//
// A latency is the time from building a request to having read its answer, and is recorded for answers with status
// OK only: a refusal is quick, and would flatter the figures.
package stats
