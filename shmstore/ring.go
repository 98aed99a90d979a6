package shmstore

import "sync/atomic"

// ring is a byte ring of entries, with any number of writers under a lock and any
// number of readers without one.
//
//	positions   0 ──────────── firstPos ═════════════════════ tail
//	                           oldest entry      newest entry ┘
//	bytes       position modulo the ring's length; an entry never wraps: a filler
//	            takes up what is too short at the end
//
// A writer raises firstPos over what it will overwrite, writes, and then publishes
// the new tail. A reader copies an entry and then looks at firstPos again.
type ring struct {
	head *ringHead
	data []byte
}

// EventKind says what a ring entry is.
type EventKind uint32

const (
	entryFiller EventKind = iota
	EventMessage
	MailJoined
	MailLeft
	MailDirect
	MailFence
	EventGap // never in a ring: a reader found messages overwritten
	MailRevoked
	mailUser // a direct message for all sessions of a user; DrainMail visits a MailDirect for each
)

// entrySize is the length in the ring of an entry with n bytes.
func entrySize(n int) uint64 { return (entryBytes + uint64(n) + entryBytes - 1) &^ (entryBytes - 1) }

// state is the published state. A writer that publishes twice meanwhile makes it
// look again.
func (r ring) state() ringState {
	for {
		version := r.head.version.Load()
		state := &r.head.state[version&1]
		s := ringState{
			tail:    atomic.LoadUint64(&state.tail),
			lastSeq: atomic.LoadUint64(&state.lastSeq), lastTimeNs: atomic.LoadUint64(&state.lastTimeNs),
		}
		if r.head.version.Load() == version {
			return s
		}
	}
}

// publish makes s the state. The caller holds the ring's lock.
func (r ring) publish(s ringState) {
	version := r.head.version.Load() + 1
	state := &r.head.state[version&1]
	atomic.StoreUint64(&state.tail, s.tail)
	atomic.StoreUint64(&state.lastSeq, s.lastSeq)
	atomic.StoreUint64(&state.lastTimeNs, s.lastTimeNs)
	r.head.version.Store(version)
}

// offset is where pos lies. It is a multiple of entryBytes even if a damaged pos is not.
func (r ring) offset(pos uint64) uint64 { return pos & uint64(len(r.data)-1) &^ (entryBytes - 1) }

// filler is how many bytes before an entry of size at tail are left unused.
func (r ring) filler(tail, size uint64) uint64 {
	if left := uint64(len(r.data)) - r.offset(tail); size > left {
		return left
	}
	return 0
}

// endOf is the tail after an entry with n bytes would be appended.
func (r ring) endOf(n int) uint64 {
	tail, size := r.state().tail, entrySize(n)
	return tail + r.filler(tail, size) + size
}

// append writes an entry and publishes it; lastSeq becomes the ring's. The caller
// holds the ring's lock, and has seen to it that no reader still needs what is lost.
func (r ring) append(e entryHeader, lastSeq uint64, payload ...[]byte) {
	before, size := r.state(), entrySize(int(e.length))
	tail := before.tail
	filler := r.filler(tail, size)
	r.forget(tail, tail+filler+size)
	if filler != 0 {
		*entryAt(r.data, r.offset(tail)) = entryHeader{kind: entryFiller, length: uint32(filler - entryBytes)}
	}
	at := r.offset(tail + filler)
	*entryAt(r.data, at) = e
	rest := r.data[at+entryBytes : at+size]
	for _, p := range payload {
		rest = rest[copy(rest, p):]
	}
	r.publish(ringState{tail: tail + filler + size, lastSeq: lastSeq, lastTimeNs: max(before.lastTimeNs, e.timeNs)})
}

// forget raises firstPos, entry by entry, until everything up to end fits. A ring whose
// entries do not lead from firstPos to tail is damaged: it loses all of them.
func (r ring) forget(tail, end uint64) {
	first := r.resume(0, tail)
	for first < tail && end-first > uint64(len(r.data)) {
		first += entrySize(int(entryAt(r.data, r.offset(first)).length))
	}
	r.head.firstPos.Store(min(first, tail))
}

// resume is where a reader that had got to pos goes on: at firstPos if it was overtaken,
// and at tail if the ring is damaged, so that no reader walks without end.
func (r ring) resume(pos, tail uint64) uint64 {
	pos = max(pos, r.head.firstPos.Load())
	if pos > tail || tail-pos > uint64(len(r.data)) {
		return tail
	}
	return pos
}

// whole tells whether the entries lead from firstPos to the tail, none beyond the end of
// the bytes. No process is changing the ring.
func (r ring) whole() bool {
	pos, tail := r.head.firstPos.Load(), r.state().tail
	if pos > tail || tail-pos > uint64(len(r.data)) || (pos|tail)%entryBytes != 0 {
		return false
	}
	for pos < tail {
		size := entrySize(int(entryAt(r.data, r.offset(pos)).length))
		if r.offset(pos)+size > uint64(len(r.data)) {
			return false
		}
		pos += size
	}
	return pos == tail
}

// read copies the entry at pos, its bytes into scratch, and returns the next one's
// position. ok is false if the entry was overwritten, also during the copy.
func (r ring) read(pos uint64, scratch []byte) (e entryHeader, payload []byte, next uint64, ok bool) {
	if pos < r.head.firstPos.Load() {
		return e, nil, pos, false
	}
	at := r.offset(pos)
	e = *entryAt(r.data, at)
	if e.kind != entryFiller && int(e.length) <= len(scratch) && at+entryBytes+uint64(e.length) <= uint64(len(r.data)) {
		payload = scratch[:copy(scratch, r.data[at+entryBytes:at+entryBytes+uint64(e.length)])]
	}
	return e, payload, pos + entrySize(int(e.length)), pos >= r.head.firstPos.Load()
}
