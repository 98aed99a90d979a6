package peers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"tradechat.internal/testkit/clock"
	"tradechat.internal/testkit/closedloop"
	"tradechat.internal/testkit/openloop"
	"tradechat.internal/testkit/proc"
	"tradechat.internal/testkit/procfs"
)

// run is one comparison.
type run struct {
	options Options
	say     func(format string, args ...any)
	result  Result
}

// heat is a class under measurement.
type heat struct {
	*run
	class
	rivals []*entrant
	found  Class
}

// entrant is a contender that runs.
type entrant struct {
	contender
	rival
	row  *Row
	sent uint64 // requests that were answered, over all rounds
}

// Run compares. Say is told of the progress, a line at a time.
func Run(ctx context.Context, binaries proc.Binaries, say func(format string, args ...any), o Options) (Result, error) {
	if err := o.Validate(); err != nil {
		return Result{}, err
	}
	r := &run{options: o, say: say, result: Result{Options: o}}
	for _, c := range chosen(classes(binaries, o), o.Only) {
		if err := r.compare(ctx, c); err != nil {
			return r.result, fmt.Errorf("peers: %s: %w", c.name, err)
		}
	}
	return r.result, nil
}

// compare runs one class.
func (r *run) compare(ctx context.Context, c class) error {
	h := &heat{run: r, class: c, found: Class{Name: c.name, Key: c.key, Unit: c.unit}}
	defer func() {
		for _, e := range h.rivals {
			e.Discard()
		}
	}()
	if err := h.startAll(ctx); err != nil {
		return err
	}
	if len(h.rivals) < 2 {
		return nil // nothing to compare with
	}
	if err := h.fullSpeed(ctx); err != nil {
		return err
	}
	if err := h.equalLoad(ctx); err != nil {
		return err
	}
	if err := h.stopAll(ctx); err != nil {
		return err
	}
	err := h.found.sumUp()
	r.result.Classes = append(r.result.Classes, h.found)
	return err
}

