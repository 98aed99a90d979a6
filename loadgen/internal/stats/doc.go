// Package stats counts requests and their latencies: without locks and without allocation in the threads that make
// the load, and interval by interval for those who watch.
//
//	load thread ── Thread: totals, histograms by operation (3 digits)    read by others when the thread has ended
//	     │  ▲         └─ Interval: this one, its histograms (2 digits)
//	     │  └── spare intervals ──────┐
//	     └───── filled ones ─────▶ Timeline ──▶ one Row an interval, all threads together
//
// A thread hands an interval over when its time is up. If no spare one is at hand, it goes on filling the one it has,
// which then counts for the later interval: nothing is lost and nobody waits. Each stretch of load has a Timeline of its own.
//
// A latency is the time from when a request was due to having read its answer, and is recorded for answers with status OK
// only: a refusal is quick, and would flatter the figures. In a closed loop a request is due when it is built; in an open one
// the time since it was really sent is recorded beside it.
package stats
