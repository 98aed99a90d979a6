package run

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"tradechat.internal/loadgen/internal/arrival"
	"tradechat.internal/loadgen/internal/driver"
	"tradechat.internal/loadgen/internal/progress"
	"tradechat.internal/loadgen/internal/report"
	"tradechat.internal/loadgen/internal/stats"
)

// stage is one stretch of load with its measure.
type stage struct {
	name     string
	length   time.Duration
	rate     float64 // 0: a closed loop
	measured bool

	offset   time.Duration // of its begin: how long the measured stages before it took
	timeline *stats.Timeline
	watched  chan error // one, when all threads have ended their part
	started  time.Time
	took     time.Duration
	cpu      report.CPU
	totals   stats.Totals // after collect
}

// Percentile, ErrorShare and Rate are what an objective looks at.
func (s *stage) Percentile(percent float64) time.Duration {
	all := s.totals.Latency()
	return all.Percentile(percent)
}

// ErrorShare counts what was never sent as an error: whoever would have asked got no answer.
func (s *stage) ErrorShare() float64 {
	missed := s.totals.Failed() + s.totals.Skipped
	return float64(missed) / float64(max(missed+s.totals.OK(), 1))
}

func (s *stage) Rate() float64 {
	if s.took == 0 {
		return 0
	}
	return float64(s.totals.Answered) / s.took.Seconds()
}

// load makes the connections, the requests, and the drain.
func (r *runner) load(ctx context.Context) (err error) {
	if r.out.CSV != nil {
		if r.table, err = report.NewCSV(r.out.CSV); err != nil {
			return fmt.Errorf("write the CSV: %w", err)
		}
	}
	if r.fleet, err = driver.NewFleet(r.plan); err != nil {
		return fmt.Errorf("%w: %w", ErrSetup, err)
	}
	if err := r.fleet.Await(ctx, r.connectPatience()); err != nil {
		return errors.Join(fmt.Errorf("%w: %w", ErrSetup, err), r.fleet.End())
	}
	if r.cfg.RateSweep.None() {
		return r.single(ctx)
	}
	return r.sweep(ctx)
}

func (r *runner) connectPatience() time.Duration {
	patience := connectPatience + time.Duration(r.cfg.Connections)*connectPatienceEach
	if r.cfg.ConnectRate > 0 {
		patience += time.Duration(float64(r.cfg.Connections) / r.cfg.ConnectRate * float64(time.Second))
	}
	return patience
}

// single is a load of one rate, or of a closed loop.
func (r *runner) single(ctx context.Context) error {
	r.chosen = &stage{length: r.cfg.Duration, rate: r.cfg.Rate, measured: true}
	failed := r.make(ctx, r.chosen)
	if failed == nil {
		failed = r.windDown(context.WithoutCancel(ctx))
	}
	if failed = errors.Join(failed, r.fleet.End()); failed != nil {
		return failed
	}
	if err := r.collect(r.chosen); err != nil {
		return err
	}
	r.summarise(r.chosen)
	results, met := r.objective.Check(r.chosen)
	r.summary.SLO, r.summary.SLOMet = results, met
	return nil
}

// make makes the requests of a stage, after those of a warm-up.
func (r *runner) make(ctx context.Context, s *stage) error {
	if r.cfg.WarmUp > 0 {
		warmUp := &stage{name: "warm-up", length: r.cfg.WarmUp, rate: s.rate}
		if s.name != "" {
			warmUp.name = s.name + " warm-up"
		}
		if err := r.makeRequests(ctx, warmUp); err != nil {
			return err
		}
	}
	return r.makeRequests(ctx, s)
}

// makeRequests is the load itself, with its measure.
func (r *runner) makeRequests(ctx context.Context, s *stage) error {
	s.timeline = stats.NewTimeline(r.cfg.Threads, r.cfg.Interval, s.rate > 0)
	s.watched = make(chan error, 1)
	s.offset, s.started = r.measured, time.Now()
	go func() { s.watched <- r.watch(s) }()
	r.stages++
	begin := max(r.fleet.NowNs(), r.untilNs)
	r.untilNs = begin + int64(s.length)
	before := usage()
	err := r.fleet.Load(&driver.Step{
		Timeline: s.timeline, Rate: s.rate, Arrivals: arrival.Kind(r.cfg.Arrivals), Seed: r.cfg.Seed + r.stages,
		BeginNs: begin, EndNs: r.untilNs,
	})
	if err != nil {
		return err
	}
	timer := time.NewTimer(time.Duration(r.untilNs - r.fleet.NowNs()))
	defer timer.Stop()
	var failed error
	select {
	case <-timer.C:
	case <-ctx.Done():
		r.summary.Interrupted = true
	case failed = <-r.fleet.Failed():
	}
	end := r.fleet.NowNs()
	s.took, r.untilNs = time.Duration(end-begin), min(end, r.untilNs)
	after := usage()
	s.cpu = report.CPU{UserS: seconds(after.Utime) - seconds(before.Utime), SystemS: seconds(after.Stime) - seconds(before.Stime)}
	if s.measured {
		r.measured += s.length
	}
	return failed
}

// usage is what the process has used of the processors (getrusage(2)).
func usage() (u unix.Rusage) {
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		panic(err) // for oneself it cannot fail
	}
	return u
}

func seconds(t unix.Timeval) float64 { return float64(t.Nano()) / float64(time.Second) }

// watch shows the intervals of a stage until all threads have ended it.
func (r *runner) watch(s *stage) (failed error) {
	s.timeline.Run(func(row stats.Row) {
		live := r.fleet.Live()
		r.display.Interval(&row, progress.Stage{
			Name: s.name, Total: s.length, Rate: s.rate, Live: live, Connections: r.cfg.Connections,
		})
		if r.table != nil && s.measured && failed == nil {
			failed = r.table.Row(&row, s.offset, live, s.rate)
		}
	})
	if failed != nil {
		return fmt.Errorf("write the CSV: %w", failed)
	}
	return nil
}

// collect waits until all threads have ended a stage, and adds up what they counted.
func (r *runner) collect(s *stage) error {
	if err := <-s.watched; err != nil {
		return err
	}
	s.totals = s.timeline.Totals()
	s.cpu.SetThreads(s.timeline.CPU(), runtime.NumCPU())
	return nil
}

// summarise makes a stage the one that the summary is of.
func (r *runner) summarise(s *stage) {
	r.summary.Started, r.summary.DurationS, r.summary.CPU = s.started, s.took.Seconds(), s.cpu
	r.summary.SetTotals(&s.totals, s.rate)
	r.summary.SetWarnings()
}

// settlePatience is how long the last answers are waited for. What waits to be sent in an open loop does so for one timeout at
// most.
func (r *runner) settlePatience() time.Duration {
	if r.cfg.Open() {
		return 2*r.cfg.Timeout + settleSlack
	}
	return r.cfg.Timeout + settleSlack
}

// windDown waits for the last answers and deliveries. What does not come in time is the verdict's business.
func (r *runner) windDown(ctx context.Context) error {
	for _, part := range []struct {
		phase    driver.Phase
		patience time.Duration
	}{
		{driver.Settle, r.settlePatience()},
		{driver.Mark, r.cfg.Timeout + settleSlack},
		{driver.Drain, r.cfg.DrainTimeout},
		{driver.Leave, leavePatience},
	} {
		if err := r.fleet.Enter(part.phase); err != nil {
			return err
		}
		if err := r.fleet.Await(ctx, part.patience); err != nil && !errors.Is(err, driver.ErrPhase) {
			return err
		}
	}
	return nil
}