func (h *heat) startAll(ctx context.Context) error {
	for _, c := range h.contenders {
		h.say("peers: %s: starting %s", h.key, c.name)
		started, err := c.start(ctx)
		if errors.Is(err, ErrMissing) {
			h.say("peers: %s: skipped: %s: %v", h.key, c.name, err)
			h.result.Skipped = append(h.result.Skipped, Skipped{c.name, err.Error()})
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		e := &entrant{contender: c, rival: started, row: &Row{Name: c.name, Version: started.Version()}}
		h.rivals, h.found.Rows = append(h.rivals, e), append(h.found.Rows, e.row)
	}
	return nil
}

// connections is how many each is driven on.
func (h *heat) connections() int {
	if h.together {
		return h.options.Subscribers
	}
	return h.options.Connections
}

// fullSpeed runs the closed loops, one round of each that does not count first.
func (h *heat) fullSpeed(ctx context.Context) error {
	loops := make([]*closedloop.Loop, 0, len(h.rivals))
	defer func() {
		for _, l := range loops {
			l.Close()
		}
	}()
	for _, e := range h.rivals {
		connections, err := e.Connect(ctx, h.connections())
		if err != nil {
			return fmt.Errorf("%s: %w", e.name, err)
		}
		loop, err := closedloop.New(connections, h.options.Depth)
		if err != nil {
			return err
		}
		loops = append(loops, loop)
	}
	for i := range h.options.Rounds + 1 {
		duration := h.options.Duration
		if i == 0 {
			duration /= 4
		}
		for j, e := range h.rivals {
			round, err := h.round(ctx, e, loops[j], duration)
			if err != nil {
				return fmt.Errorf("%s: %w", e.name, err)
			}
			if i == 0 {
				continue
			}
			e.row.Rounds = append(e.row.Rounds, round)
			h.say("peers: %s: round %d of %d: %s: %.0f/s, %.2f µs, client %.2f µs",
				h.key, i, h.options.Rounds, e.name, round.PerS, round.CPUUs, round.ClientCPUUs)
		}
	}
	return h.memory(ctx)
}

// round drives one and reads its processes' clocks before and after.
func (h *heat) round(ctx context.Context, e *entrant, loop *closedloop.Loop, duration time.Duration) (r Round, err error) {
	h.settle()
	pids, err := e.PIDs(ctx)
	if err != nil {
		return r, err
	}
	before, err := procfs.CPUTimeOf(pids)
	if err != nil {
		return r, err
	}
	drive := loop.Run
	if h.together {
		drive = loop.RunTogether
	}
	did, err := drive(ctx, duration)
	if err != nil {
		return r, err
	}
	e.sent += h.requests(did.Requests)
	after, err := procfs.CPUTimeOf(pids)
	used, count := after-before, float64(max(did.Requests, 1))
	return Round{
		Count: did.Requests, Seconds: did.Elapsed.Seconds(), PerS: did.PerSecond(),
		CPUUs: clock.Micros(used) / count, ClientCPUUs: clock.Micros(did.ClientCPU) / count, CoresBusy: used.Seconds() / did.Elapsed.Seconds(),
	}, err
}

// settle has what others have left in memory written before it is in the way.
func (h *heat) settle() {
	if h.durable {
		unix.Sync()
	}
}

// requests is how many were behind so many answers.
func (h *heat) requests(answers uint64) uint64 {
	if h.together {
		return answers / uint64(h.options.Subscribers)
	}
	return answers
}

func (h *heat) memory(ctx context.Context) error {
	for _, e := range h.rivals {
		pids, err := e.PIDs(ctx)
		if err != nil {
			return err
		}
		if e.row.MemoryBytes, err = procfs.ProportionalBytes(pids); err != nil {
			return err
		}
	}
	return nil
}

// equalLoad runs the open loops, all at the same rate.
func (h *heat) equalLoad(ctx context.Context) error {
	h.found.RatePerS = h.rate()
	loops := make([]*openloop.Loop, 0, len(h.rivals))
	defer func() {
		for _, l := range loops {
			l.Close()
		}
	}()
	for _, e := range h.rivals {
		connections, err := e.Connect(ctx, h.connections())
		if err != nil {
			return fmt.Errorf("%s: %w", e.name, err)
		}
		loop, err := openloop.New(connections)
		if err != nil {
			return err
		}
		loops = append(loops, loop)
	}
	for i := range h.options.Rounds {
		for j, e := range h.rivals {
			latency, err := h.latency(ctx, loops[j])
			if err != nil {
				return fmt.Errorf("%s: %w", e.name, err)
			}
			e.row.Latencies = append(e.row.Latencies, latency)
			h.say("peers: %s: at %.0f/s, round %d of %d: %s: p50 %.0f µs, p99 %.0f µs",
				h.key, h.found.RatePerS, i+1, h.options.Rounds, e.name, latency.P50Us, latency.P99Us)
		}
	}
	for j, e := range h.rivals {
		e.sent += loops[j].Sent()
	}
	return nil
}

// rate is what the slowest can hold.
func (h *heat) rate() float64 {
	slowest := slices.MinFunc(h.rivals, func(a, b *entrant) int { return cmp.Compare(a.slowest(), b.slowest()) }).slowest()
	if h.together {
		slowest /= float64(h.options.Subscribers)
	}
	return slowest * latencyShare
}

func (e *entrant) slowest() float64 {
	return slices.MinFunc(e.row.Rounds, func(a, b Round) int { return cmp.Compare(a.PerS, b.PerS) }).PerS
}

func (h *heat) latency(ctx context.Context, loop *openloop.Loop) (l Latency, err error) {
	h.settle()
	drive := loop.Run
	if h.together {
		drive = loop.RunTogether
	}
	did, err := drive(ctx, h.found.RatePerS, h.options.Latency)
	if err = errors.Join(err, did.Failure); err != nil {
		return l, err
	}
	if len(did.Latencies) == 0 {
		return l, fmt.Errorf("%w: %.1f/s is less than one request in %v", ErrOption, h.found.RatePerS, h.options.Latency)
	}
	return Latency{
		Answers: len(did.Latencies), P50Us: clock.Micros(did.Percentile(50)), P99Us: clock.Micros(did.Percentile(99)), Late: did.Late,
	}, nil
}

// stopAll asks each what it has done, and ends it.
func (h *heat) stopAll(ctx context.Context) error {
	for _, e := range h.rivals {
		if err := e.Check(ctx, e.sent); err != nil {
			return fmt.Errorf("%s: %w", e.name, err)
		}
	}
	for _, e := range h.rivals {
		if err := e.Stop(); err != nil {
			return fmt.Errorf("%s: %w", e.name, err)
		}
	}
	return nil
}
