package realtest

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"tradechat.internal/bench/internal/plots"
	"tradechat.internal/testkit/load"
)

var caseHeader = []string{
	"group", "place", "label", "rounds", "req_per_s", "req_per_s_min", "req_per_s_max", "legs_per_s",
	"p50_ms", "p95_ms", "p99_ms", "p999_ms", "max_ms", "slow_per_1000", "failed",
	"lock_waits_per_1000", "lock_wait_us_per_request", "lock_wait_ms_per_s", "lock_wait_p99_ms", "load_of_cores",
	"server_flags", "load_flags",
}

// caseTable has one row a case.
func (r *Result) caseTable() *plots.Table {
	t := &plots.Table{Name: r.Name, Header: caseHeader}
	for i := range r.Cases {
		c := &r.Cases[i]
		l := c.LatencyUs
		t.Rows = append(t.Rows, cells(
			c.Group, c.Place, c.Label, len(c.Runs), c.PerSecond.Median, c.PerSecond.Min, c.PerSecond.Max, c.LegsPerS,
			l.P50/1e3, l.P95/1e3, l.P99/1e3, l.P999/1e3, l.Max/1e3, c.SlowPer1000, c.Failed,
			c.Locks.WaitsPer1000, c.Locks.UsPerRequest, c.Locks.MsPerS, c.Locks.P99Ms, c.LoadCores,
			strings.Join(c.ServerFlags, " "), strings.Join(c.LoadFlags, " ")))
	}
	return t
}

// opTable has one row a kind of request of the only case.
func (r *Result) opTable() *plots.Table {
	t := &plots.Table{Name: r.Name, Header: []string{
		"case", "place", "label", "req_per_s", "p50_ms", "p95_ms", "p99_ms", "p999_ms", "max_ms", "ok", "failed",
		"server_flags", "load_flags",
	}}
	c := &r.Cases[0]
	run := &c.Runs[0].Load
	row := func(label string, ok, failed uint64, l load.Quantiles) {
		t.Rows = append(t.Rows, cells(c.name(), len(t.Rows), label, float64(ok)/run.DurationS, l.P50/1e3, l.P95/1e3,
			l.P99/1e3, l.P999/1e3, l.Max/1e3,
			ok, failed, strings.Join(c.ServerFlags, " "), strings.Join(c.LoadFlags, " ")))
	}
	row("all", run.RequestsOK, run.RequestsFailed, run.LatencyUs)
	for _, name := range slices.Sorted(maps.Keys(run.PerOp)) {
		op := run.PerOp[name]
		row(strings.ToLower(strings.ReplaceAll(name, "_", " ")), op.OK, op.Failed, op.LatencyUs)
	}
	return t
}

// percentileTable has the distribution of latencies of each case, all its rounds together, but for the quickest few.
func (r *Result) percentileTable() *plots.Table {
	t := &plots.Table{Name: r.Name + "-percentiles", Header: []string{"case", "quantile", "one_in", "latency_ms"}}
	for i := range r.Cases {
		c := &r.Cases[i]
		var all [][]load.Percentile
		for j := range c.Runs {
			all = append(all, c.Runs[j].Load.Latencies)
		}
		for _, p := range load.Pool(all...) {
			if p.Quantile < quantileLeast {
				continue
			}
			t.Rows = append(t.Rows, []string{c.name(), strconv.FormatFloat(p.Quantile, 'f', 8, 64), plots.Number(p.OneIn),
				plots.Number(p.Ms)})
		}
	}
	return t
}

// timelineTable has one row an interval of each case's first round.
func (r *Result) timelineTable() *plots.Table {
	t := &plots.Table{Name: r.Name + "-timeline", Header: []string{
		"case", "second", "req_per_s", "failed", "p50_ms", "p95_ms", "p99_ms", "p999_ms", "max_ms", "connections",
		"lock_wait_ms_per_s", "lock_wait_us_per_request",
	}}
	for i := range r.Cases {
		c := &r.Cases[i]
		for _, m := range c.Runs[0].Moves {
			l := m.LatencyUs
			t.Rows = append(t.Rows, cells(c.name(), m.Second, m.PerSecond, m.Failed, l.P50/1e3, l.P95/1e3, l.P99/1e3,
				l.P999/1e3, l.Max/1e3,
				m.Connections, m.LockMsPerS, m.LockUsPerReq))
		}
	}
	return t
}

func cells(values ...any) []string {
	row := make([]string, len(values))
	for i, v := range values {
		switch v := v.(type) {
		case string:
			row[i] = v
		case float64:
			row[i] = plots.Number(v)
		case int:
			row[i] = strconv.Itoa(v)
		case uint64:
			row[i] = strconv.FormatUint(v, 10)
		}
	}
	return row
}

// groups are the rows of a table that have the same cell in its first column, in their order.
func groups(t *plots.Table) (names []string, rows []plots.Rows) {
	for i, row := range t.Rows {
		if len(names) == 0 || names[len(names)-1] != row[0] {
			names, rows = append(names, row[0]), append(rows, plots.Rows{First: i})
		}
		rows[len(rows)-1].Count++
	}
	return names, rows
}
