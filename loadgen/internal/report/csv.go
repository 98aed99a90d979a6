package report

import (
	"encoding/csv"
	"io"
	"strconv"

	"tradechat.internal/loadgen/internal/stats"
)

var csvHeader = []string{
	"second", "ok", "failed", "timeout", "busy", "checksum", "auth", "other",
	"p50_us", "p95_us", "p99_us", "p999_us", "max_us", "deliveries", "reconnects", "connections",
}

// CSV writes one row a second. The last one is of the time that was left, which may be less or, with the answers that
// came after the load, more.
type CSV struct {
	writer *csv.Writer
}

// NewCSV writes the head.
func NewCSV(w io.Writer) (*CSV, error) {
	c := &CSV{writer: csv.NewWriter(w)}
	return c, c.write(csvHeader)
}

// Row writes one second; live is the number of connections at its end.
func (c *CSV) Row(r stats.Row, live int) error {
	cells := []string{strconv.Itoa(r.Second), count(r.OK), count(r.Failed)}
	for _, n := range r.Errors {
		cells = append(cells, count(n))
	}
	for _, us := range []float64{r.Latency.P50, r.Latency.P95, r.Latency.P99, r.Latency.P999, r.Latency.Max} {
		cells = append(cells, strconv.FormatFloat(us, 'f', 1, 64))
	}
	return c.write(append(cells, count(r.Deliveries), count(r.Reconnects), strconv.Itoa(live)))
}

func (c *CSV) write(cells []string) error {
	if err := c.writer.Write(cells); err != nil {
		return err
	}
	c.writer.Flush()
	return c.writer.Error()
}

func count(n uint64) string { return strconv.FormatUint(n, 10) }
