package driver

import (
	"tradechat.internal/libproto"

	"tradechat.internal/loadgen/internal/chatcheck"
	"tradechat.internal/loadgen/internal/mix"
)

// kind is what a call is for: a request of the load, which has the number of its mix.Op, or one around it.
type kind uint8

const (
	hello kind = mix.OpCount + iota
	login
	join       // before the load
	mark       // JOIN_ROOM after it
	history    // to fill a gap
	txnStatus  // of a doubt
	txnWitness // of the doubt's witness
	logout

	kindCount = iota + mix.OpCount
)

var opcodes = [kindCount]libproto.Opcode{
	hello:      libproto.OpHello,
	login:      libproto.OpLogin,
	join:       libproto.OpJoinRoom,
	mark:       libproto.OpJoinRoom,
	history:    libproto.OpRoomHistory,
	txnStatus:  libproto.OpTxnStatus,
	txnWitness: libproto.OpTxnStatus,
	logout:     libproto.OpLogout,
}

// isLoad reports whether the request is part of the load.
func (k kind) isLoad() bool { return k < mix.OpCount }

func (k kind) opcode() libproto.Opcode {
	if k.isLoad() {
		return mix.Op(k).Opcode()
	}
	return opcodes[k]
}

// call is a request without an answer.
type call struct {
	id      uint64 // req_id; 0: the slot is free
	kind    kind
	expired bool
	index   int16        // CHAT_SEND, JOIN_ROOM, ROOM_HISTORY: of the membership; TXN_STATUS: of the doubt
	peer    uint32       // TRANSFER: index of the user
	amount  uint64       // DEPOSIT, WITHDRAW, TRANSFER: minor units
	message chatcheck.ID // CHAT_SEND
	sentNs  int64        // HEARTBEAT's client_time, too
	dueNs   int64        // when it was to be sent: in a closed loop, when it was

	// Neighbours in the list of calls that are not expired, by age: slots, or noSlot.
	older, newer int16
}

const noSlot = -1

// callTable holds a connection's calls. A req_id is a count that only goes up, then the slot:
//
//	63 …………………… 12 │ 11 … 0
//	count          │ slot
type callTable struct {
	slots   []call
	free    []int16
	count   uint64
	oldest  int16
	newest  int16
	expired int
	load    int // calls of the load that are not expired
	live    int // all calls that are not expired
}

func newCallTable(pipeline int) callTable {
	return callTable{slots: make([]call, 0, pipeline+2), oldest: noSlot, newest: noSlot}
}

// start makes a call. The pointer is valid until the next start; nil means that the table is full.
func (t *callTable) start(k kind, nowNs int64) *call {
	slot, ok := t.takeSlot()
	if !ok {
		return nil
	}
	t.count++
	c := &t.slots[slot]
	*c = call{id: t.count<<slotBits | uint64(slot), kind: k, sentNs: nowNs, dueNs: nowNs, older: t.newest, newer: noSlot}
	if t.newest == noSlot {
		t.oldest = slot
	} else {
		t.slots[t.newest].newer = slot
	}
	t.newest = slot
	t.live++
	if k.isLoad() {
		t.load++
	}
	return c
}

func (t *callTable) takeSlot() (slot int16, ok bool) {
	if last := len(t.free) - 1; last >= 0 {
		slot = t.free[last]
		t.free = t.free[:last]
		return slot, true
	}
	if len(t.slots) == slotsMax {
		return 0, false
	}
	t.slots = append(t.slots, call{})
	return int16(len(t.slots) - 1), true
}

// find is the call with that req_id; nil if there is none. The pointer is valid until the next start.
func (t *callTable) find(id uint64) *call {
	slot := id & (slotsMax - 1)
	if id == 0 || slot >= uint64(len(t.slots)) || t.slots[slot].id != id {
		return nil
	}
	return &t.slots[slot]
}

// finish frees the call's slot.
func (t *callTable) finish(c *call) {
	if c.expired {
		t.expired--
	} else {
		t.unlink(c)
	}
	t.free = append(t.free, c.slot())
	c.id = 0
}

// expire takes the call out of the count of those in flight; it stays until it is finished.
func (t *callTable) expire(c *call) {
	t.unlink(c)
	c.expired = true
	t.expired++
}

// first is the oldest call that is not expired, nil if there is none.
func (t *callTable) first() *call {
	if t.oldest == noSlot {
		return nil
	}
	return &t.slots[t.oldest]
}

// clear calls end for every call and frees all slots.
func (t *callTable) clear(end func(*call)) {
	for i := range t.slots {
		if t.slots[i].id != 0 {
			end(&t.slots[i])
		}
	}
	t.slots, t.free = t.slots[:0], t.free[:0]
	t.oldest, t.newest = noSlot, noSlot
	t.expired, t.load, t.live = 0, 0, 0
}

func (c *call) slot() int16 { return int16(c.id & (slotsMax - 1)) }

func (t *callTable) unlink(c *call) {
	if c.older == noSlot {
		t.oldest = c.newer
	} else {
		t.slots[c.older].newer = c.newer
	}
	if c.newer == noSlot {
		t.newest = c.older
	} else {
		t.slots[c.newer].older = c.older
	}
	t.live--
	if c.kind.isLoad() {
		t.load--
	}
}
