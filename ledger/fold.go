package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
)

var (
	// ErrMisfit is the error of a record that cannot come next.
	ErrMisfit = errors.New("record does not fit the log before it")

	// ErrNewer is the error of what a newer version of this program wrote: a kind of record, or a format, that this one does not know.
	ErrNewer = errors.New("written by a newer version")
)

// Fold is what the records 1 … Head add up to. Tables are indexed by id; element 0 is nobody. A Fold is for one
// goroutine.
//
// It is folded apart from the shared memory: whatever is wrong there is found by a record that does not fit here.
type Fold struct {
	Head     uint64
	TimeNs   uint64 // of record Head
	Supply   uint64
	Users    []User
	Accounts []Account
	Rooms    []Room

	opening uint32 // the user whose opening deposit must come next; 0: none

	names nameIndex // of users; empty until a user is made
	sink  uint64    // what ApplyAll has looked at ahead
}

// Account is one user's money at some record.
type Account struct {
	Balance   int64
	LastSeq   uint64 // the newest record that names the account; 0: none
	Deposited uint64 // sum of its deposits
	Withdrawn uint64 // sum of its withdrawals
}

// User is one user's name and keys at some record.
type User struct {
	Name    Name
	Keys    Keys
	Seq     uint64 // the record that created it
	KeysSeq uint64 // the record that set its keys
}

// Room is one room at some record.
type Room struct {
	Name Name
	Seq  uint64 // the record that created it
}

// NewFold is the fold of no record.
func NewFold() *Fold {
	return &Fold{Users: make([]User, 1), Accounts: make([]Account, 1), Rooms: make([]Room, 1)}
}

// Clone is a copy that shares nothing with f.
func (f *Fold) Clone() *Fold {
	c := *f
	c.Users, c.Accounts, c.Rooms, c.names = slices.Clone(f.Users), slices.Clone(f.Accounts), slices.Clone(f.Rooms), nameIndex{}
	return &c
}

// Apply checks everything that a record says against what came before it, and adds it. After an error, which wraps
// ErrMisfit, nothing has changed. Postings do not allocate.
func (f *Fold) Apply(r *Record) error {
	if err := f.begin(r); err != nil {
		return err
	}
	if f.opening != 0 && (r.Kind != KindDeposit || r.Subject != f.opening || r.SessionID != 0) {
		return misfit(r, "the opening deposit of user %d must come next", f.opening)
	}
	var err error
	switch kinds[r.Kind].Body {
	case BodyPosting:
		err = f.applyPosting(r)
	case BodyUser:
		err = f.applyUser(r.AsName())
	case BodyRoom:
		err = f.applyRoom(r.AsName())
	}
	if err != nil {
		return err
	}
	f.Head, f.TimeNs, f.Supply = r.Seq, r.TimeNs, r.SupplyAfter
	f.opening = 0
	if r.OpensWithDeposit() {
		f.opening = r.Subject
	}
	return nil
}

// begin checks what records of all kinds have.
func (f *Fold) begin(r *Record) error {
	switch {
	case r.Seq != f.Head+1:
		return misfit(r, "its seq is %d, the next is %d", r.Seq, f.Head+1)
	case r.TimeNs < f.TimeNs && f.TimeNs-r.TimeNs <= uint64(ClockSlack):
		return misfit(r, "its time %d lies before the last one's %d", r.TimeNs, f.TimeNs)
	case r.Kind.Newer():
		return fmt.Errorf("record %d: %w: kind %d → start the build that wrote it", r.Seq, ErrNewer, r.Kind)
	case r.Kind == KindNone:
		return misfit(r, "it has no kind")
	}
	in, out := r.Flows()
	if r.SupplyAfter != f.Supply+in-out || r.SupplyAfter > AmountMax {
		return misfit(r, "supply %d after %d, with %d in and %d out", r.SupplyAfter, f.Supply, in, out)
	}
	return nil
}

// ApplyAll applies records until one does not fit; applied is how many did. It looks ahead at the accounts of those that come, so
// that the memory is on its way when their turn is: most of the time of a fold over many accounts is waiting for it.
func (f *Fold) ApplyAll(records []Record) (applied int, err error) {
	for i := range records {
		if ahead := i + lookAhead; ahead < len(records) {
			r := &records[ahead]
			if max(r.Subject, r.Peer) < uint32(len(f.Accounts)) && r.HasPeer() {
				f.sink += f.Accounts[r.Subject].LastSeq + f.Accounts[r.Peer].LastSeq
			}
		}
		if err := f.Apply(&records[i]); err != nil {
			return i, err
		}
	}
	return len(records), nil
}

