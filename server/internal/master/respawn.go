package master

import "time"

// respawn is the memory that a slot has of its crashes.
type respawn struct {
	failures int // in a row, none of them after a stable run
}

// after notes that a process of the slot ended unasked after it ran for that long, and returns the pause before the next
// one: none the first time, then respawnFirst, doubling up to respawnMost.
func (r *respawn) after(ran time.Duration) time.Duration {
	if ran >= stableAfter {
		r.failures = 0
	}
	r.failures++
	if r.failures == 1 {
		return 0
	}
	pause := respawnFirst
	for i := 2; i < r.failures && pause < respawnMost; i++ {
		pause *= 2
	}
	return min(pause, respawnMost)
}
