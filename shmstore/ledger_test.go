package shmstore

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"

	"tradechat.internal/ledger"
)

func TestMoneyMovesAndErrorsChangeNothing(t *testing.T) {
	st := newStore(t, smallShape())
	alice, bob := login(t, st, "alice", 1000), login(t, st, "bob", 50)
	rich := addUser(t, st, "rich")
	if _, err := st.DepositTo(rich, AmountMax-1050); err != nil {
		t.Fatal(err)
	}
	var reqID uint64
	next := func() uint64 { reqID++; return reqID }
	cases := []struct {
		name    string
		do      func() (Posting, error)
		want    error
		balance int64 // alice's afterwards
	}{
		{"deposit", func() (Posting, error) { return st.Deposit(alice, next(), 0) }, ErrInvalidAmount, 1000},
		{"deposit too much", func() (Posting, error) { return st.Deposit(alice, next(), AmountMax+1) }, ErrInvalidAmount, 1000},
		{"balance past the limit", func() (Posting, error) { return st.Deposit(alice, next(), AmountMax) }, ErrBalanceLimit, 1000},
		{"supply past the limit", func() (Posting, error) { return st.Deposit(alice, next(), 1) }, ErrBalanceLimit, 1000},
		{"withdraw", func() (Posting, error) { return st.Withdraw(alice, next(), 300) }, nil, 700},
		{"withdraw too much", func() (Posting, error) { return st.Withdraw(alice, next(), 701) }, ErrInsufficientFunds, 700},
		{"deposit what was withdrawn", func() (Posting, error) { return st.Deposit(alice, next(), 300) }, nil, 1000},
		{"transfer", func() (Posting, error) { return st.Transfer(alice, next(), bob.User, 1) }, nil, 999},
		{"transfer all", func() (Posting, error) { return st.Transfer(alice, next(), bob.User, 999) }, nil, 0},
		{"transfer too much", func() (Posting, error) { return st.Transfer(alice, next(), bob.User, 1) }, ErrInsufficientFunds, 0},
		{"to oneself", func() (Posting, error) { return st.Transfer(alice, next(), alice.User, 1) }, ErrSelfTransfer, 0},
		{"to nobody", func() (Posting, error) { return st.Transfer(alice, next(), 63, 1) }, ErrNoUser, 0},
		{"to user 0", func() (Posting, error) { return st.Transfer(alice, next(), 0, 1) }, ErrNoUser, 0},
		{"nothing", func() (Posting, error) { return st.Transfer(alice, next(), bob.User, 0) }, ErrInvalidAmount, 0},
	}
	for _, c := range cases {
		head := st.seg.Head()
		p, err := c.do()
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
		if got := balanceOf(t, st, alice.User); got != c.balance {
			t.Errorf("%s: balance %d, want %d", c.name, got, c.balance)
		}
		if err == nil && (p.Seq != head+1 || p.Balance != c.balance || p.Replayed) {
			t.Errorf("%s: %+v after head %d", c.name, p, head)
		}
		if err != nil && st.seg.Head() != head {
			t.Errorf("%s: an error wrote record %d", c.name, st.seg.Head())
		}
	}
	if r := mustVerify(t, st.seg); r.Supply != AmountMax {
		t.Errorf("supply %d, want %d", r.Supply, uint64(AmountMax))
	}
}

func TestTransferPastTheReceiversLimit(t *testing.T) {
	st := newStore(t, smallShape())
	alice := login(t, st, "alice", 10)
	rich := login(t, st, "rich", AmountMax-10)
	if _, err := st.Transfer(alice, 1, rich.User, 10); err != nil {
		t.Fatal(err)
	}
	if got := balanceOf(t, st, rich.User); got != math.MaxInt64 {
		t.Fatalf("balance %d", got)
	}
	mustVerify(t, st.seg)
}

