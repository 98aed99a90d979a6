package stats

import "time"

const (
	// latencyLeast and latencyMost bound what the histograms tell apart; a longer latency counts as the longest.
	latencyLeast = 100 * time.Nanosecond
	latencyMost  = 10 * time.Minute

	// Significant decimal digits of the histograms: for the totals, and for an interval.
	totalDigits    = 3
	intervalDigits = 2

	// sparesPerThread is how many intervals the Timeline may be late before intervals grow together.
	sparesPerThread = 4
)

// LateAfter is how long after it was due a request is sent late.
const LateAfter = time.Millisecond

// Steps of a written distribution between one halving of the rest above it and the next.
const ticksPerHalving = 5
