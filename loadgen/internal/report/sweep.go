package report

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"tradechat.internal/loadgen/internal/slo"
	"tradechat.internal/loadgen/internal/stats"
)

// Sweep is a row of rates that were tried. The summary that it is part of is otherwise that of the best step, or of the first
// if none was held.
type Sweep struct {
	Steps []Step  `json:"steps"`
	Best  float64 `json:"best_rate"` // the highest rate that was held; 0: none was
}

// Step is one rate of a sweep.
type Step struct {
	Rate        float64         `json:"rate"` // offered
	AchievedS   float64         `json:"achieved_per_s"`
	OK          uint64          `json:"ok"`
	Failed      uint64          `json:"failed"`
	Skipped     uint64          `json:"skipped"`
	LateSends   uint64          `json:"late_sends"`
	Behind      uint64          `json:"behind"`
	LatencyUs   stats.Quantiles `json:"latency_us"`
	SinceSentUs stats.Quantiles `json:"latency_since_sent_us"`
	SLO         []slo.Result    `json:"slo,omitempty"`
	Held        bool            `json:"held"` // achieved within 1 %, and the objective met
}

func (s *Summary) writeSweep(b *strings.Builder) {
	if s.Sweep == nil {
		return
	}
	table := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "offered/s\tachieved/s\tp50 µs\tp99 µs\tmax µs\tsince sent p99\tfailed\tskipped\tlate\theld\t")
	for i := range s.Sweep.Steps {
		step := &s.Sweep.Steps[i]
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", Whole(step.Rate), Whole(step.AchievedS),
			Whole(step.LatencyUs.P50), Whole(step.LatencyUs.P99), Whole(step.LatencyUs.Max), Whole(step.SinceSentUs.P99),
			Grouped(step.Failed), Grouped(step.Skipped), Grouped(step.LateSends), step.word())
	}
	_ = table.Flush() // into a strings.Builder, which takes everything
	if s.Sweep.Best == 0 {
		b.WriteString("\nno rate was held\n\n")
		return
	}
	fmt.Fprintf(b, "\nthe highest rate held is %s/s: answered within 1 %% of it", Whole(s.Sweep.Best))
	if s.Config.SLO != "" {
		fmt.Fprintf(b, ", and %s", s.Config.SLO)
	}
	b.WriteString("; what follows is that step\n\n")
}

func (s *Step) word() string {
	if s.Held {
		return "yes"
	}
	for _, result := range s.SLO {
		if !result.Met {
			return "no, " + result.Term + " is " + result.Value
		}
	}
	return "no"
}
