package libnet

import (
	"context"
	"math/rand/v2"
	"time"
)

// Backoff gives the waits between attempts: exponential with full jitter. The n-th wait is uniform in
// [0, min(Cap, Base·2ⁿ)), n from 0, so that many clients that failed together do not come back together.
// The zero value is ready, with BackoffBase and BackoffCap. Not safe for concurrent use.
type Backoff struct {
	Base time.Duration // widest first wait; 0 means BackoffBase
	Cap  time.Duration // widest wait of all; 0 means BackoffCap
	Rand *rand.Rand    // nil means the process's generator; a seeded one makes the waits repeatable

	window time.Duration // of the next wait; 0 before the first
}

// Next is the next wait.
func (b *Backoff) Next() time.Duration {
	window := int64(b.nextWindow())
	if b.Rand != nil {
		return time.Duration(b.Rand.Int64N(window))
	}
	return time.Duration(rand.Int64N(window))
}

// Reset starts over, after a success.
func (b *Backoff) Reset() { b.window = 0 }

// Wait sleeps for the next wait, or until the context ends: then its error.
func (b *Backoff) Wait(ctx context.Context) error {
	timer := time.NewTimer(b.Next())
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (b *Backoff) nextWindow() time.Duration {
	limit := orDefault(b.Cap, BackoffCap)
	if b.window == 0 {
		b.window = orDefault(b.Base, BackoffBase)
	}
	window := min(b.window, limit)
	if window > limit/2 {
		b.window = limit
	} else {
		b.window = window * 2
	}
	return window
}

func orDefault(d, standard time.Duration) time.Duration {
	if d <= 0 {
		return standard
	}
	return d
}
