package bankcheck

import (
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// clock gives operations that follow one another.
type clock struct{ now, txn int64 }

func (c *clock) op(op Op) Op {
	op.Invoke, op.Return = c.now+1, c.now+2
	c.now += 2
	if op.moved() {
		c.txn++
		op.Txn = uint64(c.txn)
	}
	return op
}

// honest is a short history of which everything is true: account 0 ends with 90, account 1 with 60.
func honest() Window {
	var c clock
	return Window{Start: Balances{100, 50}, Ops: []Op{
		c.op(Op{Kind: Deposit, Account: 0, Amount: 20, Balance: 120}),
		c.op(Op{Kind: Transfer, Account: 0, To: 1, Amount: 30, Balance: 90}),
		c.op(Op{Kind: Withdraw, Client: 1, Account: 1, Amount: 20, Balance: 60}),
		c.op(Op{Kind: Withdraw, Client: 1, Account: 1, Amount: 61, Outcome: Refused}),
		c.op(Op{Kind: Read, Account: 0, Balance: 90}),
		c.op(Op{Kind: Read, Client: 1, Account: 1, Balance: 60}),
	}}
}

func TestAnHonestHistoryHolds(t *testing.T) {
	windows := []Window{honest()}
	if r := Linear(windows); !r.OK() {
		t.Errorf("%+v", r)
	}
	if r := Order(windows); !r.OK() || r.Checked != 3 {
		t.Errorf("%+v", r)
	}
	if s := Sum(windows); !s.Fit(20, 20) || s.Fit(21, 20) || s.Fit(20, 19) {
		t.Errorf("%+v", s)
	}
}

func TestNothingCheckedIsNothingThatHolds(t *testing.T) {
	if Linear(nil).OK() || Order(nil).OK() {
		t.Error("an empty history is OK")
	}
}

func TestLiesAreFound(t *testing.T) {
	for name, lie := range map[string]func(*Window){
		"a lost deposit: acknowledged, and not on the account": func(w *Window) {
			w.Ops[4].Balance, w.Ops[1].Balance = 70, 70
		},
		"a deposit that is lost later":       func(w *Window) { w.Ops[4].Balance = 70 },
		"a doubled transfer":                 func(w *Window) { w.Ops[4].Balance, w.Ops[5].Balance = 60, 90 },
		"a transfer that only took":          func(w *Window) { w.Ops[2].Balance, w.Ops[5].Balance = 30, 30 },
		"a refusal though there was enough":  func(w *Window) { w.Ops[3].Amount = 60 },
		"money from nowhere":                 func(w *Window) { w.Ops[5].Balance = 61 },
		"an answer with an earlier balance":  func(w *Window) { w.Ops[2].Balance = 30 },
		"a withdrawal below zero":            func(w *Window) { w.Ops[3].Outcome, w.Ops[3].Balance = Applied, -1 },
		"an unknown one with another amount": func(w *Window) { w.Ops[0].Outcome, w.Ops[0].Amount = Unknown, 21 },
	} {
		w := honest()
		lie(&w)
		if r := Linear([]Window{honest(), w}); r.Failed != 1 || r.Checked != 2 || len(r.Problems) != 1 || !strings.Contains(r.Problems[0], "window 1") {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func TestAnUnknownOperationMayHaveHappenedOrNot(t *testing.T) {
	w := honest()
	w.Ops[0].Outcome = Unknown // and it did
	lost := honest()
	lost.Ops[0].Outcome = Unknown // and it did not
	lost.Ops[1].Balance, lost.Ops[4].Balance = 70, 70
	late := honest() // and it did, after the transfer
	late.Ops[0].Outcome = Unknown
	late.Ops[1].Balance = 70
	if r := Linear([]Window{w, lost, late}); !r.OK() {
		t.Errorf("%+v", r)
	}
	if s := Sum([]Window{w}); !s.Fit(0, 20) || !s.Fit(20, 20) || s.Fit(21, 20) {
		t.Errorf("%+v", s)
	}
}

func TestOrderFindsNumbersThatTheClockForbids(t *testing.T) {
	twice, swapped := honest(), honest()
	twice.Ops[1].Txn = twice.Ops[0].Txn
	swapped.Ops[0].Txn, swapped.Ops[1].Txn = swapped.Ops[1].Txn, swapped.Ops[0].Txn
	for name, w := range map[string]Window{"given twice": twice, "swapped": swapped} {
		if r := Order([]Window{w}); r.OK() {
			t.Errorf("%s: %+v", name, r)
		}
	}
	overlapping := honest()
	overlapping.Ops[0].Return = overlapping.Ops[1].Return + 1
	overlapping.Ops[0].Txn, overlapping.Ops[1].Txn = overlapping.Ops[1].Txn, overlapping.Ops[0].Txn
	if r := Order([]Window{overlapping}); !r.OK() {
		t.Errorf("at the same time: %+v", r)
	}
}

// A history that was made by a true bank holds, whatever its clients do at the same time; with one wrong balance in it it
// does not.
func TestHistoriesOfATrueBank(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		w := trueHistory(random, rapid.IntRange(4, 60).Draw(t, "operations"))
		if r := Linear([]Window{w}); !r.OK() {
			t.Fatalf("%+v", r)
		}
		if r := Order([]Window{w}); r.Failed > 0 {
			t.Fatalf("%+v", r)
		}
		w.Ops[len(w.Ops)-1].Balance++ // of the last read, which nothing follows
		if r := Linear([]Window{w}); r.OK() {
			t.Fatal("a wrong balance is not found")
		}
	})
}

// trueHistory runs operations one by one, each at a moment between its call and its return, which overlap those of others.
func trueHistory(random *rand.Rand, n int) Window {
	w := Window{Start: Balances{100, 100, 100}}
	b, txn := w.Start, uint64(0)
	for i := range n {
		op := Op{Kind: Kind(random.IntN(4)), Client: i % 3, Account: i % 3, To: (i + 1) % 3, Amount: 1 + random.Int64N(80)}
		moment := int64(i * 10)
		op.Invoke, op.Return = moment-random.Int64N(10), moment+1+random.Int64N(10)
		after, possible := step(b, Op{Kind: op.Kind, Outcome: Unknown, Account: op.Account, To: op.To, Amount: op.Amount})
		switch {
		case !possible:
			op.Outcome = Refused
		default:
			b, op.Balance = after, after[op.Account]
			if op.moved() {
				txn++
				op.Txn = txn
			}
		}
		w.Ops = append(w.Ops, op)
	}
	last := int64(n*10 + 20)
	for account := range 3 {
		w.Ops = append(w.Ops, Op{Kind: Read, Client: account, Account: account, Balance: b[account], Invoke: last, Return: last + 1})
	}
	return w
}
