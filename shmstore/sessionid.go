package shmstore

import (
	"fmt"
	"math/bits"
)

// A session id names one session for ever. It is built of numbers of which each is given out once:
//
//	 63        44 43 42      12 11      0
//	┌────────────┬──┬──────────┬─────────┐
//	│ epoch      │0 │ head     │ serial  │   the usual form
//	├────────────┼──┼──────────┴─────────┤
//	│ epoch      │1 │ serial             │   when all serials of a head are used up
//	└────────────┴──┴────────────────────┘
//
// The epoch is that of the segment: a number that the data folder gives to one segment only, and that is on disk before it is
// used (BeginSessions). Within a segment head and serial are one counter that only grows, in shared memory: a worker that
// dies takes a number along, no two get the same.
//
// The head is the log's durable head when the session began, rounded down: no posting of the session is older
// (sessionStart). It is a floating-point number of 5 bits of exponent and 26 of mantissa.
//
// An id is no secret: only its user can resume the session or ask about it.
const (
	sessionSerialBits   = 12
	sessionMantissaBits = 26
	sessionExponentBits = 5
	sessionPlainBits    = sessionSerialBits + sessionMantissaBits + sessionExponentBits

	sessionPlainFlag  = uint64(1) << sessionPlainBits
	sessionEpochShift = sessionPlainBits + 1
)

// SessionEpochMax is the highest epoch that a session id has room for.
const SessionEpochMax = 1<<(64-sessionEpochShift) - 1

// BeginSessions gives a new segment its epoch, before its first session. No other segment may ever have had it.
func (seg *Segment) BeginSessions(epoch uint64) error {
	if epoch > SessionEpochMax {
		return fmt.Errorf("%w: session epoch %d, the highest is %d", ErrShape, epoch, uint64(SessionEpochMax))
	}
	seg.control.sessionEpoch = epoch
	return nil
}

// nextSessionID is an id that no session has had. Errors: ErrTableFull after 2^43 sessions at one head.
func (seg *Segment) nextSessionID() (uint64, error) {
	c := seg.control
	epoch := c.sessionEpoch << sessionEpochShift
	for {
		head := headCode(seg.Durable())
		last := c.sessionSerial.Load()
		next := max(last+1, head<<sessionSerialBits)
		if next>>sessionSerialBits > head {
			break // a head of the future would hide the session's own postings
		}
		if c.sessionSerial.CompareAndSwap(last, next) {
			return epoch | next, nil
		}
	}
	serial := c.sessionPlain.Add(1)
	if serial >= sessionPlainFlag {
		return 0, fmt.Errorf("%w: session ids of this segment", ErrTableFull)
	}
	return epoch | sessionPlainFlag | serial, nil
}

// sessionStart is a head at or before which a session began: no posting of it is older.
func (seg *Segment) sessionStart(id uint64) uint64 {
	switch {
	case id&sessionPlainFlag == 0:
		return headOf(id & (sessionPlainFlag - 1) >> sessionSerialBits)
	case sessionEpoch(id) == seg.control.sessionEpoch:
		return seg.control.bootHead
	}
	return 0
}

// sessionEpoch is the epoch of the segment in which a session began.
func sessionEpoch(id uint64) uint64 { return id >> sessionEpochShift }

// headCode rounds a head down to what a session id holds. A higher head never has a lower code.
func headCode(head uint64) uint64 {
	shift := bits.Len64(head) - sessionMantissaBits - 1
	if shift < 0 {
		return head
	}
	if shift >= 1<<sessionExponentBits-1 {
		return 1<<(sessionMantissaBits+sessionExponentBits) - 1
	}
	return uint64(shift+1)<<sessionMantissaBits | head>>shift&(1<<sessionMantissaBits-1)
}

// headOf is the lowest head that has a code.
func headOf(code uint64) uint64 {
	exponent, mantissa := code>>sessionMantissaBits, code&(1<<sessionMantissaBits-1)
	if exponent == 0 {
		return mantissa
	}
	return (1<<sessionMantissaBits | mantissa) << (exponent - 1)
}
