package measure

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tradechat.internal/testkit/clock"
	"tradechat.internal/testkit/figure"
	"tradechat.internal/testkit/sample"
	"tradechat.internal/testkit/server"
)

// WarmStartOptions says how often to kill everything.
type WarmStartOptions struct {
	Workers     int
	Users       int // in the books
	Connections int
	Rounds      int
	Duration    time.Duration // of the load before each kill
}

// DefaultWarmStartOptions is what the reported figure is measured with.
func DefaultWarmStartOptions() WarmStartOptions {
	return WarmStartOptions{Workers: 2, Users: 20_000, Connections: 100, Rounds: 10, Duration: 2 * time.Second}
}

// Validate checks every setting.
func (o WarmStartOptions) Validate() error {
	return errors.Join(
		within("workers", o.Workers, 1, WorkersMax),
		within("connections", o.Connections, 2, 10_000),
		within("users", o.Users, o.Connections, 40_000),
		within("rounds", o.Rounds, 1, RoundsMax),
		within("duration", o.Duration, 10*time.Millisecond, time.Hour),
	)
}

// WarmStartResult is all starts.
type WarmStartResult struct {
	ReadyMs sample.Spread `json:"ready_ms"` // from exec to the ready line
	Starts  []float64     `json:"starts_ms"`
	Records uint64        `json:"records"` // in the journal at the end
}

// Figures is the slowest start: the target is meant for each.
func (r WarmStartResult) Figures() []figure.Figure {
	detail := fmt.Sprintf("the slowest of %d, their median is %.0f ms; %d records in the end", len(r.Starts), r.ReadyMs.Median, r.Records)
	f := figure.New("kill -9 of all processes under load → next start is ready", r.ReadyMs.Max, "ms", warmStartTarget, detail)
	f.Spread = &r.ReadyMs
	return []figure.Figure{f}
}

// WarmStart kills all processes under load and starts the server again.
func (b Bench) WarmStart(ctx context.Context, o WarmStartOptions) (r WarmStartResult, err error) {
	if err := o.Validate(); err != nil {
		return r, err
	}
	s, err := server.Start(ctx, b.Binaries, server.Options{Workers: o.Workers})
	if err != nil {
		return r, err
	}
	defer func() { s.Discard() }()
	if _, err := s.AddUsers(ctx, o.Users-o.Connections, 1); err != nil {
		return r, err
	}
	for i := range o.Rounds {
		if err := b.loadAndKill(ctx, s, o); err != nil {
			return r, err
		}
		began := time.Now()
		if err := s.Restart(ctx, b.Binaries, server.Options{Workers: o.Workers}); err != nil {
			return r, err
		}
		r.Starts = append(r.Starts, clock.Millis(s.ReadyAt().Sub(began)))
		b.Say("warm-start: %d of %d: ready after %.0f ms", i+1, o.Rounds, r.Starts[i])
	}
	r.ReadyMs = sample.Of(r.Starts)
	stats, err := s.Stats(ctx)
	if err != nil {
		return r, err
	}
	r.Records = stats.Journal.Head
	_, err = s.Stop()
	return r, err
}

// loadAndKill transfers for a while, and then kills.
func (b Bench) loadAndKill(ctx context.Context, s *server.Server, o WarmStartOptions) error {
	loop, err := traders(ctx, s, o.Connections, 1)
	if err != nil {
		return err
	}
	defer loop.Close()
	ran := make(chan error, 1)
	load, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		_, err := loop.Run(load, time.Hour) // ends with the server
		ran <- err
	}()
	if err := clock.Sleep(ctx, o.Duration); err != nil {
		return err
	}
	if err := s.KillAll(ctx); err != nil {
		return err
	}
	if <-ran == nil {
		return errors.New("measure: the load outlived the server")
	}
	return nil
}
