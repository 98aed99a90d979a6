package run

import (
	"context"
	"errors"

	"tradechat.internal/loadgen/internal/driver"
	"tradechat.internal/loadgen/internal/report"
	"tradechat.internal/loadgen/internal/stats"
	"tradechat.internal/loadgen/internal/sweep"
)

// sweep tries one rate after the other.
func (r *runner) sweep(ctx context.Context) error {
	search := sweep.NewSearch(r.cfg.RateSweep)
	r.summary.Sweep = &report.Sweep{}
	var failed error
	for rate, ok := search.Next(); ok && failed == nil && !r.summary.Interrupted; rate, ok = search.Next() {
		var held bool
		held, failed = r.try(ctx, rate)
		search.Tried(held)
	}
	if failed == nil {
		failed = r.windDown(context.WithoutCancel(ctx))
	}
	if failed = errors.Join(failed, r.fleet.End()); failed != nil {
		return failed
	}
	r.summarise(r.chosen)
	best := r.summary.Sweep.Best
	r.summary.SLO, _ = r.objective.Check(r.chosen)
	r.summary.SLOMet = best > 0
	return nil
}

// try is one step of a sweep: the load, and the wait for its last answers.
func (r *runner) try(ctx context.Context, rate float64) (held bool, err error) {
	s := &stage{name: report.Grouped(uint64(rate+0.5)) + "/s", length: r.cfg.Duration, rate: rate, measured: true}
	if err := r.make(ctx, s); err != nil {
		return false, err
	}
	if err := r.fleet.Enter(driver.Rest); err != nil {
		return false, err
	}
	err = r.fleet.Await(context.WithoutCancel(ctx), r.settlePatience())
	if err != nil && !errors.Is(err, driver.ErrPhase) {
		return false, err
	}
	if err := r.fleet.Count(stats.NewTimeline(r.cfg.Threads, r.cfg.Interval, true)); err != nil {
		return false, err
	}
	if err := r.collect(s); err != nil {
		return false, err
	}
	step := r.rowOf(s)
	r.summary.Sweep.Steps = append(r.summary.Sweep.Steps, step)
	r.tell(&step)
	if better := step.Held && rate > r.summary.Sweep.Best; better || r.chosen == nil {
		r.chosen = s
		if better {
			r.summary.Sweep.Best = rate
		}
	}
	return step.Held, nil
}

// rowOf is the row of a stage. One that was cut short was not held.
func (r *runner) rowOf(s *stage) report.Step {
	all, sinceSent := s.totals.Latency(), s.totals.SinceSent()
	results, met := r.objective.Check(s)
	due := s.totals.OK() + s.totals.Failed() + s.totals.Skipped // Poisson arrivals are never quite as many as the rate says
	return report.Step{
		Rate: s.rate, AchievedS: s.Rate(), OK: s.totals.OK(), Failed: s.totals.Failed(), Skipped: s.totals.Skipped,
		LateSends: s.totals.LateSends, Behind: s.totals.Behind, LatencyUs: all.Quantiles(), SinceSentUs: sinceSent.Quantiles(),
		SLO: results, Held: met && float64(s.totals.Answered) >= heldWithin*float64(due) && !r.summary.Interrupted,
	}
}

// tell says what became of a step, in a line that stays.
func (r *runner) tell(s *report.Step) {
	word := "held"
	if !s.Held {
		word = "not held"
	}
	r.display.Tell("offered %s/s  achieved %s/s  p50 %.0f µs  p99 %.0f µs  %s", report.Grouped(uint64(s.Rate+0.5)),
		report.Grouped(uint64(s.AchievedS+0.5)), s.LatencyUs.P50, s.LatencyUs.P99, word)
}
