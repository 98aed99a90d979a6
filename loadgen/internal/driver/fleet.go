package driver

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"tradechat.internal/loadgen/internal/moneycheck"
)

// ErrPhase is the error of a phase that was not reached in time.
var ErrPhase = errors.New("not reached in time")

// Fleet is all threads of a run.
type Fleet struct {
	threads []*Thread
	reached chan Phase
	failed  chan error
	work    sync.WaitGroup
}

// NewFleet makes the threads and starts them: they connect.
func NewFleet(plan *Plan) (*Fleet, error) {
	at, err := resolve(plan.Server)
	if err != nil {
		return nil, err
	}
	f := &Fleet{
		reached: make(chan Phase, plan.Threads*int(End)),
		failed:  make(chan error, plan.Threads),
	}
	born := time.Now()
	for i := range plan.Threads {
		thread, err := newThread(plan, i, at, born, f.reached)
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
func (f *Fleet) Enter(p Phase) error {
	for _, thread := range f.threads {
		if err := thread.want(p); err != nil {
			return err
		}
	}
	return nil
}

// Await waits until all threads have reached what the phase is for: ErrPhase, with the last failure of a connection,
// if that takes longer than patience.
func (f *Fleet) Await(ctx context.Context, p Phase, patience time.Duration) error {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for left := len(f.threads); left > 0; {
		select {
		case reached := <-f.reached:
			if reached == p {
				left--
			}
		case err := <-f.failed:
			return err
		case <-timer.C:
			return fmt.Errorf("phase %v: %w (%v): %w", p, ErrPhase, patience, f.failure())
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
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
