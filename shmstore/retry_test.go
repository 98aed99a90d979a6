package shmstore

import (
	"errors"
	"testing"
)

func TestARetryIsAnsweredFromTheLog(t *testing.T) {
	st := newStore(t, smallShape())
	alice, bob := login(t, st, "alice", 100), login(t, st, "bob", 0)
	first, err := st.Transfer(alice, 7, bob.User, 30)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := st.Withdraw(alice, 9, 10); err != nil {
		t.Fatal(err)
	}
	again, err := st.Transfer(alice, 7, bob.User, 30)
	if err != nil || !again.Replayed || again.Seq != first.Seq || again.Balance != first.Balance {
		t.Errorf("retry: %+v, %v; the first was %+v", again, err, first)
	}
	for name, retry := range map[string]func() (Posting, error){
		"amount": func() (Posting, error) { return st.Transfer(alice, 7, bob.User, 31) },
		"kind":   func() (Posting, error) { return st.Withdraw(alice, 7, 30) },
	} {
		if _, err := retry(); !errors.Is(err, ErrRetryMismatch) {
			t.Errorf("retry with another %s: %v", name, err)
		}
	}
	if p, err := st.Deposit(alice, 8, 5); err != nil || p.Replayed {
		t.Errorf("a req_id that was skipped: %+v, %v", p, err)
	}
	if st.LastReqID(alice) != 9 {
		t.Errorf("last req_id %d", st.LastReqID(alice))
	}
	if got := balanceOf(t, st, alice.User); got != 65 {
		t.Errorf("balance %d, want 65", got)
	}
	mustVerify(t, st.seg)
}

func TestTheSameReqIDInAnotherSessionIsAnotherRequest(t *testing.T) {
	st := newStore(t, smallShape())
	one := login(t, st, "alice", 100)
	two := openSession(t, st, one.User)
	for _, s := range []Session{one, two} {
		if p, err := st.Withdraw(s, 5, 1); err != nil || p.Replayed {
			t.Errorf("session %x: %+v, %v", s.ID, p, err)
		}
	}
	mustVerify(t, st.seg)
}

