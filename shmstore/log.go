package shmstore

import (
	"fmt"
	"sync/atomic"
	"time"

	"tradechat.internal/ledger"
)

var (
	errLogFull     = fmt.Errorf("the log's ring is full: %w", ErrBusy)
	errSupplyLimit = fmt.Errorf("sum of all balances: %w", ErrBalanceLimit)
)

// openRecord takes the log lock and returns the place of the next record, with seq,
// time and supply set; the caller fills in the rest and commits it. deposited and
// withdrawn are what the record adds to and takes from the supply. The caller holds
// the locks of all rows that the record will name.
//
// Killed before commit raises head, nothing happened: the place beyond head is garbage
// that the next record overwrites. Killed after, RepairSlot finds the pending seq and
// applies the record.
func (st *Store) openRecord(deposited, withdrawn uint64) (*ledger.Record, error) {
	c := st.seg.control
	if err := st.acquire(placeLog, lockLog, &c.logLock); err != nil {
		return nil, err
	}
	seq := c.head.Load() + 1
	if err := st.checkPlace(seq, deposited); err != nil {
		st.release(placeLog, &c.logLock)
		return nil, err
	}
	rec := st.seg.recordSlot(seq)
	st.beginRecord(rec, seq, c.supply+deposited-withdrawn)
	return rec, nil
}

// beginRecord fills in what every record has. The caller holds the log lock.
func (st *Store) beginRecord(rec *ledger.Record, seq, supplyAfter uint64) {
	rec.Seq = seq
	rec.TimeNs = st.date(st.seg.control.timeNs)
	rec.SupplyAfter = supplyAfter
	rec.Slot = uint8(st.index)
}

// date is the time of the record after one of time last. The processes' clocks differ by moments, which is no reason for a time that goes
// back; a wall clock that was set back is, and is counted. A process that stood still in the middle of a turn has an old time only: it looks
// at the clock again first.
func (st *Store) date(last uint64) uint64 {
	if wentBack(last, st.nowNs) {
		st.nowNs = st.wall()
	}
	if wentBack(last, st.nowNs) {
		st.metrics.Add(CounterClockSetBack, 1)
		return st.nowNs
	}
	return max(st.nowNs, last)
}

func wentBack(last, now uint64) bool { return now < last && last-now > uint64(ledger.ClockSlack) }

// checkPlace tells whether records can still be kept, and whether record seq has a place in the ring and its
// deposit one in the supply.
func (st *Store) checkPlace(seq, deposited uint64) error {
	if st.seg.ReadOnly() {
		return ErrReadOnly
	}
	if !st.seg.mayOverwrite(seq) {
		st.metrics.Add(CounterLogFull, 1)
		return errLogFull
	}
	if deposited > AmountMax-st.seg.control.supply {
		return errSupplyLimit
	}
	return nil
}

// commit makes an opened record part of history, releases the log lock and applies
// the record. Until that is done the pending seq keeps the record from being overwritten.
func (st *Store) commit(rec *ledger.Record) {
	st.commitUpTo(rec, rec)
}

// commitUpTo is commit for records that follow one another, first … last: the head passes all of them in one store, so that
// nobody ever sees some without the others.
func (st *Store) commitUpTo(first, last *ledger.Record) {
	c := st.seg.control
	st.slot.pendingSeq = first.Seq
	c.head.Store(last.Seq)
	c.supply, c.timeNs = last.SupplyAfter, last.TimeNs
	st.release(placeLog, &c.logLock)
	st.seg.apply(first)
	if last != first {
		st.seg.apply(last)
	}
	st.slot.pendingSeq = 0
}

// deriveHead sets what is derived from the head record, for a holder of the log lock
// that died before it had.
func (seg *Segment) deriveHead() {
	last := seg.recordSlot(seg.control.head.Load())
	seg.control.supply, seg.control.timeNs = last.SupplyAfter, last.TimeNs
}

// commitName writes a whole record of one of the kinds that name a user or a room.
func (st *Store) commitName(kind ledger.Kind, subject uint32, name ledger.Name, keys ledger.Keys) error {
	rec, err := st.openRecord(0, 0)
	if err != nil {
		return err
	}
	named := rec.AsName()
	named.Kind, named.Subject, named.Leg = kind, subject, 0
	named.Name, named.Keys = name, keys
	st.commit(rec)
	return nil
}

// recordSlot is where record seq lies, or will lie. For seq 0 of a new log it is a
// record of zeros.
func (seg *Segment) recordSlot(seq uint64) *ledger.Record {
	return &seg.log[seq&uint64(seg.shape.LogRecords-1)]
}

// mayOverwrite tells whether record seq may become the head: the places of the next recordsPerCommitMax records count as
// garbage then, so what they held is to be durable and applied. The caller holds the log lock.
func (seg *Segment) mayOverwrite(seq uint64) bool {
	next, capacity := seq+recordsPerCommitMax, uint64(seg.shape.LogRecords)
	if next < capacity || next-capacity <= seg.control.floor {
		return true
	}
	seg.control.floor = min(seg.appliedFloor(), seg.Durable())
	return next-capacity <= seg.control.floor
}

// appliedFloor is the highest seq up to which all records are applied. The caller
// holds the log lock, so no pending seq can appear meanwhile.
func (seg *Segment) appliedFloor() uint64 {
	floor := seg.control.head.Load()
	for i := range seg.slots {
		if pending := atomic.LoadUint64(&seg.slots[i].pendingSeq); pending != 0 {
			floor = min(floor, pending-1)
		}
	}
	return floor
}

// loadRecord copies record seq. It is false when seq is not committed or may have
// been overwritten, also during the copy.
func (seg *Segment) loadRecord(seq uint64, rec *ledger.Record) bool {
	if seq == 0 || seq > seg.control.head.Load() || seq < seg.control.logFirst {
		return false
	}
	*rec = *seg.recordSlot(seq)
	return seq+uint64(seg.shape.LogRecords) > seg.control.head.Load()+recordsPerCommitMax
}

// apply sets the rows that rec names, where they are older than rec.
func (seg *Segment) apply(rec *ledger.Record) {
	switch rec.Kind {
	case ledger.KindDeposit, ledger.KindWithdraw, ledger.KindTransfer:
		seg.applyPosting(rec)
	case ledger.KindUserCreate, ledger.KindUserKeys:
		seg.applyUser(rec.AsName())
	case ledger.KindRoomCreate:
		seg.applyRoom(rec.AsName())
	}
}

// NewestTime is when the newest record says that it was written; zero if there is none.
func (seg *Segment) NewestTime() time.Time {
	var newest ledger.Record
	if !seg.loadRecord(seg.Head(), &newest) {
		return time.Time{}
	}
	return time.Unix(0, int64(newest.TimeNs))
}

// Head is the seq of the newest record.
func (seg *Segment) Head() uint64 { return seg.control.head.Load() }
