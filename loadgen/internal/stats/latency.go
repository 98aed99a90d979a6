package stats

import (
	"io"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Latency is a distribution of latencies. Recording does not allocate.
type Latency struct {
	histogram *hdrhistogram.Histogram // nanoseconds
	max       int64                   // exact, nanoseconds
}

// NewLatency makes an empty distribution that is true to so many significant decimal digits.
func NewLatency(digits int) Latency {
	return Latency{histogram: hdrhistogram.New(int64(latencyLeast), int64(latencyMost), digits)}
}

// Record adds a latency.
func (l *Latency) Record(ns int64) {
	l.max = max(l.max, ns)
	if err := l.histogram.RecordValue(min(max(ns, 0), int64(latencyMost))); err != nil {
		panic(err) // the bounds above are the histogram's own
	}
}

// Merge adds another distribution.
func (l *Latency) Merge(other *Latency) {
	l.max = max(l.max, other.max)
	l.histogram.Merge(other.histogram)
}

// Reset empties it.
func (l *Latency) Reset() {
	l.histogram.Reset()
	l.max = 0
}

// Count is how many latencies were recorded.
func (l *Latency) Count() uint64 { return uint64(l.histogram.TotalCount()) }

// Quantiles are the figures of a distribution, in microseconds; all 0 when it is empty.
type Quantiles struct {
	P50  float64 `json:"p50"`
	P95  float64 `json:"p95"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p999"`
	Max  float64 `json:"max"`
}

// Quantiles reads them.
func (l *Latency) Quantiles() Quantiles {
	at := func(percent float64) float64 { return microseconds(int64(l.Percentile(percent))) }
	return Quantiles{P50: at(50), P95: at(95), P99: at(99), P999: at(99.9), Max: microseconds(l.max)}
}

// Percentile reads one of them; 100 is the longest latency.
func (l *Latency) Percentile(percent float64) time.Duration {
	if percent >= 100 {
		return time.Duration(l.max)
	}
	return time.Duration(min(l.histogram.ValueAtPercentile(percent), l.max))
}

// WriteDistribution writes the percentile distribution as HdrHistogram's plotters read it, in milliseconds.
func (l *Latency) WriteDistribution(w io.Writer) error {
	_, err := l.histogram.PercentilesPrint(w, ticksPerHalving, float64(time.Millisecond))
	return err
}

func microseconds(ns int64) float64 { return float64(ns) / float64(time.Microsecond) }