// lookAhead is how many records ahead of their turn accounts are looked at.
const lookAhead = 8

func misfit(r *Record, format string, args ...any) error {
	return fmt.Errorf("record %d (%v): %w: %s", r.Seq, r.Kind, ErrMisfit, fmt.Sprintf(format, args...))
}

// side is one account as a posting leaves it.
type side struct {
	user    uint32
	after   int64
	delta   int64
	prev    uint64
	account *Account
}

func (f *Fold) applyPosting(r *Record) error {
	if err := f.checkPosting(r); err != nil {
		return err
	}
	k := &kinds[r.Kind]
	subject := side{r.Subject, r.SubjectBalance, int64(k.Subject) * int64(r.Amount), r.SubjectPrev, &f.Accounts[r.Subject]}
	if !subject.fits() {
		return subject.misfit(r)
	}
	if k.Peer != 0 {
		peer := side{r.Peer, r.PeerBalance, int64(k.Peer) * int64(r.Amount), r.PeerPrev, &f.Accounts[r.Peer]}
		if !peer.fits() {
			return peer.misfit(r)
		}
		peer.set(r.Seq)
	}
	subject.set(r.Seq)
	if sum := subject.account.sum(k.Sum); sum != nil {
		*sum = r.SubjectTotal
	}
	return nil
}

// sum is the one of an account's sums that a kind adds to.
func (a *Account) sum(s Sum) *uint64 {
	switch s {
	case SumDeposits:
		return &a.Deposited
	case SumWithdrawals:
		return &a.Withdrawn
	}
	return nil
}

// checkPosting is what can be said of a posting without the balances.
func (f *Fold) checkPosting(r *Record) error {
	users := uint32(len(f.Accounts))
	switch {
	case r.Subject == 0 || r.Subject >= users || r.Peer >= users:
		return misfit(r, "it names users %d and %d of %d", r.Subject, r.Peer, users-1)
	case r.Amount == 0 || r.Amount > AmountMax:
		return misfit(r, "amount %d", r.Amount)
	case r.Flags&^FlagLate != 0 || r.Legs == 0 || uint32(r.Leg) >= r.Legs:
		return misfit(r, "flags %#x, leg %d of %d", uint32(r.Flags), r.Leg, r.Legs)
	case !r.fingerprintFits():
		return misfit(r, "fingerprint %016x of another request", uint64(r.Fingerprint))
	case r.SessionID == 0 && r.ReqID != 0 || r.BatchHead >= r.Seq:
		return misfit(r, "session %d, req_id %d, batch head %d", r.SessionID, r.ReqID, r.BatchHead)
	}
	return f.checkTotals(r)
}

// checkTotals compares the account's sums of deposits and withdrawals, which do not wrap, and what only a transfer has.
func (f *Fold) checkTotals(r *Record) error {
	total := uint64(0)
	if sum := f.Accounts[r.Subject].sum(kinds[r.Kind].Sum); sum != nil {
		if total = *sum + r.Amount; total < r.Amount {
			return misfit(r, "the account's total %d and %d are more than a record holds", *sum, r.Amount)
		}
	}
	peered := r.HasPeer()
	switch {
	case r.SubjectTotal != total:
		return misfit(r, "the account's total is %d, not %d", r.SubjectTotal, total)
	case peered && (r.Peer == 0 || r.Peer == r.Subject):
		return misfit(r, "a transfer from %d to %d", r.Subject, r.Peer)
	case !peered && (r.Peer != 0 || r.PeerBalance != 0 || r.PeerPrev != 0):
		return misfit(r, "it has a peer, %d", r.Peer)
	}
	return nil
}

func (s *side) fits() bool {
	return s.after == s.account.Balance+s.delta && s.after >= 0 && s.prev == s.account.LastSeq
}

func (s *side) misfit(r *Record) error {
	return misfit(r, "user %d has %d after %d %+d, previous record %d, not %d",
		s.user, s.after, s.account.Balance, s.delta, s.prev, s.account.LastSeq)
}

func (s *side) set(seq uint64) { s.account.Balance, s.account.LastSeq = s.after, seq }