// TestLedgerAgainstAModel runs random requests on the store and on a map, through
// several turns of the log's ring.
func TestLedgerAgainstAModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		shape := smallShape()
		shape.LogRecords = logRecordsMin
		shape.LockMode = rapid.SampledFrom([]LockMode{LockPerAccount, LockGlobal}).Draw(rt, "mode")
		st := newStore(t, shape)
		const users = 5
		model := map[uint32]int64{}
		sessions := make([]Session, users)
		for i := range sessions {
			sessions[i] = login(t, st, fmt.Sprintf("user%d", i), 0)
		}
		steps := rapid.IntRange(1, 200).Draw(rt, "steps")
		for reqID := uint64(1); reqID <= uint64(steps); reqID++ {
			s := sessions[rapid.IntRange(0, users-1).Draw(rt, "user")]
			to := sessions[rapid.IntRange(0, users-1).Draw(rt, "to")].User
			amount := rapid.Uint64Range(1, 100).Draw(rt, "amount")
			var err, want error
			switch kind := rapid.IntRange(0, 2).Draw(rt, "kind"); {
			case kind == 0:
				_, err = st.Deposit(s, reqID, amount)
				model[s.User] += int64(amount)
			case kind == 1 && model[s.User] >= int64(amount):
				_, err = st.Withdraw(s, reqID, amount)
				model[s.User] -= int64(amount)
			case kind == 1:
				want = ErrInsufficientFunds
				_, err = st.Withdraw(s, reqID, amount)
			case s.User == to:
				want = ErrSelfTransfer
				_, err = st.Transfer(s, reqID, to, amount)
			case model[s.User] < int64(amount):
				want = ErrInsufficientFunds
				_, err = st.Transfer(s, reqID, to, amount)
			default:
				_, err = st.Transfer(s, reqID, to, amount)
				model[s.User] -= int64(amount)
				model[to] += int64(amount)
			}
			if !errors.Is(err, want) {
				rt.Fatalf("request %d: %v, want %v", reqID, err, want)
			}
		}
		for user, want := range model {
			if got := balanceOf(t, st, user); got != want {
				rt.Fatalf("user %d has %d, want %d", user, got, want)
			}
		}
		if r := st.seg.VerifyQuiescent(); !r.OK() {
			rt.Fatal(r.Problems)
		}
	})
}

func TestHistoryIsTheChainFromOneSide(t *testing.T) {
	st := newStore(t, smallShape())
	alice, bob := login(t, st, "alice", 0), login(t, st, "bob", 0)
	mustPost := func(p Posting, err error) uint64 {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return p.Seq
	}
	d := mustPost(st.Deposit(alice, 1, 100))
	out := mustPost(st.Transfer(alice, 2, bob.User, 30))
	in := mustPost(st.Transfer(bob, 1, alice.User, 5))
	w := mustPost(st.Withdraw(alice, 3, 10))
	want := []HistoryRow{
		{Seq: w, Kind: HistoryWithdraw, Delta: -10, BalanceAfter: 65},
		{Seq: in, Kind: HistoryTransferIn, Peer: bob.User, Delta: 5, BalanceAfter: 75},
		{Seq: out, Kind: HistoryTransferOut, Peer: bob.User, Delta: -30, BalanceAfter: 70},
		{Seq: d, Kind: HistoryDeposit, Delta: 100, BalanceAfter: 100},
	}
	check := func(before uint64, limit int, want []HistoryRow) {
		t.Helper()
		got, err := st.History(alice.User, before, make([]HistoryRow, 0, limit))
		if err != nil || len(got) != len(want) {
			t.Fatalf("before %d limit %d: %d rows, %v; want %d", before, limit, len(got), err, len(want))
		}
		for i := range want {
			if got[i].TimeNs == 0 {
				t.Errorf("row %d has no time", i)
			}
			got[i].TimeNs = 0
			if got[i] != want[i] {
				t.Errorf("before %d row %d: %+v, want %+v", before, i, got[i], want[i])
			}
		}
	}
	check(0, 10, want)
	check(0, 2, want[:2])
	check(w, 10, want[1:])
	check(in+1, 10, want[1:])
	check(d, 10, nil)
	if _, err := st.History(99, 0, nil); !errors.Is(err, ErrNoUser) {
		t.Errorf("unknown user: %v", err)
	}
}

