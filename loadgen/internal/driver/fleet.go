package driver

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"tradechat.internal/loadgen/internal/moneycheck"
	"tradechat.internal/loadgen/internal/stats"
)

// ErrPhase is the error of a phase that was not reached in time.
var ErrPhase = errors.New("not reached in time")

// Fleet is all threads of a run.
type Fleet struct {
	threads []*Thread
	born    time.Time // zero of the threads' clock
	order   *order    // the last one
	failed  chan error
	work    sync.WaitGroup
}

// NewFleet makes the threads and starts them: they connect.
func NewFleet(plan *Plan) (*Fleet, error) {
	servers, err := resolve(plan.Server)
	if err != nil {
		return nil, err
	}
	f := &Fleet{
		born:   time.Now(),
		order:  newOrder(plan.Threads, Connect, nil, nil),
		failed: make(chan error, plan.Threads),
	}
	uncounted := stats.NewTimeline(plan.Threads, time.Second, false)
	for i := range plan.Threads {
		thread, err := newThread(plan, i, servers, f.born, uncounted, f.order)
		if err != nil {
			return nil, err
		}
		f.threads = append(f.threads, thread)
	}
	for _, thread := range f.threads {
		f.work.Go(func() {
			if err := thread.run(); err != nil {
				f.failed <- err
			}
		})
	}
	return f, nil
}

// Enter begins a phase in all threads.
func (f *Fleet) Enter(p Phase) error { return f.give(newOrder(len(f.threads), p, nil, nil)) }

// Load begins a step in all threads, and in the open loop no earlier than at its BeginNs.
func (f *Fleet) Load(s *Step) error { return f.give(newOrder(len(f.threads), Load, s.Timeline, s)) }

// Count ends the threads' part in the timeline that they have been counting in, in the middle of a Rest: its totals may be read
// when its Run has returned.
func (f *Fleet) Count(in *stats.Timeline) error {
	return f.give(newOrder(len(f.threads), Rest, in, nil))
}

// NowNs is the threads' clock.
func (f *Fleet) NowNs() int64 { return int64(time.Since(f.born)) }

func (f *Fleet) give(o *order) error {
	f.order.next.Store(o)
	f.order = o
	for _, thread := range f.threads {
		if err := thread.wake.Signal(); err != nil {
			return fmt.Errorf("wake a load thread: %w", err)
		}
	}
	return nil
}

// Await waits until all threads have done what was ordered last: ErrPhase, with the last failure of a connection, if that
// takes longer than patience.
func (f *Fleet) Await(ctx context.Context, patience time.Duration) error {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-f.order.done:
		return nil
	case err := <-f.failed:
		return err
	case <-timer.C:
		return fmt.Errorf("phase %v: %w (%v): %w", f.order.phase, ErrPhase, patience, f.failure())
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Failed tells of a thread that cannot go on.
func (f *Fleet) Failed() <-chan error { return f.failed }

// failure is the last failure of any thread's connection.
func (f *Fleet) failure() error {
	for _, thread := range f.threads {
		if err := thread.failure(); err != nil {
			return err
		}
	}
	return errNoAnswer
}

// Live is the number of connections that are ready.
func (f *Fleet) Live() (live int) {
	for _, thread := range f.threads {
		live += int(thread.live.Load())
	}
	return live
}

// End closes all connections and waits for the threads. After it their books may be read.
func (f *Fleet) End() error {
	err := f.Enter(End)
	f.work.Wait()
	for _, thread := range f.threads {
		thread.close() // not before: an order may be seen, and obeyed, before its signal
	}
	return err
}

// Books are the threads' books, to be read after End.
func (f *Fleet) Books() []*moneycheck.Book {
	books := make([]*moneycheck.Book, len(f.threads))
	for i, thread := range f.threads {
		books[i] = thread.book
	}
	return books
}
