package stats

import "time"

const (
	// latencyLeast and latencyMost bound what the histograms tell apart; a longer latency counts as the longest.
	latencyLeast = 100 * time.Nanosecond
	latencyMost  = 10 * time.Minute

	// Significant decimal digits of the histograms: for the totals, and for a second.
	totalDigits    = 3
	intervalDigits = 2

	// sparesPerThread is how many seconds the Timeline may be late before intervals grow together.
	sparesPerThread = 4
)

// IntervalLength is the time that one Row stands for.
const IntervalLength = time.Second
