package moneycheck

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tradechat.internal/loadgen/internal/mix"
)

// bank is a model of a ledger that does everything right, and of the threads that note what it answers.
type bank struct {
	t        *rapid.T
	balances []int64
	opening  []int64
	books    []*Book
	applied  map[Posting]bool // of the unknown postings
	nextReq  uint64

	losesBatches bool // answers to batches are lost, too
}

func newBank(t *rapid.T) *bank {
	users := rapid.IntRange(2, 6).Draw(t, "users")
	b := &bank{t: t, applied: map[Posting]bool{}}
	for range users {
		b.opening = append(b.opening, rapid.Int64Range(0, 10_000).Draw(t, "opening"))
	}
	b.balances = append(b.balances, b.opening...)
	for range rapid.IntRange(1, 4).Draw(t, "threads") {
		b.books = append(b.books, NewBook(users))
	}
	return b
}

// run makes one random request; its answer is lost one time in five.
func (b *bank) run() {
	b.nextReq++
	if rapid.IntRange(0, 3).Draw(b.t, "batch") == 0 {
		b.runBatch()
		return
	}
	p := Posting{
		Session: 1, ReqID: b.nextReq,
		User:   uint32(rapid.IntRange(0, len(b.balances)-1).Draw(b.t, "user")),
		Op:     rapid.SampledFrom([]mix.Op{mix.Deposit, mix.Withdraw, mix.Transfer}).Draw(b.t, "op"),
		Amount: rapid.Uint64Range(1, 5_000).Draw(b.t, "amount"),
	}
	if p.Op == mix.Transfer {
		p.Peer = (p.User + 1) % uint32(len(b.balances))
	}
	book := rapid.SampledFrom(b.books).Draw(b.t, "thread")
	possible := p.Op == mix.Deposit || b.balances[p.User] >= int64(p.Amount)
	reached := possible && rapid.IntRange(0, 9).Draw(b.t, "reached") > 0
	if reached {
		p.addTo(b.balances)
	}
	switch {
	case rapid.IntRange(0, 4).Draw(b.t, "lost") == 0:
		b.applied[p] = reached
		book.Settle(p, rapid.SampledFrom([]Outcome{Undecided, outcomeOf(reached)}).Draw(b.t, "known before the audit"))
	case reached:
		book.Applied(p)
		book.Told(p.User, b.balances[p.User])
	}
}

// runBatch makes a batch, whose legs are carried out as far as the money reaches and the server gets.
func (b *bank) runBatch() {
	users := len(b.balances)
	user, legs := rapid.IntRange(0, users-1).Draw(b.t, "user"), []Leg{}
	for range rapid.IntRange(1, 5).Draw(b.t, "legs") {
		peer := (user + rapid.IntRange(1, users-1).Draw(b.t, "peer")) % users
		legs = append(legs, Leg{Peer: uint32(peer), Amount: rapid.Uint64Range(1, 3_000).Draw(b.t, "amount")})
	}
	p := Posting{Session: 1, ReqID: b.nextReq, User: uint32(user), Op: mix.TransferBatch, Legs: &legs}
	book := rapid.SampledFrom(b.books).Draw(b.t, "thread")
	reaches, any := rapid.IntRange(0, len(legs)).Draw(b.t, "reaches"), false
	lost := b.losesBatches && rapid.Bool().Draw(b.t, "lost")
	for _, leg := range legs[:reaches] {
		if b.balances[user] < int64(leg.Amount) {
			continue
		}
		b.balances[user] -= int64(leg.Amount)
		b.balances[leg.Peer] += int64(leg.Amount)
		if any = true; !lost {
			book.AppliedLeg(uint32(user), leg)
		}
	}
	if lost {
		b.applied[p] = any
		book.Settle(p, rapid.SampledFrom([]Outcome{Undecided, outcomeOf(any)}).Draw(b.t, "known before the audit"))
	}
}

func outcomeOf(applied bool) Outcome {
	if applied {
		return Applied
	}
	return NotApplied
}

// audit settles what is unknown; undecided says for how many of a hundred that fails.
func (b *bank) audit(undecided int) *Audit {
	a := NewAudit(b.opening, b.books)
	for _, p := range a.Unknown() {
		switch {
		case rapid.IntRange(0, 99).Draw(b.t, "undecided") < undecided:
			a.Settle(p, Undecided)
		default:
			a.Settle(p, outcomeOf(b.applied[p]))
		}
	}
	return a
}

func (b *bank) runMany() {
	for range rapid.IntRange(0, 60).Draw(b.t, "requests") {
		b.run()
	}
}

func TestRightLedgerIsNotBlamed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := newBank(t)
		b.losesBatches = true
		b.runMany()
		verdict := b.audit(30).Judge(b.balances)
		if !verdict.OK {
			t.Fatalf("not OK: %s", strings.Join(verdict.Problems, "\n"))
		}
	})
}

// When every outcome is known, one cent too many or too few is found, and a cent that went to somebody else too.
func TestOneCentIsFound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := newBank(t)
		b.runMany()
		cent := rapid.SampledFrom([]int64{-1, 1}).Draw(t, "cent")
		b.balances[0] += cent
		if rapid.Bool().Draw(t, "sum kept") {
			b.balances[1] -= cent
		}
		if verdict := b.audit(0).Judge(b.balances); verdict.OK {
			t.Fatalf("OK with a cent in the wrong place: %+v", verdict)
		}
	})
}

