package chatcheck

// history remembers which of one sender's latest serials had a room_seq: a ring of bits, one a serial, from
// newest-historyBits+1 to newest.
type history struct {
	newest uint64
	seen   [historyBits / 64]uint64
}

type marking uint8

const (
	markedNow marking = iota
	markedBefore
	tooOld
)

// mark sets a serial's bit and says whether it was set before.
func (h *history) mark(serial uint64) marking {
	if serial > h.newest {
		h.moveTo(serial)
	} else if h.newest-serial >= historyBits {
		return tooOld
	}
	word, bit := &h.seen[serial%historyBits/64], uint64(1)<<(serial%64)
	if *word&bit != 0 {
		return markedBefore
	}
	*word |= bit
	return markedNow
}

// moveTo makes serial the newest one and forgets what falls out of the ring.
func (h *history) moveTo(serial uint64) {
	if serial-h.newest >= historyBits {
		h.seen = [historyBits / 64]uint64{}
	} else {
		for s := h.newest + 1; s <= serial; s++ {
			h.seen[s%historyBits/64] &^= 1 << (s % 64)
		}
	}
	h.newest = serial
}
