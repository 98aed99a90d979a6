package shmstore

import (
	"fmt"
	"sync/atomic"

	"tradechat.internal/ledger"
	"tradechat.internal/libnet"
)

// RepairReport says what RepairSlot found.
type RepairReport struct {
	Slot             int
	AppliedSeq       uint64 // the committed record that was applied; 0: none was pending
	LocksFreed       int
	SessionsDetached int
}

func (r RepairReport) String() string {
	return fmt.Sprintf("slot %d: applied seq %d, %d locks freed, %d sessions detached",
		r.Slot, r.AppliedSeq, r.LocksFreed, r.SessionsDetached)
}

// RepairSlot makes the segment whole after the process of a slot has died. The caller
// is the master and has reaped the process. Each step may be cut short and run again:
//
//  1. apply the slot's committed record, if one is pending: while it is, the locks of
//     its rows are still held, so nothing can have come after it;
//  2. free the announced locks that the slot really owns, once what they protect is
//     whole, and wake their waiters and those who should have been told;
//  3. detach the slot's sessions: they keep their rooms, and wait for being resumed;
//  4. mark the slot free.
//
// ErrBusy: a lock that another process holds was not to be had; call again.
func (st *Store) RepairSlot(slot int) (RepairReport, error) {
	if slot < 0 || slot >= len(st.seg.slots) || slot == st.index {
		return RepairReport{}, fmt.Errorf("%w: repair of slot %d by slot %d", ErrShape, slot, st.index)
	}
	report := RepairReport{Slot: slot}
	st.finishAndFree(&report)
	err := st.endPresence(&report)
	return report, err
}

// Revive makes the segment of a run that was killed whole, and binds slot i, whoever
// had it: the caller is the only process that has the segment open (Open's lock says
// so). It repairs every slot that was not given back; reports tell what it found.
func (seg *Segment) Revive(i int, wake func(slot int)) (st *Store, reports []RepairReport, err error) {
	if st, err = seg.newStore(i, wake); err != nil {
		return nil, nil, err
	}
	for slot := range seg.slots {
		if SlotState(seg.slots[slot].state.Load()) == SlotRunning {
			reports = append(reports, RepairReport{Slot: slot})
			st.finishAndFree(&reports[len(reports)-1])
		}
	}
	st.begin() // from here on this slot takes locks
	for r := range reports {
		if reports[r].Slot == i {
			reports[r].SessionsDetached, err = st.detachSessions(i)
		} else {
			err = st.endPresence(&reports[r])
		}
		if err != nil {
			return nil, reports, err
		}
	}
	return st, reports, nil
}

// finishAndFree is steps 1 and 2 of a repair. It takes no lock.
func (st *Store) finishAndFree(report *RepairReport) {
	row := &st.seg.slots[report.Slot]
	report.AppliedSeq = st.seg.applyPending(report.Slot)
	for place := range row.announced {
		if st.freeAnnounced(report.Slot, row.announced[place]) {
			report.LocksFreed++
		}
		row.announced[place] = lockNone
	}
	// It may have disarmed a slot and not lived to wake it: nobody else would.
	for slot := range st.seg.slots {
		st.wake(slot)
	}
}

// endPresence is steps 3 and 4.
func (st *Store) endPresence(report *RepairReport) (err error) {
	// Its cursors must not hold up those who tell the rooms that its sessions leave.
	st.seg.slots[report.Slot].heartbeatNs.Store(0)
	if report.SessionsDetached, err = st.detachSessions(report.Slot); err != nil {
		return fmt.Errorf("repair of slot %d: %w", report.Slot, err)
	}
	st.seg.dropConnections(report.Slot)
	st.seg.slots[report.Slot].state.Store(uint32(SlotFree))
	return nil
}

// applyPending applies the record that a dead slot committed but may not have applied.
// A pending seq beyond head, or whose record is another slot's, was never committed.
func (seg *Segment) applyPending(slot int) (applied uint64) {
	seq := seg.slots[slot].pendingSeq
	if seq != 0 && seq <= seg.control.head.Load() {
		if rec := seg.recordSlot(seq); rec.Seq == seq && int(rec.Slot) == slot && seg.namesRows(rec) {
			seg.apply(rec)
			applied = seq
		}
	}
	seg.slots[slot].pendingSeq = 0
	return applied
}

// namesRows tells whether the rows that a record names exist; in a damaged segment
// they may not.
func (seg *Segment) namesRows(rec *ledger.Record) bool {
	switch rec.Kind.Info().Body {
	case ledger.BodyPosting:
		return int(rec.Subject) < len(seg.accounts) && int(rec.Peer) < len(seg.accounts) &&
			int(rec.SessionRow) < len(seg.sessions)
	case ledger.BodyUser:
		return int(rec.Subject) < len(seg.users)
	case ledger.BodyRoom:
		return int(rec.Subject) < len(seg.rooms)
	}
	return false
}

// freeAnnounced frees the lock if the dead slot owns it, in its present generation,
// and sees to it that nobody waits for news that the dead slot would have sent.
func (st *Store) freeAnnounced(slot int, ref lockRef) (freed bool) {
	word := st.seg.lockWord(ref)
	if word == nil {
		return false
	}
	owner := lockOwner(slot, st.seg.slots[slot].generation.Load())
	if freed = atomic.LoadUint32(word)&^lockWaiters == owner; freed {
		switch ref.kind() {
		case lockRoom:
			st.seg.recountMembers(ref.index())
		case lockLog:
			st.seg.deriveHead()
		}
		atomic.StoreUint32(word, 0)
	}
	// The dead slot may have freed the word and not lived to wake its waiters.
	_, _ = libnet.FutexWake(word, slotsMax)
	switch ref.kind() {
	case lockRoom:
		st.announceRoom(ref.index())
	case lockMailbox:
		st.announceMail(int(ref.index()))
	}
	return freed
}

// detachSessions lets go of the sessions that a dead slot had, and brings those that it had on a way to their end.
func (st *Store) detachSessions(slot int) (detached int, err error) {
	for r := range st.seg.sessions {
		word := st.seg.sessions[r].owner.Load()
		if !ownedBy(word, slot) {
			continue
		}
		if err := st.adoptWay(uint32(r), word, slot); err != nil {
			return detached, err
		}
		detached++
	}
	return detached, nil
}

// adoptWay goes on with a row of a dead slot. A session that was being opened ends: its client was never told of it.
func (st *Store) adoptWay(r, word uint32, slot int) error {
	way, former := stateOf(word), formerOf(word)
	switch way {
	case sessionOpening:
		way = sessionEnding
	case sessionLive, sessionAttaching:
		way, former = sessionDetaching, slot
	}
	row := &st.seg.sessions[r]
	if !row.owner.CompareAndSwap(word, way.onWay(st.index, former)) {
		return nil // another slot has taken it over
	}
	row.epoch.Add(1)
	return st.finishWay(r)
}