func (f *Fold) applyUser(r *NameRecord) error {
	rec := r.asRecord()
	if !r.wellFormed() {
		return misfit(rec, "name %q", r.Name)
	}
	if !kinds[r.Kind].Creates {
		if r.Subject == 0 || int(r.Subject) >= len(f.Users) || f.Users[r.Subject].Name != r.Name {
			return misfit(rec, "user %d is not %q", r.Subject, r.Name.Text())
		}
		f.Users[r.Subject].Keys, f.Users[r.Subject].KeysSeq = r.Keys, r.Seq
		return nil
	}
	if other, taken := f.user(r.Name); taken || int(r.Subject) != len(f.Users) {
		return misfit(rec, "user %d %q, of %d users, and %d has that name", r.Subject, r.Name.Text(), len(f.Users)-1, other)
	}
	f.Users = append(grown(f.Users), User{Name: r.Name, Keys: r.Keys, Seq: r.Seq, KeysSeq: r.Seq})
	f.Accounts = append(grown(f.Accounts), Account{})
	f.names.add(f.Users, r.Subject)
	return nil
}

// grown has room for one more, at twice the size: append would grow large tables in small steps.
func grown[T any](table []T) []T {
	if len(table) < cap(table) {
		return table
	}
	return slices.Grow(table, len(table))
}

// user finds a user by name.
func (f *Fold) user(name Name) (id uint32, found bool) {
	if len(f.names.buckets) == 0 {
		f.names.rebuild(f.Users)
	}
	return f.names.find(f.Users, &name)
}

func (f *Fold) applyRoom(r *NameRecord) error {
	rec := r.asRecord()
	text := r.Name.Text()
	taken := slices.ContainsFunc(f.Rooms[1:], func(room Room) bool { return bytes.Equal(room.Name.Text(), text) })
	if !r.wellFormed() || r.Keys != (Keys{}) || taken || int(r.Subject) != len(f.Rooms) {
		return misfit(rec, "room %d %q, of %d rooms, name taken: %v", r.Subject, text, len(f.Rooms)-1, taken)
	}
	f.Rooms = append(f.Rooms, Room{Name: r.Name, Seq: r.Seq})
	return nil
}

// Sums are what all accounts add up to.
type Sums struct{ Balances, Deposits, Withdrawals Total }

// Add counts one account in. A negative balance, which no account has, makes the sum a very large one.
func (s *Sums) Add(a *Account) {
	s.Balances = s.Balances.Plus(uint64(a.Balance))
	s.Deposits = s.Deposits.Plus(a.Deposited)
	s.Withdrawals = s.Withdrawals.Plus(a.Withdrawn)
}

// Left is the deposits less the withdrawals; false if they are less.
func (s *Sums) Left() (Total, bool) { return s.Deposits.Minus(s.Withdrawals) }

// Sums adds all accounts up.
func (f *Fold) Sums() (s Sums) {
	for i := range f.Accounts {
		s.Add(&f.Accounts[i])
	}
	return s
}

// Conserved tells whether no money was made or lost: the balances add up to the supply, and so do the deposits less
// the withdrawals.
func (f *Fold) Conserved() error {
	s := f.Sums()
	if left, ok := s.Left(); !s.Balances.Is(f.Supply) || !ok || !left.Is(f.Supply) {
		return fmt.Errorf("at record %d: %w: supply %d, balances %v, deposits %v, withdrawals %v",
			f.Head, ErrMisfit, f.Supply, s.Balances, s.Deposits, s.Withdrawals)
	}
	return nil
}

// Differs says where g is first another fold than f; empty if they are the same.
func (f *Fold) Differs(g *Fold) string {
	switch {
	case f.Head != g.Head || f.Supply != g.Supply || f.TimeNs != g.TimeNs:
		return fmt.Sprintf("head %d, supply %d, time %d and not %d, %d, %d", g.Head, g.Supply, g.TimeNs, f.Head, f.Supply, f.TimeNs)
	case len(f.Users) != len(g.Users) || len(f.Rooms) != len(g.Rooms):
		return fmt.Sprintf("%d users and %d rooms, not %d and %d", len(g.Users)-1, len(g.Rooms)-1, len(f.Users)-1, len(f.Rooms)-1)
	}
	for id := range f.Users {
		if f.Users[id] != g.Users[id] || f.Accounts[id] != g.Accounts[id] {
			return fmt.Sprintf("user %d %q has %+v, not %+v", id, g.Users[id].Name.Text(), g.Accounts[id], f.Accounts[id])
		}
	}
	for id := range f.Rooms {
		if f.Rooms[id] != g.Rooms[id] {
			return fmt.Sprintf("room %d is %q, not %q", id, g.Rooms[id].Name.Text(), f.Rooms[id].Name.Text())
		}
	}
	return ""
}