func TestARetryBeyondTheRingIsExpired(t *testing.T) {
	shape := smallShape()
	shape.LogRecords = logRecordsMin
	st := newStore(t, shape)
	s := login(t, st, "alice", 0)
	for reqID := uint64(1); reqID <= 3*logRecordsMin; reqID++ {
		if _, err := st.Deposit(s, reqID, 1); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := st.Deposit(s, 1, 1); !errors.Is(err, ErrRetryExpired) {
		t.Errorf("retry of an overwritten record: %v", err)
	}
	if p, err := st.Deposit(s, 3*logRecordsMin, 1); err != nil || !p.Replayed {
		t.Errorf("retry of the newest: %+v, %v", p, err)
	}
	if outcome, _, err := st.TxnStatus(s.User, s.ID, 1); err != nil || outcome != OutcomeUnknown {
		t.Errorf("status of an overwritten record: %v, %v", outcome, err)
	}
}

func TestTxnStatus(t *testing.T) {
	st := newStore(t, smallShape())
	s := login(t, st, "alice", 100)
	p, err := st.Withdraw(s, 3, 40)
	if err != nil {
		t.Fatal(err)
	}
	if outcome, got, err := st.TxnStatus(s.User, s.ID, 3); err != nil || outcome != OutcomeApplied || got.Seq != p.Seq || got.Balance != 60 {
		t.Errorf("applied: %v %+v %v", outcome, got, err)
	}
	if outcome, _, err := st.TxnStatus(s.User, s.ID, 4); err != nil || outcome != OutcomePending {
		t.Errorf("pending: %v %v", outcome, err)
	}
	if outcome, _, err := st.TxnStatus(s.User, ^uint64(0), 4); err != nil || outcome != OutcomeUnknown {
		t.Errorf("a session of the future: %v %v", outcome, err)
	}
	if _, _, err := st.TxnStatus(60, s.ID, 4); !errors.Is(err, ErrNoUser) {
		t.Errorf("unknown user: %v", err)
	}
}

func TestAClosedSessionIsFenced(t *testing.T) {
	st := newStore(t, smallShape())
	s := login(t, st, "alice", 100)
	other := openSession(t, st, s.User)
	st.CloseSession(s)
	if _, err := st.Withdraw(s, 1, 1); !errors.Is(err, ErrFenced) {
		t.Errorf("withdraw: %v", err)
	}
	if _, err := st.TransferBatch(s, 1, []Leg{{To: 1, Amount: 1}}, make([]LegResult, 1)); !errors.Is(err, ErrFenced) {
		t.Errorf("batch: %v", err)
	}
	st.CloseSession(s)
	if _, err := st.Withdraw(other, 1, 1); err != nil {
		t.Errorf("the user's other session: %v", err)
	}
	mustVerify(t, st.seg)
}

func TestBatchLegsAreIndependentAndReplayed(t *testing.T) {
	st := newStore(t, smallShape())
	alice, bob, carol := login(t, st, "alice", 100), login(t, st, "bob", 0), login(t, st, "carol", 0)
	legs := []Leg{{bob.User, 60}, {carol.User, 60}, {alice.User, 1}, {carol.User, 40}, {99, 1}, {bob.User, 0}}
	out := make([]LegResult, len(legs))
	first, err := st.TransferBatch(alice, 5, legs, out)
	if err != nil || first.Balance != 0 || first.Replayed || first.Seq != out[3].Seq {
		t.Fatalf("batch: %+v, %v", first, err)
	}
	if _, err := st.Deposit(alice, 6, 7); err != nil {
		t.Fatal(err)
	}
	want := []error{nil, ErrInsufficientFunds, ErrSelfTransfer, nil, ErrNoUser, ErrInvalidAmount}
	for i := range want {
		if !errors.Is(out[i].Err, want[i]) || (out[i].Seq != 0) != (want[i] == nil) {
			t.Errorf("leg %d: %+v, want %v", i, out[i], want[i])
		}
	}
	again := make([]LegResult, len(legs))
	if _, err := st.TransferBatch(alice, 5, legs[:4], again[:4]); !errors.Is(err, ErrRetryMismatch) {
		t.Errorf("retry with fewer legs: %v", err)
	}
	second, err := st.TransferBatch(alice, 5, legs, again)
	if err != nil || !second.Replayed || second.Seq != first.Seq || second.Balance != first.Balance {
		t.Fatalf("retry: %+v, %v; at first %+v", second, err, first)
	}
	for i := range again {
		if again[i].Seq != out[i].Seq {
			t.Errorf("leg %d: seq %d on retry, %d at first", i, again[i].Seq, out[i].Seq)
		}
	}
	legs[3].Amount = 39
	head := st.seg.Head()
	if _, err := st.TransferBatch(alice, 5, legs, again); !errors.Is(err, ErrRetryMismatch) || st.seg.Head() != head {
		t.Errorf("retry with another amount: %v, %d new records", err, st.seg.Head()-head)
	}
	if _, err := st.TransferBatch(alice, 6, nil, nil); !errors.Is(err, ErrLegs) {
		t.Errorf("no legs: %v", err)
	}
	if outcome, p, err := st.TxnStatus(alice.User, alice.ID, 5); err != nil || outcome != OutcomeApplied || p.Seq != out[0].Seq {
		t.Errorf("status of the batch: %v %+v %v", outcome, p, err)
	}
	mustVerify(t, st.seg)
}

// TestABatchIsReplayedInALongSession retries a batch whose session began before the
// ring's oldest record: the legs themselves say where the batch began.
func TestABatchIsReplayedInALongSession(t *testing.T) {
	shape := smallShape()
	shape.LogRecords = logRecordsMin
	st := newStore(t, shape)
	alice, bob := login(t, st, "alice", 100), login(t, st, "bob", 0)
	for reqID := uint64(1); reqID <= 2*logRecordsMin; reqID++ {
		if _, err := st.Deposit(alice, reqID, 1); err != nil {
			t.Fatal(err)
		}
	}
	legs, out := []Leg{{bob.User, 1}, {bob.User, 1 << 40}, {bob.User, 2}}, make([]LegResult, 3)
	first, err := st.TransferBatch(alice, 500, legs, out)
	if err != nil {
		t.Fatal(err)
	}
	second, err := st.TransferBatch(alice, 500, legs, out)
	if err != nil || !second.Replayed || second.Seq != first.Seq || !errors.Is(out[1].Err, ErrInsufficientFunds) {
		t.Errorf("retry: %+v %v, legs %+v", second, err, out)
	}
	if got := balanceOf(t, st, bob.User); got != 3 {
		t.Errorf("bob has %d, want 3", got)
	}
}

func TestTheZeroSessionMovesNothing(t *testing.T) {
	st := newStore(t, smallShape())
	alice := login(t, st, "alice", 100)
	for name, s := range map[string]Session{"nobody's": {}, "a user's": {User: alice.User}} {
		if _, err := st.Withdraw(s, 1, 1); !errors.Is(err, ErrFenced) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := st.TransferBatch(s, 1, []Leg{{To: 1, Amount: 1}}, make([]LegResult, 1)); !errors.Is(err, ErrFenced) {
			t.Errorf("%s batch: %v", name, err)
		}
	}
	mustVerify(t, st.seg)
}

// TestADamagedChainEndsTheWalk points a record's predecessor at itself.
func TestADamagedChainEndsTheWalk(t *testing.T) {
	st := newStore(t, smallShape())
	s := login(t, st, "alice", 100)
	p, err := st.Withdraw(s, 10, 1)
	if err != nil {
		t.Fatal(err)
	}
	st.seg.recordSlot(p.Seq).SubjectPrev = p.Seq
	if outcome, _, err := st.TxnStatus(s.User, s.ID, 3); err != nil || outcome != OutcomePending {
		t.Errorf("%v %v", outcome, err)
	}
	if rows, err := st.History(s.User, 0, make([]HistoryRow, 0, 9)); err != nil || len(rows) != 1 {
		t.Errorf("%d rows, %v", len(rows), err)
	}
}

// TestNotAppliedIsFinal: once TXN_STATUS has said "not applied" of a request, it is not applied any more, whoever brings it.
func TestNotAppliedIsFinal(t *testing.T) {
	seg := newSegment(t, smallShape())
	a, b := bind(t, seg, 0, nil), bind(t, seg, 1, nil)
	alice := login(t, a, "alice", 100)
	asker := openSession(t, b, alice.User)
	status := func(want Outcome) {
		t.Helper()
		if got, _, err := b.TxnStatus(alice.User, alice.ID, 7); err != nil || got != want {
			t.Errorf("outcome %v, %v; want %v", got, err, want)
		}
	}
	status(OutcomePending) // its connection may have the request under way
	a.DetachSession(alice)
	status(OutcomeNotApplied)
	if _, err := a.Withdraw(alice, 7, 10); !errors.Is(err, ErrFenced) {
		t.Errorf("the request comes after all: %v", err)
	}
	if _, err := a.ResumeSession(alice.User, alice.ID); !errors.Is(err, ErrNoSession) {
		t.Errorf("the session is resumed: %v", err)
	}
	status(OutcomeNotApplied)
	if got, _, err := b.TxnStatus(alice.User, asker.ID, 1); err != nil || got != OutcomePending {
		t.Errorf("the asking session itself: %v, %v", got, err)
	}
	mustVerify(t, seg)
}

// TestNotAppliedIsFinalAfterARestart: nor is the session made anew from the log.
func TestNotAppliedIsFinalAfterARestart(t *testing.T) {
	old := newStore(t, smallShape())
	alice, bob := login(t, old, "alice", 100), login(t, old, "bob", 100)
	fold, records := foldOf(t, old.seg)
	seg := newSegment(t, smallShape())
	must(t, seg.BeginSessions(1))
	must(t, seg.Restore(fold, records))
	st := bind(t, seg, 0, nil)
	if got, _, err := st.TxnStatus(alice.User, alice.ID, 7); err != nil || got != OutcomeNotApplied {
		t.Fatalf("%v, %v", got, err)
	}
	if _, err := st.ResumeSession(alice.User, alice.ID); !errors.Is(err, ErrNoSession) {
		t.Errorf("the session is resumed: %v", err)
	}
	if _, err := st.ResumeSession(bob.User, bob.ID); err != nil {
		t.Errorf("nobody asked about this one: %v", err)
	}
	mustVerify(t, seg)
}

// TestARetryHasTheContentsOfItsRequest: under the same req_id nothing else is applied, whether the request was applied, in part or not.
func TestARetryHasTheContentsOfItsRequest(t *testing.T) {
	st := newStore(t, smallShape())
	alice, bob, carol := login(t, st, "alice", 50), addUser(t, st, "bob"), addUser(t, st, "carol")
	out := make([]LegResult, 2)
	asked := []Leg{{To: bob, Amount: 10}, {To: bob, Amount: 1000}}
	must(t, second(st.TransferBatch(alice, 1, asked, out)))
	if out[0].Err != nil || !errors.Is(out[1].Err, ErrInsufficientFunds) {
		t.Fatal(out)
	}
	batchAgain := func(when string) {
		t.Helper()
		for name, other := range map[string][]Leg{
			"the refused leg's amount": {asked[0], {To: bob, Amount: 5}},
			"the refused leg's payee":  {asked[0], {To: carol, Amount: 1000}},
			"the applied leg's amount": {{To: bob, Amount: 11}, asked[1]},
			"the order":                {asked[1], asked[0]},
			"a leg less":               asked[:1],
		} {
			if _, err := st.TransferBatch(alice, 1, other, make([]LegResult, len(other))); !errors.Is(err, ErrRetryMismatch) {
				t.Errorf("%s, %s: %v", name, when, err)
			}
		}
	}
	batchAgain("at once")
	if p, err := st.TransferBatch(alice, 1, asked, out); err != nil || !p.Replayed {
		t.Errorf("the same again: %+v, %v", p, err)
	}
	refused := func(name string, err error, want error) {
		t.Helper()
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
	refused("a transfer", second(st.Transfer(alice, 2, bob, 1000)), ErrInsufficientFunds)
	refused("with another amount", second(st.Transfer(alice, 2, bob, 10)), ErrRetryMismatch)
	refused("with another payee", second(st.Transfer(alice, 2, carol, 1000)), ErrRetryMismatch)
	refused("as a withdrawal", second(st.Withdraw(alice, 2, 1000)), ErrRetryMismatch)
	refused("as a deposit", second(st.Deposit(alice, 2, 1000)), ErrRetryMismatch)
	refused("as a batch", second(st.TransferBatch(alice, 2, asked, out)), ErrRetryMismatch)
	must(t, second(st.TransferBatch(alice, 3, []Leg{{To: bob, Amount: 1000}}, out[:1])))
	batchAgain("with another request refused since, so that only the log knows the contents")
	refused("a batch of which no leg was applied", second(st.TransferBatch(alice, 3, []Leg{{To: bob, Amount: 1}}, out[:1])), ErrRetryMismatch)
	must(t, second(st.DepositTo(alice.User, 2000)))
	if p, err := st.Transfer(alice, 2, bob, 1000); err != nil || p.Replayed {
		t.Errorf("the refused transfer again, with money: %+v, %v", p, err)
	}
	if balance := balanceOf(t, st, bob); balance != 1010 {
		t.Errorf("bob has %d, want 1010", balance)
	}
	mustVerify(t, st.seg)
}
