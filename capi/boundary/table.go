package boundary

import "sync"

// A Tag tells the handles of one kind from those of another, which C may confuse.
type Tag uintptr

// Tags are odd, as no pointer to an object is: a pointer that is passed for a handle is found out.
const (
	TagDecoder Tag = 0x5
	TagLog     Tag = 0x9
)

const tagBits = 4

// Table gives out handles: numbers that stand for a *T. A number is never given out twice, so that a handle that was
// freed stays unknown. Safe for concurrent use.
type Table[T any] struct {
	Tag  Tag
	Most int // handles at a time

	mu   sync.RWMutex
	last uintptr
	rows map[uintptr]*T
}

// Put makes a handle for v; Limit when there are Most.
func (t *Table[T]) Put(v *T) (handle uintptr, result int32) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.rows) >= t.Most {
		return 0, Limit
	}
	if t.rows == nil {
		t.rows = make(map[uintptr]*T)
	}
	t.last++
	handle = t.last<<tagBits | uintptr(t.Tag)
	t.rows[handle] = v
	return handle, OK
}

// Get is what a handle stands for; nil if it is unknown.
func (t *Table[T]) Get(handle uintptr) *T {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.rows[handle]
}

// Take is Get, and forgets the handle.
func (t *Table[T]) Take(handle uintptr) *T {
	t.mu.Lock()
	defer t.mu.Unlock()
	v := t.rows[handle]
	delete(t.rows, handle)
	return v
}
