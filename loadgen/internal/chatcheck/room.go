package chatcheck

import (
	"math/bits"
	"sync"
	"sync/atomic"
)

// Room compares what its members saw. See the package comment for what it keeps.
type Room struct {
	group *Group
	id    uint32 // on the wire
	first int    // the connection in seat 0; seat i has the i-th one after it, counted around
	size  int

	target atomic.Uint64 // the highest room_seq that members who stay must see

	mu      sync.Mutex
	low     uint64   // the oldest block kept
	window  []*block // block n is at n mod len, which is a power of two; nil: nothing published yet
	spare   []*block
	needs   []uint64  // by seat: the oldest block that the member may still publish; notLive for none
	senders []history // by seat
}

// block holds the IDs of blockLen room_seqs. Block n is of the room_seqs n·blockLen+1 … (n+1)·blockLen.
type block struct {
	known uint64 // bit i: ids[i] was published
	ids   [blockLen]ID
}

const notLive = ^uint64(0)

func blockOf(seq uint64) uint64 { return (seq - 1) / blockLen }
func bitOf(seq uint64) uint64   { return 1 << ((seq - 1) % blockLen) }

func newRoom(g *Group, id uint32, first, size int) *Room {
	r := &Room{group: g, id: id, first: first, size: size, needs: make([]uint64, size), senders: make([]history, size)}
	for seat := range r.needs {
		r.needs[seat] = notLive
	}
	return r
}

// seatOf is the seat of a connection, if it is in the room.
func (r *Room) seatOf(conn uint32) (seat int, ok bool) {
	seat = int(conn) - r.first
	if seat < 0 {
		seat += len(r.group.owners)
	}
	return seat, seat >= 0 && seat < r.size
}

// ID is the room's id on the wire.
func (r *Room) ID() uint32 { return r.id }

// raise makes seq part of what all members must see.
func (r *Room) raise(seq uint64) {
	for {
		target := r.target.Load()
		if seq <= target || r.target.CompareAndSwap(target, seq) {
			return
		}
	}
}

// enter holds the window for a member that is about to join, so that nothing after its first room_seq can be gone
// before its first delivery.
func (r *Room) enter(seat int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.needs[seat] = r.low
}

// leave lets go of the window.
func (r *Room) leave(seat int) { r.advance(seat, notLive) }

// advance says that the member in seat will publish nothing below a block any more.
func (r *Room) advance(seat int, need uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := r.needs[seat]
	r.needs[seat] = need
	if before <= r.low {
		r.retire(r.oldestNeed())
	}
}

// oldestNeed is where the slowest live member is; low without any, so that the window stays for who comes next.
func (r *Room) oldestNeed() uint64 {
	oldest := notLive
	for _, need := range r.needs {
		oldest = min(oldest, need)
	}
	if oldest == notLive {
		return r.low
	}
	return oldest
}

// retire gives up the blocks below low.
func (r *Room) retire(low uint64) {
	for n := r.low; n < low && n < r.low+uint64(len(r.window)); n++ {
		slot := r.slot(n)
		if *slot != nil {
			(*slot).known = 0
			r.spare = append(r.spare, *slot)
			*slot = nil
		}
	}
	r.low = max(r.low, low)
}

func (r *Room) slot(n uint64) **block { return &r.window[n&uint64(len(r.window)-1)] }

// publish compares what somebody saw in one block, as far as seen.known says, with what is known, and adds to it.
func (r *Room) publish(n uint64, seen *block) {
	if seen.known == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if n < r.low {
		r.group.Faults.reportMany(Unchecked, uint64(bits.OnesCount64(seen.known)),
			"room %d: from room_seq %d on: the member is more than %d messages behind the others",
			r.id, n*blockLen+1, blocksMax*blockLen)
		return
	}
	known := r.at(n)
	for left := seen.known; left != 0; left &= left - 1 {
		i := bits.TrailingZeros64(left)
		r.settle(known, n*blockLen+1+uint64(i), i, seen.ids[i])
	}
}

// publishOne is publish for a single room_seq.
func (r *Room) publishOne(seq uint64, id ID) {
	var one block
	one.known = bitOf(seq)
	one.ids[(seq-1)%blockLen] = id
	r.publish(blockOf(seq), &one)
}

// settle takes one sight of a room_seq.
func (r *Room) settle(known *block, seq uint64, i int, id ID) {
	if known.known>>i&1 == 0 {
		known.known |= 1 << i
		known.ids[i] = id
		r.attribute(seq, id)
		return
	}
	if known.ids[i] != id {
		r.group.Faults.report(Disagreement, "room %d, room_seq %d: one saw %v, another %v", r.id, seq, known.ids[i], id)
	}
}

// attribute marks a message, at its first sight, as its sender's: each may have one room_seq only.
func (r *Room) attribute(seq uint64, id ID) {
	if id.Foreign() {
		return
	}
	seat, ok := r.seatOf(id.Conn())
	if !ok {
		r.group.Faults.report(NotSent, "room %d, room_seq %d: %v, whose sender is not in the room", r.id, seq, id)
		return
	}
	switch r.senders[seat].mark(id.Serial()) {
	case markedBefore:
		r.group.Faults.report(Repeated, "room %d, room_seq %d: %v had a room_seq before", r.id, seq, id)
	case tooOld:
		r.group.Faults.report(Unchecked, "room %d, room_seq %d: %v comes more than %d messages late", r.id, seq, id, historyBits)
	}
}

// at is block n, which is not below low. The window grows, and then moves on, to hold it.
func (r *Room) at(n uint64) *block {
	if n-r.low >= blocksMax {
		r.retire(n - blocksMax + 1)
	}
	if n-r.low >= uint64(len(r.window)) {
		r.grow(n - r.low + 1)
	}
	slot := r.slot(n)
	if *slot == nil {
		*slot = r.fresh()
	}
	return *slot
}

func (r *Room) fresh() *block {
	if last := len(r.spare) - 1; last >= 0 {
		b := r.spare[last]
		r.spare = r.spare[:last]
		return b
	}
	return new(block)
}

// grow makes room for count blocks, which is at most blocksMax.
func (r *Room) grow(count uint64) {
	old := r.window
	r.window = make([]*block, max(4, 1<<bits.Len64(count-1)))
	for i := range uint64(len(old)) {
		n := r.low + i
		*r.slot(n) = old[n&uint64(len(old)-1)]
	}
}
