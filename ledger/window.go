package ledger

import "fmt"

// Window folds a part of the log that does not begin with its first record, as a Fold does: an account is taken to be what the first record that
// names it says it was before. What users and rooms there were is not known, so of records that make or change them only the form
// is checked.
type Window struct {
	First, Folded uint64 // the first record, and how many were folded
	fold          Fold
	seen          []sight // by account
}

// sight says what of an account a record has told.
type sight uint8

const (
	sawBalance sight = 1 << iota
	sawDeposits
	sawWithdrawals
)

// NewWindow has no records; accounts are how many there are, nobody's included.
func NewWindow(accounts int) *Window {
	return &Window{fold: Fold{Accounts: make([]Account, accounts)}, seen: make([]sight, accounts)}
}

// Restart forgets all records: the first one is to be seq.
func (w *Window) Restart(seq uint64) {
	clear(w.fold.Accounts)
	clear(w.seen)
	w.First, w.Folded = seq, 0
	w.fold.Head, w.fold.TimeNs, w.fold.Supply = 0, 0, 0
}

// Apply is Fold's.
func (w *Window) Apply(r *Record) error {
	if w.Folded == 0 {
		in, out := r.Flows()
		w.First, w.fold.Head, w.fold.Supply = r.Seq, r.Seq-1, r.SupplyAfter+out-in
	}
	if r.IsPosting() {
		w.adopt(r, r.Subject, r.SubjectBalance, r.SubjectPrev)
		if r.HasPeer() {
			w.adopt(r, r.Peer, r.PeerBalance, r.PeerPrev)
		}
	}
	err := w.fold.begin(r)
	switch r.Kind.Info().Body {
	case BodyPosting:
		if err == nil {
			err = w.fold.applyPosting(r)
		}
	case BodyUser, BodyRoom:
		if err == nil && !r.AsName().wellFormed() {
			err = misfit(r, "name %q", r.AsName().Name)
		}
	}
	if err != nil {
		return err
	}
	w.fold.Head, w.fold.TimeNs, w.fold.Supply = r.Seq, r.TimeNs, r.SupplyAfter
	w.Folded++
	return nil
}

// adopt takes what is not known of an account from the first record that says it. The first record of all, which has none before it, begins at
// nothing.
func (w *Window) adopt(r *Record, user uint32, after int64, prev uint64) {
	if int(user) >= len(w.seen) || user == 0 {
		return // applyPosting refuses it
	}
	a, seen := &w.fold.Accounts[user], &w.seen[user]
	if *seen == 0 && prev != 0 {
		a.Balance, a.LastSeq = after-r.DeltaOf(user), prev
	}
	known := sawBalance
	if user == r.Subject {
		switch r.Kind.Info().Sum {
		case SumDeposits:
			known |= sawDeposits
			if *seen&sawDeposits == 0 {
				a.Deposited = r.SubjectTotal - r.Amount
			}
		case SumWithdrawals:
			known |= sawWithdrawals
			if *seen&sawWithdrawals == 0 {
				a.Withdrawn = r.SubjectTotal - r.Amount
			}
		}
	}
	*seen |= known
}

// Differs says what of an account is not what the records say; empty if they say nothing else. An account that none of them names must be
// older than they are.
func (w *Window) Differs(user uint32, has *Account) string {
	said, seen := &w.fold.Accounts[user], w.seen[user]
	switch {
	case seen == 0 && (*has == Account{} || has.LastSeq != 0 && has.LastSeq < w.First):
		return ""
	case seen == 0:
		return fmt.Sprintf("balance %d at seq %d, the log says nothing of it", has.Balance, has.LastSeq)
	case has.Balance != said.Balance || has.LastSeq != said.LastSeq:
		return fmt.Sprintf("balance %d at seq %d, the log says %d at %d", has.Balance, has.LastSeq, said.Balance, said.LastSeq)
	case seen&sawDeposits != 0 && has.Deposited != said.Deposited || seen&sawWithdrawals != 0 && has.Withdrawn != said.Withdrawn:
		return fmt.Sprintf("deposits %d and withdrawals %d, the log says %d and %d", has.Deposited, has.Withdrawn, said.Deposited, said.Withdrawn)
	}
	return ""
}
