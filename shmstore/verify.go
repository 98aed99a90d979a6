package shmstore

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"tradechat.internal/ledger"
)

// The ledger is checked against itself: the accounts' sums against the supply, and the
// accounts against a fold of the log. Verify does it beside running processes. What
// they change all the time (locks, members, sessions, rings) only VerifyQuiescent can
// check, on a segment that stands still.

// VerifyReport is what Verify counted, and what it found wrong.
type VerifyReport struct {
	Users       uint32
	Head        uint64 // records in the log since the beginning
	Folded      uint64 // of these, still in the ring and folded
	Supply      uint64
	Balances    ledger.Total
	Deposits    ledger.Total
	Withdrawals ledger.Total
	Problems    []string
}

// OK tells whether nothing was wrong.
func (r *VerifyReport) OK() bool { return len(r.Problems) == 0 }

func (r *VerifyReport) String() string {
	verdict := "ok"
	if !r.OK() {
		verdict = fmt.Sprintf("FAILED (%d problems)", len(r.Problems))
	}
	return fmt.Sprintf("audit %s: users=%d records=%d supply=%d balances=%v deposits=%v withdrawals=%v folded=%d",
		verdict, r.Users, r.Head, r.Supply, r.Balances, r.Deposits, r.Withdrawals, r.Folded)
}

func (r *VerifyReport) problem(format string, args ...any) {
	if len(r.Problems) < problemsMax {
		r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
	}
}

// books are the accounts at one instant, at which everything committed was applied.
type books struct {
	head     uint64
	supply   uint64
	sums     ledger.Sums
	accounts []ledger.Account // by user; 0 is nobody
}

// Verify checks the ledger while others go on. It holds up their commits, by the log
// lock, only while it copies the books; it checks them afterwards, and folds those
// records that are still in the ring when it comes to them. ErrBusy: the lock was not
// to be had, or a slot has a committed record that it does not apply; ErrDamaged.
func (st *Store) Verify() (*VerifyReport, error) {
	if err := st.seg.checkCounts(); err != nil {
		return nil, err
	}
	b := newBooks(st.seg.UserCount())
	deadline := time.Now().Add(LockWaitMax)
	for taken := false; !taken; {
		if !st.seg.awaitApplied(deadline) {
			return nil, fmt.Errorf("a committed record is not applied: %w", ErrBusy)
		}
		var err error
		if taken, err = st.takeBooks(b); err != nil {
			return nil, err
		}
	}
	return st.seg.verifyBooks(b), nil
}

// newBooks has room for some more users than there are, and its memory touched: what
// is done under the log lock is to be quick.
func newBooks(users uint32) *books {
	accounts := make([]ledger.Account, 0, users+users/64+64)
	clear(accounts[:cap(accounts)])
	return &books{accounts: accounts}
}

// takeBooks copies the books under the log lock, unless a record is not applied yet.
func (st *Store) takeBooks(b *books) (taken bool, err error) {
	word := &st.seg.control.logLock
	if err := st.acquire(placeLog, lockLog, word); err != nil {
		return false, err
	}
	if taken = st.seg.awaitApplied(time.Now().Add(verifySettleMax)); taken {
		st.seg.copyBooks(b)
	}
	st.release(placeLog, word)
	return taken, nil
}

// awaitApplied waits until all that is committed when it is called has been applied.
func (seg *Segment) awaitApplied(deadline time.Time) bool {
	for head := seg.Head(); seg.appliedFloor() < head; runtime.Gosched() {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}

// copyBooks fills b in. The caller holds the log lock and everything is applied, or no
// process changes the segment.
func (seg *Segment) copyBooks(b *books) {
	head := seg.Head()
	*b = books{head: head, supply: seg.recordSlot(head).SupplyAfter, accounts: append(b.accounts[:0], ledger.Account{})}
	for user := uint32(1); user <= seg.UserCount(); user++ {
		a := &seg.accounts[user]
		b.accounts = append(b.accounts, ledger.Account{
			Balance: atomic.LoadInt64(&a.balance), LastSeq: a.lastSeq, Deposited: a.deposited, Withdrawn: a.withdrawn,
		})
		b.sums.Add(&b.accounts[user])
	}
}

// verifyBooks checks b in itself, against the name index and against the log.
func (seg *Segment) verifyBooks(b *books) *VerifyReport {
	r := &VerifyReport{
		Users: uint32(len(b.accounts) - 1), Head: b.head, Supply: b.supply,
		Balances: b.sums.Balances, Deposits: b.sums.Deposits, Withdrawals: b.sums.Withdrawals,
	}
	for user := uint32(1); user <= r.Users; user++ {
		if balance := b.accounts[user].Balance; balance < 0 {
			r.problem("user %d has balance %d", user, balance)
		}
		if found, ok := seg.FindUser(seg.UserName(user)); !ok || found != user {
			r.problem("user %d %q is not found by name", user, seg.UserName(user))
		}
	}
	if !r.Balances.Is(r.Supply) {
		r.problem("sum of balances %v is not the supply %d", r.Balances, r.Supply)
	}
	if left, ok := b.sums.Left(); !ok || !left.Is(r.Supply) {
		r.problem("deposits %v less withdrawals %v are not the supply %d", r.Deposits, r.Withdrawals, r.Supply)
	}
	seg.verifyFold(r, b)
	return r
}

// verifyFold folds every record in the ring up to the books' head, and compares every account with what they say. Accounts whose records have
// left the ring are only part of the sums.
func (seg *Segment) verifyFold(r *VerifyReport, b *books) {
	w := ledger.NewWindow(len(b.accounts))
	w.Restart(seg.OldestRecord())
	var rec ledger.Record
	for seq := w.First; seq <= b.head; {
		if !seg.loadRecord(seq, &rec) { // overwritten meanwhile, and all before it
			seq = max(seg.OldestRecord(), seq+1)
			w.Restart(seq)
			continue
		}
		if rec.Seq != seq {
			r.problem("record %d has seq %d", seq, rec.Seq)
			return
		}
		if err := w.Apply(&rec); err != nil {
			r.problem("%v", err)
			return
		}
		seq++
	}
	r.Folded = w.Folded
	for user := range b.accounts {
		if differs := w.Differs(uint32(user), &b.accounts[user]); differs != "" {
			r.problem("user %d has %s", user, differs)
		}
	}
}

// OldestRecord is the seq of the oldest record that is surely whole: the places of those
// before it are the next records', which may be being written.
func (seg *Segment) OldestRecord() uint64 {
	next, capacity := seg.Head()+recordsPerCommitMax, uint64(seg.shape.LogRecords)
	return max(max(next, capacity)-capacity+1, seg.control.logFirst)
}
