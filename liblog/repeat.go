package liblog

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// RepeatLimit bounds how often Limited writes events of one key: Events in each Window. Zeros mean RepeatEvents and
// RepeatWindow.
type RepeatLimit struct {
	Events int
	Window time.Duration
}

// overflowKey is the shared entry of all keys beyond RepeatKeysMax.
const overflowKey = "other"

// repeats is the table of keys. The lock is held for a look-up only, never while a line is written.
type repeats struct {
	limit RepeatLimit
	now   func() time.Time

	mu   sync.Mutex
	keys map[string]*repeat
}

// repeat is the state of one key in its present window.
type repeat struct {
	since      time.Time // start of the window
	level      Level     // of the last event
	written    int
	suppressed uint64
}

// repeatCount is what is to be told of one key.
type repeatCount struct {
	key        string
	level      Level
	suppressed uint64
}

func newRepeats(limit RepeatLimit) *repeats {
	if limit.Events <= 0 {
		limit.Events = RepeatEvents
	}
	if limit.Window <= 0 {
		limit.Window = RepeatWindow
	}
	return &repeats{limit: limit, now: time.Now, keys: make(map[string]*repeat)}
}

// admit says whether an event may be written now and, if so, how many were suppressed since the last one.
func (r *repeats) admit(key string, level Level) (suppressed uint64, ok bool) {
	now := r.now()
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.entry(key, now)
	if r.over(e, now) {
		suppressed = e.suppressed
		*e = repeat{since: now}
	}
	e.level = level
	if e.written >= r.limit.Events {
		e.suppressed++
		return 0, false
	}
	e.written++
	return suppressed, true
}

// take collects and clears the counts of all keys, or of those whose window is over. Sorted by key.
func (r *repeats) take(all bool) []repeatCount {
	now := r.now()
	r.mu.Lock()
	defer r.mu.Unlock()
	var counts []repeatCount
	for key, e := range r.keys {
		if e.suppressed > 0 && (all || r.over(e, now)) {
			counts = append(counts, repeatCount{key, e.level, e.suppressed})
			e.suppressed = 0
		}
	}
	slices.SortFunc(counts, func(a, b repeatCount) int { return cmp.Compare(a.key, b.key) })
	return counts
}

func (r *repeats) over(e *repeat, now time.Time) bool {
	return now.Sub(e.since) >= r.limit.Window
}

func (r *repeats) entry(key string, now time.Time) *repeat {
	if e := r.keys[key]; e != nil {
		return e
	}
	if len(r.keys) >= RepeatKeysMax {
		key = overflowKey
		if e := r.keys[key]; e != nil {
			return e
		}
	}
	e := &repeat{since: now}
	r.keys[key] = e
	return e
}
