package control

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"tradechat.internal/loadgen/internal/mix"
	"tradechat.internal/loadgen/internal/moneycheck"
)

func TestEachDoesAll(t *testing.T) {
	const count = 100
	var done [count]atomic.Bool
	var last atomic.Int64
	err := each(context.Background(), count, func(n int) { last.Store(int64(n)) }, func(_ context.Context, i int) error {
		if done[i].Swap(true) {
			t.Errorf("%d is done twice", i)
		}
		return nil
	})
	if err != nil || last.Load() != count {
		t.Errorf("%v, progress %d", err, last.Load())
	}
	for i := range done {
		if !done[i].Load() {
			t.Errorf("%d is not done", i)
		}
	}
}

func TestEachEndsAtTheFirstError(t *testing.T) {
	broken := errors.New("broken")
	var begun atomic.Int64
	err := each(context.Background(), 10_000, func(int) {}, func(ctx context.Context, i int) error {
		if begun.Add(1); i == 20 {
			return broken
		}
		if i > 20 {
			<-ctx.Done()
		}
		return nil
	})
	if !errors.Is(err, broken) || begun.Load() > 21+sessionsMax {
		t.Errorf("%v after %d", err, begun.Load())
	}
}

func TestEachHeedsTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err := each(ctx, 5, func(int) {}, func(context.Context, int) error {
		t.Error("begun in spite of the context")
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("each = %v", err)
	}
}

// Only what is not applied is asked for a second time, and only what is not applied both times stays so.
func TestSecondAsking(t *testing.T) {
	applied := moneycheck.Posting{ReqID: 1, Op: mix.Deposit, Amount: 1}
	not := moneycheck.Posting{ReqID: 2, Op: mix.Deposit, Amount: 1}
	lost := moneycheck.Posting{ReqID: 3, User: 1, Op: mix.Deposit, Amount: 1}
	first := map[moneycheck.Posting]moneycheck.Outcome{
		applied: moneycheck.Applied, not: moneycheck.NotApplied, lost: moneycheck.Undecided,
	}
	left := open(byUser(2, []moneycheck.Posting{applied, not, lost}), first)
	if len(left[0]) != 1 || left[0][0] != not || len(left[1]) != 0 {
		t.Errorf("asked again: %v", left)
	}
	for again, want := range map[moneycheck.Outcome]moneycheck.Outcome{
		moneycheck.NotApplied: moneycheck.NotApplied,
		moneycheck.Applied:    moneycheck.Undecided,
		moneycheck.Undecided:  moneycheck.Undecided,
	} {
		if got := confirm(again); got != want {
			t.Errorf("confirm(%v) = %v, want %v", again, got, want)
		}
	}
}
