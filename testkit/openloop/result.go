package openloop

import (
	"slices"
	"time"
)

// Result is one run.
type Result struct {
	Latencies []time.Duration // of every request that was answered and not refused, in the order of the answers
	Late      uint64          // requests that were sent more than a millisecond after they were due
	Failed    uint64          // requests that were refused, or not answered
	Failure   error           // the first: why one of them was, or an idle connection is lost; nil if none
}

func (r *Result) fail(requests int, why error) {
	r.Failed += uint64(requests)
	if r.Failure == nil {
		r.Failure = why
	}
}

// Percentile is the latency that p % of the answers did not exceed; 0 if there were none. It sorts them.
func (r *Result) Percentile(p float64) time.Duration {
	if len(r.Latencies) == 0 {
		return 0
	}
	slices.Sort(r.Latencies)
	return r.Latencies[min(int(p/100*float64(len(r.Latencies))), len(r.Latencies)-1)]
}

// done is how many requests have come to an end.
func (r *Result) done() int { return len(r.Latencies) + int(r.Failed) }
