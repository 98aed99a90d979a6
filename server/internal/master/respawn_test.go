package master

import (
	"slices"
	"testing"
	"time"
)

func TestRespawnPauses(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		name string
		ran  []time.Duration
		want []time.Duration
	}{
		{"a crash loop backs off", slices.Repeat([]time.Duration{ms}, 9),
			[]time.Duration{0, 100 * ms, 200 * ms, 400 * ms, 800 * ms, 1600 * ms, 3200 * ms, respawnMost, respawnMost}},
		{"single crashes are replaced at once", []time.Duration{stableAfter, time.Hour, stableAfter}, []time.Duration{0, 0, 0}},
		{"a stable run resets", []time.Duration{ms, ms, ms, stableAfter, ms}, []time.Duration{0, 100 * ms, 200 * ms, 0, 100 * ms}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var r respawn
			for i, ran := range c.ran {
				if got := r.after(ran); got != c.want[i] {
					t.Errorf("crash %d after %v: pause %v, want %v", i+1, ran, got, c.want[i])
				}
			}
		})
	}
}

func TestRespawnPauseNeverOverflows(t *testing.T) {
	r := respawn{failures: 1 << 40}
	if got := r.after(0); got != respawnMost {
		t.Fatalf("pause %v, want %v", got, respawnMost)
	}
}
