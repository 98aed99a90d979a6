package shmstore

import (
	"fmt"
	"sync/atomic"
	"time"
)

// VerifyReport is what Verify counted, and what it found wrong.
type VerifyReport struct {
	Users       uint32
	Head        uint64 // records in the log since the beginning
	Folded      uint64 // of these, still in the ring and folded
	Supply      uint64
	Balances    uint64 // their sum
	Deposits    uint64
	Withdrawals uint64
	Problems    []string
}

// OK tells whether nothing was wrong.
func (r *VerifyReport) OK() bool { return len(r.Problems) == 0 }

func (r *VerifyReport) String() string {
	verdict := "ok"
	if !r.OK() {
		verdict = fmt.Sprintf("FAILED (%d problems)", len(r.Problems))
	}
	return fmt.Sprintf("audit %s: users=%d records=%d supply=%d balances=%d deposits=%d withdrawals=%d folded=%d",
		verdict, r.Users, r.Head, r.Supply, r.Balances, r.Deposits, r.Withdrawals, r.Folded)
}

const problemsMax = 20

func (r *VerifyReport) problem(format string, args ...any) {
	if len(r.Problems) < problemsMax {
		r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
	}
}

// Verify checks the ledger while others go on: it holds the log lock, and so holds up
// their commits, until it has read it. ErrBusy: the lock was not to be had, or a slot
// has a committed record that it does not apply.
func (st *Store) Verify() (*VerifyReport, error) {
	c := st.seg.control
	if err := st.acquire(placeLog, lockLog, &c.logLock); err != nil {
		return nil, err
	}
	defer st.release(placeLog, &c.logLock)
	for deadline := time.Now().Add(LockWaitMax); st.seg.appliedFloor() < c.head.Load(); {
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("a committed record is not applied: %w", ErrBusy)
		}
	}
	return st.seg.verifyLedger(), nil
}

// VerifyQuiescent checks a segment that no process is changing: besides the ledger,
// that no lock is held, nothing is pending, and every room's counts are its bitmap's.
func (seg *Segment) VerifyQuiescent() *VerifyReport {
	r := seg.verifyLedger()
	seg.verifyLocks(r)
	for i := range seg.slots {
		if seq := seg.slots[i].pendingSeq; seq != 0 {
			r.problem("slot %d has record %d pending", i, seq)
		}
	}
	seg.verifyMembers(r)
	return r
}

func (seg *Segment) verifyLedger() *VerifyReport {
	head := seg.control.head.Load()
	r := &VerifyReport{Users: seg.UserCount(), Head: head, Supply: seg.recordSlot(head).supplyAfter}
	for user := uint32(1); user <= r.Users; user++ {
		a := &seg.accounts[user]
		if balance := atomic.LoadInt64(&a.balance); balance < 0 {
			r.problem("user %d has balance %d", user, balance)
		}
		r.Balances += uint64(a.balance)
		r.Deposits += a.deposited
		r.Withdrawals += a.withdrawn
		if found, ok := seg.FindUser(seg.UserName(user)); !ok || found != user {
			r.problem("user %d %q is not found by name", user, seg.UserName(user))
		}
	}
	if r.Balances != r.Supply {
		r.problem("sum of balances %d is not the supply %d", r.Balances, r.Supply)
	}
	if r.Deposits-r.Withdrawals != r.Supply {
		r.problem("deposits %d less withdrawals %d are not the supply %d", r.Deposits, r.Withdrawals, r.Supply)
	}
	seg.verifyFold(r)
	return r
}

// fold is what the log says of one account.
type fold struct {
	balance int64
	lastSeq uint64
}

