package realtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"tradechat.internal/libproto/serverstats"
	"tradechat.internal/testkit/figure"
	"tradechat.internal/testkit/load"
	"tradechat.internal/testkit/proc"
	"tradechat.internal/testkit/server"
)

// Runner runs tests.
type Runner struct {
	Binaries proc.Binaries
	Say      func(format string, args ...any) // one line of progress
}

// Run runs the chosen tests one after the other, and writes what each has found. One that fails does not keep the next from
// running.
func (r Runner) Run(ctx context.Context, o Options) (failures error) {
	if err := o.Validate(); err != nil {
		return err
	}
	if err := os.MkdirAll(o.Out, 0o755); err != nil {
		return fmt.Errorf("realtest: %w", err)
	}
	environment := figure.Here()
	for _, t := range o.chosen() {
		result, err := r.test(ctx, t, o, environment)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil {
			err = result.write(t, o.Out)
		}
		if err != nil {
			failures = errors.Join(failures, fmt.Errorf("%s: %w", t.Name, err))
			r.Say("%s: failed", t.Name)
		}
	}
	return failures
}

// test runs all cases of a test in turns.
func (r Runner) test(ctx context.Context, t Test, o Options, environment figure.Environment) (*Result, error) {
	p := o.plan(t)
	result := newResult(t, p, o)
	result.Environment = environment // what is found speaks of it
	for round := range p.rounds {
		for i, c := range t.Cases {
			run, err := r.one(ctx, t, c, p)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.name(), err)
			}
			result.Cases[i].Runs = append(result.Cases[i].Runs, run)
			r.Say("%s: %s, round %d of %d: %.0f/s, p50 %.2f ms, p99 %.2f ms",
				t.Name, c.name(), round+1, p.rounds, run.Load.PerSecond, run.Load.LatencyUs.P50/1e3, run.Load.LatencyUs.P99/1e3)
		}
	}
	result.sumUp(t)
	return result, nil
}

// one is one load of one server.
func (r Runner) one(ctx context.Context, t Test, c Case, p plan) (run Run, err error) {
	unix.Sync() // what an earlier server has left in memory is not to be written during this one's run
	s, err := server.Start(ctx, r.Binaries, server.Options{Workers: c.Workers, Args: c.further()})
	if err != nil {
		return run, err
	}
	defer s.Discard()
	var hold *holder
	if t.Hold {
		if hold, err = holdAccounts(ctx, s); err != nil {
			return run, s.Explain(err)
		}
		defer func() {
			if hold != nil {
				_, _ = hold.end() // something else failed
			}
		}()
	}
	l, err := load.Start(r.Binaries, load.Options{Server: s.Address, Args: append([]string{
		"--duration", p.length.String(), "--warm-up", p.warmUp.String(), "--interval", p.interval.String(),
	}, c.Load...)})
	if err != nil {
		return run, err
	}
	defer l.Discard()
	watch, err := watchLocks(ctx, s, p.interval)
	if err != nil {
		return run, err
	}
	var killed *killing
	if t.Kill {
		killed, err = killInTheMiddle(ctx, s, l, p)
	}
	if err == nil || errors.Is(err, load.ErrEnded) { // why it ended early is its own to say
		var waitErr error
		run.Load, waitErr = l.Wait(ctx)
		err = errors.Join(err, waitErr)
	}
	if hold != nil {
		var holdErr error
		run.Holds, holdErr = hold.end()
		hold, err = nil, errors.Join(err, holdErr)
	}
	seen, watchErr := watch.end()
	if err = errors.Join(err, watchErr); err != nil {
		return run, s.Explain(err)
	}
	run.take(seen, killed, p)
	_, err = s.Stop()
	return run, err
}

// killing is when a worker was killed, and when its successor ran.
type killing struct {
	at, replaced time.Time
	victim       serverstats.Worker
}

// killInTheMiddle waits for half the load and kills the worker with the most connections.
func killInTheMiddle(ctx context.Context, s *server.Server, l *load.Load, p plan) (*killing, error) {
	admin, err := s.DialAdmin(ctx)
	if err != nil {
		return nil, err
	}
	defer admin.Close()
	if err := l.AwaitRequests(ctx, admin); err != nil {
		return nil, err
	}
	if err := l.While(ctx, p.warmUp+p.length/2); err != nil {
		return nil, err
	}
	k := &killing{at: time.Now()}
	if k.victim, err = admin.KillBusiest(ctx); err != nil {
		return nil, err
	}
	_, k.replaced, err = admin.AwaitSuccessor(ctx, k.victim)
	return k, err
}
