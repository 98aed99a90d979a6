package report

import (
	"encoding/csv"
	"io"
	"strconv"
	"time"

	"tradechat.internal/loadgen/internal/stats"
)

var csvHeader = []string{
	"second", "ok", "failed", "timeout", "busy", "checksum", "auth", "other",
	"p50_us", "p95_us", "p99_us", "p999_us", "max_us", "deliveries", "reconnects", "connections",
	"rate", "late", "skipped", "since_sent_p50_us", "since_sent_p99_us",
}

// CSV writes one row an interval, which begins at the second that it names. The last one is of the time that was left, which
// may be less or, with the answers that came after the load, more.
type CSV struct {
	writer *csv.Writer
}

// NewCSV writes the head.
func NewCSV(w io.Writer) (*CSV, error) {
	c := &CSV{writer: csv.NewWriter(w)}
	return c, c.write(csvHeader)
}

// Row writes one interval; offset is when its timeline began, live the number of connections at its end, rate that of an open loop.
func (c *CSV) Row(r *stats.Row, offset time.Duration, live int, rate float64) error {
	cells := []string{strconv.FormatFloat((offset + r.Begin).Seconds(), 'f', -1, 64), count(r.OK), count(r.Failed)}
	for _, n := range r.Errors {
		cells = append(cells, count(n))
	}
	cells = appendMicros(cells, r.Latency.P50, r.Latency.P95, r.Latency.P99, r.Latency.P999, r.Latency.Max)
	cells = append(cells, count(r.Deliveries), count(r.Reconnects), strconv.Itoa(live), strconv.FormatFloat(rate, 'f', -1, 64),
		count(r.LateSends), count(r.Skipped))
	return c.write(appendMicros(cells, r.SinceSent.P50, r.SinceSent.P99))
}

func appendMicros(cells []string, latencies ...float64) []string {
	for _, us := range latencies {
		cells = append(cells, strconv.FormatFloat(us, 'f', 1, 64))
	}
	return cells
}

func (c *CSV) write(cells []string) error {
	if err := c.writer.Write(cells); err != nil {
		return err
	}
	c.writer.Flush()
	return c.writer.Error()
}

func count(n uint64) string { return strconv.FormatUint(n, 10) }
