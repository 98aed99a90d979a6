package libnet

import (
	"testing"
	"time"
)

func armed(t *testing.T, first, interval time.Duration) TimerFD {
	t.Helper()
	timer := must(NewTimerFD())(t)
	t.Cleanup(func() { _ = timer.Close() })
	if err := timer.Arm(first, interval); err != nil {
		t.Fatal(err)
	}
	return timer
}

func TestTimerFDExpiresOnce(t *testing.T) {
	const first = 20 * time.Millisecond
	start := time.Now()
	timer := armed(t, first, 0)
	if !readable(t, int(timer), ioLimit) || time.Since(start) < first {
		t.Fatalf("expired after %v, want %v or a little more", time.Since(start), first)
	}
	if n, err := timer.Drain(); n != 1 || err != nil {
		t.Errorf("Drain = %d, %v; want 1, nil", n, err)
	}
	if n, err := timer.Drain(); n != 0 || err != nil {
		t.Errorf("second Drain = %d, %v; want 0, nil", n, err)
	}
}

func TestTimerFDRepeats(t *testing.T) {
	timer := armed(t, time.Millisecond, time.Millisecond)
	total := uint64(0)
	for total < 3 {
		if !readable(t, int(timer), ioLimit) {
			t.Fatalf("stopped after %d expirations", total)
		}
		total += must(timer.Drain())(t)
	}
}

func TestTimerFDArmedInThePastExpiresAtOnce(t *testing.T) {
	for _, first := range []time.Duration{0, -time.Hour} {
		if timer := armed(t, first, 0); !readable(t, int(timer), ioLimit) {
			t.Errorf("Arm(%v) never expired", first)
		}
	}
}

func TestTimerFDDisarmForgets(t *testing.T) {
	timer := armed(t, 0, 0)
	if !readable(t, int(timer), ioLimit) {
		t.Fatal("never expired")
	}
	if err := timer.Disarm(); err != nil {
		t.Fatal(err)
	}
	if n, err := timer.Drain(); n != 0 || err != nil {
		t.Errorf("Drain after Disarm = %d, %v; want 0, nil", n, err)
	}
}

func TestTimerFDDoesNotAllocate(t *testing.T) {
	timer := armed(t, time.Hour, 0)
	wantNoAllocs(t, func() {
		_ = timer.Arm(time.Hour, 0)
		_, _ = timer.Drain()
	})
}
