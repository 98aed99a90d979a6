package peers

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"

	"tradechat.internal/testkit/figure"
	"tradechat.internal/testkit/sample"
)

// Tables are one table for each class, and one of what was skipped, if anything was.
func (r Result) Tables() (list []figure.Table) {
	for _, c := range r.Classes {
		list = append(list, c.table(r.Options))
	}
	if len(r.Skipped) == 0 {
		return list
	}
	skipped := figure.Table{Title: "skipped", Columns: []string{"what", "why"}}
	for _, s := range r.Skipped {
		skipped.Rows = append(skipped.Rows, []string{s.Name, s.Why})
	}
	return append(list, skipped)
}

func (c Class) table(o Options) figure.Table {
	connections, rate := o.Connections, fmt.Sprintf("%.0f requests/s", c.RatePerS)
	if c.Unit == "delivery" {
		connections, rate = o.Subscribers, fmt.Sprintf("%.0f messages/s", c.RatePerS)
	}
	t := figure.Table{
		Title: fmt.Sprintf("%s: %d connections, %d at a time; latency at %s, an open loop", c.Name, connections, o.Depth, rate),
		Columns: []string{
			"what", c.Unit + "/s", "÷ tradechat", "CPU µs/" + c.Unit, "÷ tradechat", "p50 µs", "÷ tradechat", "p99 µs", "client CPU µs", "memory MiB",
		},
	}
	for _, row := range c.Rows {
		t.Rows = append(t.Rows, row.cells(row == c.Rows[0]))
	}
	return t
}

func (r *Row) cells(own bool) []string {
	ratio := func(s sample.Spread) string {
		if own {
			return "1 ×"
		}
		return figure.SpreadText(s, "×")
	}
	return []string{
		r.Name, number(r.PerS), ratio(r.PerSRatio), number(r.CPUUs), ratio(r.CPURatio), number(r.P50Us), ratio(r.P50Ratio),
		number(r.P99Us), number(r.ClientCPUUs), number(sample.Spread{Median: float64(r.MemoryBytes) / (1 << 20)}),
	}
}

// number is the middle alone: what drifts with the machine is in the ratios.
func number(s sample.Spread) string {
	return figure.SpreadText(sample.Spread{Median: s.Median}, "")
}

// csvColumns are the spreads of a row by their names; each becomes three columns.
var csvColumns = []struct {
	name string
	of   func(*Row) sample.Spread
}{
	{"per_s", func(r *Row) sample.Spread { return r.PerS }},
	{"per_s_ratio", func(r *Row) sample.Spread { return r.PerSRatio }},
	{"cpu_us", func(r *Row) sample.Spread { return r.CPUUs }},
	{"cpu_ratio", func(r *Row) sample.Spread { return r.CPURatio }},
	{"p50_us", func(r *Row) sample.Spread { return r.P50Us }},
	{"p50_ratio", func(r *Row) sample.Spread { return r.P50Ratio }},
	{"p99_us", func(r *Row) sample.Spread { return r.P99Us }},
	{"p99_ratio", func(r *Row) sample.Spread { return r.P99Ratio }},
	{"client_cpu_us", func(r *Row) sample.Spread { return r.ClientCPUUs }},
}

// CSV writes a line for each contender: the middle, the least and the most of everything.
func (r Result) CSV(w io.Writer) error {
	out := csv.NewWriter(w)
	header := []string{"class", "name", "version", "unit", "latency_rate_per_s", "memory_bytes"}
	for _, c := range csvColumns {
		header = append(header, c.name, c.name+"_min", c.name+"_max")
	}
	lines := [][]string{header}
	plain := func(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }
	for _, c := range r.Classes {
		for _, row := range c.Rows {
			line := []string{c.Key, row.Name, row.Version, c.Unit, plain(c.RatePerS), strconv.FormatInt(row.MemoryBytes, 10)}
			for _, column := range csvColumns {
				s := column.of(row)
				line = append(line, plain(s.Median), plain(s.Min), plain(s.Max))
			}
			lines = append(lines, line)
		}
	}
	return out.WriteAll(lines)
}