func TestHistoryEndsWhereTheRingWasOverwritten(t *testing.T) {
	shape := smallShape()
	shape.LogRecords = logRecordsMin
	st := newStore(t, shape)
	s := login(t, st, "alice", 0)
	const n = 200
	for reqID := uint64(1); reqID <= n; reqID++ {
		if _, err := st.Deposit(s, reqID, 1); err != nil {
			t.Fatal(err)
		}
	}
	rows, err := st.History(s.User, 0, make([]HistoryRow, 0, n))
	if err != nil || len(rows) < logRecordsMin-2 || len(rows) > logRecordsMin {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for i, row := range rows {
		if row.BalanceAfter != int64(n-i) {
			t.Fatalf("row %d: %+v", i, row)
		}
	}
	mustVerify(t, st.seg)
}

func TestLogIsFullWhileARecordIsNotApplied(t *testing.T) {
	shape := smallShape()
	shape.LogRecords = logRecordsMin
	seg := newSegment(t, shape)
	st := bind(t, seg, 0, nil)
	s := login(t, st, "alice", 0)
	stuck := bind(t, seg, 1, nil)
	stuck.slot.pendingSeq = seg.Head()
	var err error
	for reqID := uint64(1); err == nil && reqID < 3*logRecordsMin; reqID++ {
		_, err = st.Deposit(s, reqID, 1)
	}
	if !errors.Is(err, ErrBusy) {
		t.Fatalf("a full log: %v", err)
	}
	if got := seg.MetricsOf(0).Counters[CounterLogFull]; got != 1 {
		t.Errorf("log_full %d", got)
	}
	stuck.slot.pendingSeq = 0
	if _, err := st.Deposit(s, 1000, 1); err != nil {
		t.Fatalf("after the record was applied: %v", err)
	}
	mustVerify(t, seg)
}

// A journal that is slower than the workers finds everything that it has not written yet, however full the log is; and so does who
// asks for a durable balance.
func TestAFullLogCanBeReadFromTheOldestRecordThatIsNotDurable(t *testing.T) {
	shape := smallShape()
	shape.LogRecords = logRecordsMin
	seg := newSegment(t, shape)
	st := bind(t, seg, 0, nil)
	s := login(t, st, "alice", 0)
	journal := bind(t, seg, shape.LogWriterSlot(), nil)
	seg.UseJournal(seg.Head())
	balance := int64(0)
	for turn, reqID := 0, uint64(1); turn < 3; turn++ {
		var err error
		for ; err == nil; reqID++ {
			if _, err = st.Deposit(s, reqID, 1); err == nil {
				balance++
			}
		}
		if !errors.Is(err, ErrBusy) {
			t.Fatalf("a full log: %v", err)
		}
		behind := seg.Head() - seg.Durable()
		records := make([]ledger.Record, logRecordsMin)
		n, err := seg.ReadLog(seg.Durable(), records)
		if err != nil || uint64(n) != behind || records[0].Seq != seg.Durable()+1 {
			t.Fatalf("turn %d: %d of %d records, %v", turn, n, behind, err)
		}
		if durable, _, err := st.DurableBalance(s.User); err != nil || durable != balance-int64(behind) {
			t.Fatalf("turn %d: durable balance %d of %d, %d records behind, %v", turn, durable, balance, behind, err)
		}
		journal.PublishDurable(seg.Durable() + behind/2)
	}
	mustVerify(t, seg)
}

// TestAnAccountsSumsDoNotWrap: a deposit or withdrawal that a record could not say is refused, and changes nothing.
func TestAnAccountsSumsDoNotWrap(t *testing.T) {
	st := newStore(t, smallShape())
	s := login(t, st, "alice", 100)
	account := &st.seg.accounts[s.User]
	account.deposited, account.withdrawn = math.MaxUint64-9, math.MaxUint64-9
	var reqID uint64
	next := func() uint64 { reqID++; return reqID }
	for i, order := range []func(amount uint64) (Posting, error){
		func(amount uint64) (Posting, error) { return st.Deposit(s, next(), amount) },
		func(amount uint64) (Posting, error) { return st.Withdraw(s, next(), amount) },
	} {
		head := st.seg.Head()
		if _, err := order(10); !errors.Is(err, ErrBalanceLimit) || st.seg.Head() != head {
			t.Errorf("order %d: %v", i, err)
		}
		if _, err := order(9); err != nil {
			t.Errorf("order %d, the last that fits: %v", i, err)
		}
	}
}