// A posting that is known and is in the balances twice, or not at all, is found.
func TestPostingTwiceOrNeverIsFound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := newBank(t)
		b.runMany()
		p := Posting{User: 0, Peer: 1, Amount: rapid.Uint64Range(1, 100).Draw(t, "amount"),
			Op: rapid.SampledFrom([]mix.Op{mix.Deposit, mix.Withdraw, mix.Transfer}).Draw(t, "op")}
		b.books[0].Applied(p)
		if rapid.Bool().Draw(t, "twice") {
			p.addTo(b.balances)
			p.addTo(b.balances)
		}
		if verdict := b.audit(0).Judge(b.balances); verdict.OK {
			t.Fatalf("OK with a posting applied twice or never: %+v", verdict)
		}
	})
}

// An undecided posting widens what is accepted by its amount, on its own side, and by nothing more.
func TestUndecidedIsAnInterval(t *testing.T) {
	for _, test := range []struct {
		op   mix.Op
		ok   [][2]int64 // what is added to the two users' opening balances
		fail [][2]int64
	}{
		{mix.Deposit, [][2]int64{{0, 0}, {50, 0}, {100, 0}}, [][2]int64{{101, 0}, {-1, 0}, {0, 1}, {0, -1}}},
		{mix.Withdraw, [][2]int64{{0, 0}, {-50, 0}, {-100, 0}}, [][2]int64{{-101, 0}, {1, 0}, {0, 1}}},
		{mix.Transfer, [][2]int64{{0, 0}, {-100, 100}}, [][2]int64{{-100, 0}, {0, 100}, {100, -100}, {-101, 101}}},
	} {
		for want, all := range map[bool][][2]int64{true: test.ok, false: test.fail} {
			for _, off := range all {
				book := NewBook(2)
				book.Unknown(Posting{User: 0, Peer: 1, Op: test.op, Amount: 100})
				a := NewAudit([]int64{1000, 1000}, []*Book{book})
				for _, p := range a.Unknown() {
					a.Settle(p, Undecided)
				}
				verdict := a.Judge([]int64{1000 + off[0], 1000 + off[1]})
				if verdict.OK != want || verdict.UnknownUndecided != 1 {
					t.Errorf("%v of 100, balances off by %v: OK = %v, want %v: %q", test.op, off, verdict.OK, want, verdict.Problems)
				}
			}
		}
	}
}

// A batch that was applied, nobody knows how far, may have moved any of its legs, and nothing else; one that was not has moved none.
func TestLostBatch(t *testing.T) {
	for _, test := range []struct {
		outcome Outcome
		off     [3]int64
		want    bool
	}{
		{Applied, [3]int64{-30, 10, 20}, true},
		{Applied, [3]int64{-20, 0, 20}, true},
		{Applied, [3]int64{-10, 10, 0}, true},
		{Applied, [3]int64{-31, 11, 20}, false},
		{Applied, [3]int64{-10, 0, 20}, false},
		{Applied, [3]int64{10, -10, 0}, false},
		{Undecided, [3]int64{0, 0, 0}, true},
		{NotApplied, [3]int64{0, 0, 0}, true},
		{NotApplied, [3]int64{-10, 10, 0}, false},
	} {
		book := NewBook(3)
		book.Settle(Posting{User: 0, Op: mix.TransferBatch, Legs: &[]Leg{{1, 10}, {2, 20}}}, Undecided)
		a := NewAudit([]int64{100, 100, 100}, []*Book{book})
		for _, p := range a.Unknown() {
			a.Settle(p, test.outcome)
		}
		v := a.Judge([]int64{100 + test.off[0], 100 + test.off[1], 100 + test.off[2]})
		if v.OK != test.want || (v.UnknownUndecided == 1) != (test.outcome != NotApplied) {
			t.Errorf("%d, balances off by %v: %+v", test.outcome, test.off, v)
		}
	}
}

func TestNegativeBalanceIsFound(t *testing.T) {
	book := NewBook(1)
	book.Told(0, 0)
	book.Told(0, -1)
	if v := NewAudit([]int64{5}, []*Book{book}).Judge([]int64{5}); v.OK || v.ProblemCount != 1 {
		t.Errorf("a negative answer: %+v", v)
	}
	if v := NewAudit([]int64{-5}, nil).Judge([]int64{-5}); v.OK {
		t.Errorf("a negative final balance: %+v", v)
	}
}

// Over the limit, unknown postings still count: as intervals.
func TestTooManyUnknown(t *testing.T) {
	const extra = 3
	book := NewBook(1)
	for req := range uint64(unknownMax + extra) {
		book.Unknown(Posting{ReqID: req, Op: mix.Deposit, Amount: 10})
	}
	for final, want := range map[int64]bool{0: true, 10 * extra: true, 10*extra + 1: false, -1: false} {
		a := NewAudit([]int64{0}, []*Book{book})
		if len(a.Unknown()) != unknownMax {
			t.Fatalf("%d postings to ask for, want %d", len(a.Unknown()), unknownMax)
		}
		for _, p := range a.Unknown() {
			a.Settle(p, NotApplied)
		}
		if v := a.Judge([]int64{final}); v.OK != want {
			t.Errorf("final balance %d: OK = %v, want %v: %q", final, v.OK, want, v.Problems)
		}
	}
}

func TestUnreadIsNotOK(t *testing.T) {
	if v := NewAudit([]int64{1}, nil).Unread(errTest); v.OK || len(v.Problems) != 1 {
		t.Errorf("Unread: %+v", v)
	}
}

type testError string

func (e testError) Error() string { return string(e) }

const errTest = testError("no server")
