package libnet

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

func TestBackoffWindowDoublesUpToTheCap(t *testing.T) {
	for _, c := range []struct {
		base, limit time.Duration
		want        []time.Duration
	}{
		{10, 100, []time.Duration{10, 20, 40, 80, 100, 100}},
		{100, 10, []time.Duration{10, 10}},
		{1, 1, []time.Duration{1, 1}},
		{1, 3, []time.Duration{1, 2, 3, 3}},
		{1 << 61, 1<<63 - 1, []time.Duration{1 << 61, 1 << 62, 1<<63 - 1, 1<<63 - 1}},
		{0, 0, []time.Duration{BackoffBase, 2 * BackoffBase, 4 * BackoffBase}},
	} {
		b := Backoff{Base: c.base, Cap: c.limit}
		for i, want := range c.want {
			if got := b.nextWindow(); got != want {
				t.Errorf("base %d, cap %d: window %d = %d, want %d", c.base, c.limit, i, got, want)
			}
		}
		b.Reset()
		if got := b.nextWindow(); got != c.want[0] {
			t.Errorf("base %d, cap %d: window after Reset = %d, want %d", c.base, c.limit, got, c.want[0])
		}
	}
}

func TestBackoffIsRepeatableAndInsideItsWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		base := time.Duration(rapid.Int64Range(1, int64(time.Hour)).Draw(t, "base"))
		limit := time.Duration(rapid.Int64Range(1, int64(time.Hour)).Draw(t, "cap"))
		source := func() *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }
		one := Backoff{Base: base, Cap: limit, Rand: source()}
		two := Backoff{Base: base, Cap: limit, Rand: source()}
		windows := Backoff{Base: base, Cap: limit}
		for range 20 {
			wait, window := one.Next(), windows.nextWindow()
			if wait < 0 || wait >= window {
				t.Fatalf("wait %v outside [0, %v)", wait, window)
			}
			if again := two.Next(); again != wait {
				t.Fatalf("same seed gave %v and %v", wait, again)
			}
		}
	})
}

func TestBackoffWaitsJustAsLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seeded := func() Backoff { return Backoff{Rand: rand.New(rand.NewPCG(3, 4))} }
		expected, b := seeded(), seeded()
		for range 5 {
			start := time.Now()
			if err := b.Wait(t.Context()); err != nil {
				t.Fatal(err)
			}
			if want := expected.Next(); time.Since(start) != want {
				t.Errorf("waited %v, want %v", time.Since(start), want)
			}
		}
	})
}

func TestBackoffWaitEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b := Backoff{Base: time.Hour, Cap: time.Hour, Rand: rand.New(rand.NewPCG(1, 2))}
	if err := b.Wait(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Wait = %v, want context.Canceled", err)
	}
}
