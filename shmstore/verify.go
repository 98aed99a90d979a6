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

func (r *VerifyReport) problem(format string, args ...any) {
	if len(r.Problems) < problemsMax {
		r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
	}
}

// accountState is an account at some record.
type accountState struct {
	balance int64
	lastSeq uint64
}

// books are the accounts at one instant, at which everything committed was applied.
type books struct {
	head        uint64
	supply      uint64
	balances    uint64
	deposits    uint64
	withdrawals uint64
	accounts    []accountState // by user; 0 is nobody
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
	accounts := make([]accountState, 0, users+users/64+64)
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
	*b = books{head: head, supply: seg.recordSlot(head).SupplyAfter, accounts: append(b.accounts[:0], accountState{})}
	for user := uint32(1); user <= seg.UserCount(); user++ {
		a := &seg.accounts[user]
		balance := atomic.LoadInt64(&a.balance)
		b.accounts = append(b.accounts, accountState{balance, a.lastSeq})
		b.balances += uint64(balance)
		b.deposits += a.deposited
		b.withdrawals += a.withdrawn
	}
}

// verifyBooks checks b in itself, against the name index and against the log.
func (seg *Segment) verifyBooks(b *books) *VerifyReport {
	r := &VerifyReport{
		Users: uint32(len(b.accounts) - 1), Head: b.head, Supply: b.supply,
		Balances: b.balances, Deposits: b.deposits, Withdrawals: b.withdrawals,
	}
	for user := uint32(1); user <= r.Users; user++ {
		if balance := b.accounts[user].balance; balance < 0 {
			r.problem("user %d has balance %d", user, balance)
		}
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
	seg.verifyFold(r, b)
	return r
}

// fold is what the records from first on say of the accounts.
type fold struct {
	report   *VerifyReport
	first    uint64
	last     ledger.Record  // the newest one; before any, of seq 0
	accounts []accountState // by user; lastSeq 0: no record names it
}

// verifyFold compares every record in the ring up to the books' head with what comes
// before it, and every account with the newest record that names it.
func (seg *Segment) verifyFold(r *VerifyReport, b *books) {
	f := fold{report: r, first: seg.oldestRecord(), accounts: make([]accountState, len(b.accounts))}
	var rec ledger.Record
	for seq := f.first; seq <= b.head; {
		if !seg.loadRecord(seq, &rec) { // overwritten meanwhile, and all before it
			seq = max(seg.oldestRecord(), seq+1)
			f.restart(seq)
			continue
		}
		if rec.Seq != seq {
			r.problem("record %d has seq %d", seq, rec.Seq)
			return
		}
		f.add(&rec)
		seq++
	}
	f.compare(b)
}

// oldestRecord is the seq of the oldest record that is surely whole: the places of those
// before it are the next records', which may be being written.
func (seg *Segment) oldestRecord() uint64 {
	next, capacity := seg.Head()+recordsPerCommitMax, uint64(seg.shape.LogRecords)
	return max(max(next, capacity)-capacity+1, seg.control.logFirst)
}

// restart forgets all records: the first one known is to be seq.
func (f *fold) restart(seq uint64) {
	f.first, f.last, f.report.Folded = seq, ledger.Record{}, 0
	clear(f.accounts)
}

// add compares rec with the record before it, if that is known, and with the accounts
// that it names, and enters it.
func (f *fold) add(rec *ledger.Record) {
	in, out := rec.Flows()
	if f.last.Seq == rec.Seq-1 && rec.SupplyAfter != f.last.SupplyAfter+in-out {
		f.report.problem("record %d: supply %d after %d", rec.Seq, rec.SupplyAfter, f.last.SupplyAfter)
	}
	if rec.TimeNs < f.last.TimeNs {
		f.report.problem("record %d: time goes back", rec.Seq)
	}
	switch rec.Kind {
	case ledger.KindDeposit:
		f.addSide(rec, rec.Subject, rec.SubjectBalance, int64(rec.Amount), rec.SubjectPrev)
	case ledger.KindWithdraw:
		f.addSide(rec, rec.Subject, rec.SubjectBalance, -int64(rec.Amount), rec.SubjectPrev)
	case ledger.KindTransfer:
		f.addSide(rec, rec.Subject, rec.SubjectBalance, -int64(rec.Amount), rec.SubjectPrev)
		f.addSide(rec, rec.Peer, rec.PeerBalance, int64(rec.Amount), rec.PeerPrev)
	case ledger.KindUserCreate, ledger.KindUserKeys, ledger.KindRoomCreate:
	default:
		f.report.problem("record %d has unknown kind %d", rec.Seq, rec.Kind)
	}
	f.last = *rec
	f.report.Folded++
}

// addSide enters what rec says of one account. prev 0 is the account's first record.
func (f *fold) addSide(rec *ledger.Record, user uint32, after, delta int64, prev uint64) {
	if user == 0 || int(user) >= len(f.accounts) {
		f.report.problem("record %d names user %d of %d", rec.Seq, user, len(f.accounts)-1)
		return
	}
	a := &f.accounts[user]
	known := a.lastSeq != 0 || prev == 0
	if known && (after != a.balance+delta || prev != a.lastSeq) {
		f.report.problem("record %d: user %d has %d after %d %+d, previous record %d not %d",
			rec.Seq, user, after, a.balance, delta, prev, a.lastSeq)
	}
	*a = accountState{balance: after, lastSeq: rec.Seq}
}

// compare holds the books against the fold. Accounts whose records have left the ring
// are only part of the sums.
func (f *fold) compare(b *books) {
	for user, a := range b.accounts {
		said := f.accounts[user]
		left := said.lastSeq == 0 && a.lastSeq != 0 && a.lastSeq < f.first
		if a != said && !left {
			f.report.problem("user %d has balance %d at seq %d, the log says %d at %d",
				user, a.balance, a.lastSeq, said.balance, said.lastSeq)
		}
	}
}
