package shmstore

import (
	"math/bits"
	"sync/atomic"
)

// Delivery: a writer sets the room's bit in the dirty bitmap of every slot that has
// members there, and wakes the slot if it is armed. The slot arms itself anew before
// it looks at the bitmap, so that no event falls between looking and sleeping. The
// sender's own slot is served the same way.

// announceRoom tells every slot with members in the room. The caller still announces
// the room's lock: if it dies on the way, RepairSlot tells them.
func (st *Store) announceRoom(room uint32) {
	row := &st.seg.rooms[room]
	for i := range st.seg.slots {
		if row.bySlot[i].Load() != 0 {
			atomic.OrUint64(&st.seg.dirtyWords(i)[room/64], 1<<(room%64))
			st.wakeSlot(i)
		}
	}
}

// wakeSlot makes slot i's event loop turn if nobody else has since it last looked.
func (st *Store) wakeSlot(i int) {
	armed := &st.seg.slots[i].armed
	if armed.Load() == 1 && armed.CompareAndSwap(1, 0) {
		st.wake(i)
	}
}

func (seg *Segment) dirtyWords(slot int) []uint64 {
	n := seg.shape.dirtyWords()
	return seg.dirty[uint64(slot)*n : (uint64(slot)+1)*n]
}

// TakeDirty arms this slot and appends the rooms that it has to drain to dst; mail
// tells whether its mailbox is one of them. Call it when the slot was woken.
func (st *Store) TakeDirty(dst []uint32) (rooms []uint32, mail bool) {
	st.slot.armed.Store(1)
	words := st.seg.dirtyWords(st.index)
	for w := range words {
		if atomic.LoadUint64(&words[w]) == 0 {
			continue
		}
		for word := atomic.SwapUint64(&words[w], 0); word != 0; word &= word - 1 {
			dst = append(dst, uint32(w*64+bits.TrailingZeros64(word)))
		}
	}
	return dst, st.slot.mailDirty.Swap(0) == 1
}

// DrainRoom visits every event of a room that this slot has not visited yet. Where
// messages were overwritten before it came, it visits an EventGap in their place.
func (st *Store) DrainRoom(room uint32, visit func(Event)) {
	if !st.seg.roomExists(room) {
		return
	}
	r, c := st.seg.roomRing(room), st.seg.cursor(st.index, room)
	for {
		end := r.state()
		seq := c.seq.Load()
		reached := st.scan(r, max(c.pos.Load(), r.head.firstPos.Load()), end.tail, func(e Event) {
			if before := e.seqBefore(); before > seq {
				visit(Event{Kind: EventGap, Pos: e.Pos, First: seq + 1, Seq: before})
			}
			visit(e)
			seq = e.Seq
		})
		c.seq.Store(seq)
		c.pos.Store(reached)
		if reached >= end.tail {
			return
		}
	}
}

// seqBefore is the room_seq of the latest message before e.
func (e *Event) seqBefore() uint64 {
	if e.Kind == EventMessage {
		return e.Seq - 1
	}
	return e.Seq
}

// moveCursor makes this slot's next drain of the room start at state.
func (st *Store) moveCursor(room uint32, state ringState) {
	c := st.seg.cursor(st.index, room)
	c.seq.Store(state.lastSeq)
	c.pos.Store(state.tail)
}