// verifyFold reads the log from the oldest record in the ring and compares every
// record with what comes before it, and every row with the newest record that names it.
func (seg *Segment) verifyFold(r *VerifyReport) {
	first := uint64(1)
	if capacity := uint64(seg.shape.LogRecords); r.Head > capacity {
		first = r.Head - capacity + 1
	}
	folds := make(map[uint32]fold)
	var last record
	for seq := first; seq <= r.Head; seq++ {
		rec := seg.recordSlot(seq)
		if rec.seq != seq {
			r.problem("record %d has seq %d", seq, rec.seq)
			return
		}
		checkRecord(r, rec, &last, seq > 1 && seq == first, folds)
		last = *rec
		r.Folded++
	}
	for user := uint32(1); user <= r.Users; user++ {
		a := &seg.accounts[user]
		f, named := folds[user]
		if !named && a.lastSeq < first {
			continue // its records have left the ring
		}
		if a.balance != f.balance || a.lastSeq != f.lastSeq {
			r.problem("user %d has balance %d at seq %d, the log says %d at %d", user, a.balance, a.lastSeq, f.balance, f.lastSeq)
		}
	}
}

// checkRecord compares rec with its predecessor (unknown: it is no longer in the
// ring) and with the folds of the accounts it names, and enters it into them.
func checkRecord(r *VerifyReport, rec, last *record, unknown bool, folds map[uint32]fold) {
	in, out := rec.flows()
	if !unknown && rec.supplyAfter != last.supplyAfter+in-out {
		r.problem("record %d: supply %d after %d", rec.seq, rec.supplyAfter, last.supplyAfter)
	}
	if rec.timeNs < last.timeNs {
		r.problem("record %d: time goes back", rec.seq)
	}
	switch rec.kind {
	case kindDeposit:
		checkSide(r, rec, rec.subject, rec.subjectBalance, int64(rec.amount), rec.subjectPrev, folds)
	case kindWithdraw:
		checkSide(r, rec, rec.subject, rec.subjectBalance, -int64(rec.amount), rec.subjectPrev, folds)
	case kindTransfer:
		checkSide(r, rec, rec.subject, rec.subjectBalance, -int64(rec.amount), rec.subjectPrev, folds)
		checkSide(r, rec, rec.peer, rec.peerBalance, int64(rec.amount), rec.peerPrev, folds)
	case kindUserCreate, kindUserKeys, kindRoomCreate:
	default:
		r.problem("record %d has unknown kind %d", rec.seq, rec.kind)
	}
}

// flows is what a record adds to and takes from the supply.
func (r *record) flows() (in, out uint64) {
	switch r.kind {
	case kindDeposit:
		return r.amount, 0
	case kindWithdraw:
		return 0, r.amount
	}
	return 0, 0
}

func checkSide(r *VerifyReport, rec *record, user uint32, after, delta int64, prev uint64, folds map[uint32]fold) {
	f, known := folds[user]
	if !known && prev == 0 {
		f, known = fold{}, true // the account's first record
	}
	if known && (after != f.balance+delta || prev != f.lastSeq) {
		r.problem("record %d: user %d has %d after %d %+d, previous record %d not %d",
			rec.seq, user, after, f.balance, delta, prev, f.lastSeq)
	}
	folds[user] = fold{balance: after, lastSeq: rec.seq}
}

func (seg *Segment) verifyLocks(r *VerifyReport) {
	check := func(ref lockRef) {
		if word := atomic.LoadUint32(seg.lockWord(ref)); word != 0 {
			r.problem("lock %x is held by slot %d (%08x)", uint64(ref), ownerSlot(word), word)
		}
	}
	check(lockRegistry)
	check(lockGlobal)
	check(lockLog)
	for user := range seg.accounts {
		check(accountLock(uint32(user)))
	}
	for room := range seg.rooms {
		check(roomLock(uint32(room)))
	}
	for slot := range seg.mailboxes {
		check(mailboxLock(slot))
	}
}

func (seg *Segment) verifyMembers(r *VerifyReport) {
	for room := uint32(1); room <= seg.RoomCount(); room++ {
		row, total := &seg.rooms[room], uint32(0)
		var bySlot [slotsMax]uint32
		seg.eachMember(room, func(s uint32) bool {
			if slot := seg.sessions[s].slot(); slot >= 0 {
				bySlot[slot]++
			}
			total++
			return true
		})
		if n := row.memberCount.Load(); n != total {
			r.problem("room %d counts %d members, its bitmap %d", room, n, total)
		}
		for i := range bySlot {
			if n := row.bySlot[i].Load(); n != bySlot[i] {
				r.problem("room %d counts %d members of slot %d, its bitmap %d", room, n, i, bySlot[i])
			}
		}
	}
}
