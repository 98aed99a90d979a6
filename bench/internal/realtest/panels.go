package realtest

import (
	"fmt"

	"tradechat.internal/bench/internal/plots"
)

// all are the rows of a whole table.
func all(t *plots.Table) plots.Rows { return plots.Rows{Count: len(t.Rows)} }

// throughput is bars of requests a second, from the least to the most of the rounds.
func throughput(title, xLabel string, rows plots.Rows) plots.Panel {
	return plots.Panel{
		Title: title, XLabel: xLabel, YLabel: "requests a second", X: "place", Places: "label", Style: plots.Bars,
		Series: []plots.Series{{Label: "requests", Y: "req_per_s", Low: "req_per_s_min", High: "req_per_s_max", Rows: rows}},
	}
}

// latency is the quantiles.
func latency(title, xLabel string, rows plots.Rows) plots.Panel {
	return plots.Panel{
		Title: title, XLabel: xLabel, YLabel: "latency, ms", X: "place", Places: "label", Style: plots.Dots, Log: true,
		Series: quantiles(rows),
	}
}

func quantiles(rows plots.Rows) []plots.Series {
	return []plots.Series{
		{Label: "p50", Y: "p50_ms", Rows: rows, Colour: 2}, {Label: "p95", Y: "p95_ms", Rows: rows, Colour: 0},
		{Label: "p99", Y: "p99_ms", Rows: rows, Colour: 1}, {Label: "p99.9", Y: "p999_ms", Rows: rows, Colour: 3},
	}
}

func throughputAndLatency(xLabel string) func(*plots.Table) []plots.Panel {
	return func(t *plots.Table) []plots.Panel {
		return []plots.Panel{throughput("Throughput", xLabel, all(t)), latency("Latency", xLabel, all(t))}
	}
}

func throughputLatencyLocks(xLabel string) func(*plots.Table) []plots.Panel {
	return func(t *plots.Table) []plots.Panel {
		return append(throughputAndLatency(xLabel)(t), plots.Panel{
			Title: "Waiting for locks", XLabel: xLabel, YLabel: "µs a request", X: "place", Places: "label", Style: plots.Bars,
			Series: []plots.Series{{Label: "lock wait", Y: "lock_wait_us_per_request", Rows: all(t), Colour: 3}},
		})
	}
}

// opPanels have the kinds of requests beside each other; the whole load comes first.
func opPanels(t *plots.Table) []plots.Panel {
	rates := throughput("Throughput", "kind of request", all(t))
	rates.Series[0].Low, rates.Series[0].High = "", ""
	return []plots.Panel{rates, latency("Latency", "kind of request", all(t))}
}

// lockPanels have the two lock modes side by side; rate is the column of the throughput.
func lockPanels(xLabel, rateLabel, rate string) func(*plots.Table) []plots.Panel {
	return func(t *plots.Table) []plots.Panel {
		rates := lockPanel(t, "Throughput", xLabel, rateLabel, rate)
		if rate == "req_per_s" {
			for i := range rates.Series {
				rates.Series[i].Low, rates.Series[i].High = "req_per_s_min", "req_per_s_max"
			}
		}
		return []plots.Panel{
			rates, lockPanel(t, "Latency", xLabel, "p99, ms", "p99_ms"),
			lockPanel(t, "Waiting for locks", xLabel, "µs a request", "lock_wait_us_per_request"),
		}
	}
}

// holderPanels are about how many wait how long: the throughput is given.
func holderPanels(t *plots.Table) []plots.Panel {
	return []plots.Panel{
		lockPanel(t, "Slow requests", "", fmt.Sprintf("of 1,000, took longer than %d ms", slowMs), "slow_per_1000"),
		lockPanel(t, "Latency", "", "p95, ms", "p95_ms"),
		lockPanel(t, "Waiting for locks", "", "µs a request", "lock_wait_us_per_request"),
	}
}

// lockPanel is bars of one column, a bar a lock mode.
func lockPanel(t *plots.Table, title, xLabel, yLabel, column string) plots.Panel {
	p := plots.Panel{Title: title, XLabel: xLabel, YLabel: yLabel, X: "place", Places: "label", Style: plots.Bars}
	names, rows := groups(t)
	for i, name := range names {
		p.Series = append(p.Series, plots.Series{Label: name, Y: column, Rows: rows[i], Colour: []int{3, 0}[i%2]})
	}
	return p
}

// pipelinePanels have the depths on the left and the batches on the right.
func pipelinePanels(t *plots.Table) []plots.Panel {
	_, rows := groups(t)
	legs := throughput("Batches", "transfers of a batch", rows[1])
	legs.YLabel = "transfers a second"
	legs.Series[0].Y, legs.Series[0].Low, legs.Series[0].High, legs.Series[0].Colour = "legs_per_s", "", "", 2
	return []plots.Panel{
		throughput("Pipeline", "requests under way on a connection", rows[0]), legs,
		latency("Latency of a request", "requests under way on a connection", rows[0]),
		latency("Latency of a batch", "transfers of a batch", rows[1]),
	}
}

// percentilePanel has a curve for each case, and more room for the rare and slow the further right.
func percentilePanel(t *plots.Table) plots.Panel {
	p := plots.Panel{
		XLabel: "share of the requests that took no longer", YLabel: "latency, ms", X: "one_in", Nines: true, Log: true,
		Style: plots.Line,
	}
	names, rows := groups(t)
	for i, name := range names {
		p.Series = append(p.Series, plots.Series{Label: name, Y: "latency_ms", Rows: rows[i], Colour: i})
	}
	return p
}

// timelinePanels are what one or more cases did over the time. Of one case all quantiles are drawn, of several p99 and lock waits.
func timelinePanels(t *plots.Table, marks []plots.Mark) []plots.Panel {
	panel := func(title, yLabel string, log bool, series []plots.Series) plots.Panel {
		return plots.Panel{Title: title, XLabel: "time, s", YLabel: yLabel, X: "second", Log: log, Style: plots.Line,
			Series: series, Marks: marks}
	}
	each := func(column string) (series []plots.Series) {
		names, rows := groups(t)
		for i, name := range names {
			series = append(series, plots.Series{Label: name, Y: column, Rows: rows[i], Colour: i})
		}
		return series
	}
	if names, _ := groups(t); len(names) == 1 {
		rates := panel("Throughput", "requests a second", false, each("req_per_s"))
		latencies := panel("Latency", "latency, ms", true, quantiles(all(t)))
		latencies.Marks = nil
		for _, m := range marks {
			latencies.Marks = append(latencies.Marks, plots.Mark{X: m.X}) // what it is stands in the panel above
		}
		return []plots.Panel{rates, latencies}
	}
	return []plots.Panel{
		panel("Latency", "p99, ms", true, each("p99_ms")),
		panel("Waiting for locks", "ms a second, all workers", false, each("lock_wait_ms_per_s")),
	}
}
