package chatcheck

import (
	"testing"

	"pgregory.net/rapid"
)

// history agrees with a set of all serials, as far back as it reaches.
func TestHistoryAgreesWithSet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var h history
		seen := map[uint64]bool{}
		newest := uint64(0)
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			serial := max(1, newest+64) - rapid.Uint64Range(0, 64+min(newest, 2*historyBits)).Draw(t, "back")
			if rapid.IntRange(0, 20).Draw(t, "leap") == 0 {
				serial = newest + rapid.Uint64Range(1, 3*historyBits).Draw(t, "ahead")
			}
			if serial == 0 {
				continue
			}
			want := markedNow
			switch {
			case serial+historyBits <= newest:
				want = tooOld
			case seen[serial]:
				want = markedBefore
			}
			if got := h.mark(serial); got != want {
				t.Fatalf("mark(%d) with newest %d = %d, want %d", serial, newest, got, want)
			}
			if want == markedNow {
				seen[serial] = true
			}
			newest = max(newest, serial)
		}
	})
}
