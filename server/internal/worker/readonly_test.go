package worker

import (
	"testing"

	"tradechat.internal/libproto"
	"tradechat.internal/shmstore"
)

// TestTheJournalFails with answers parked, and what the server still does then.
func TestTheJournalFails(t *testing.T) {
	c := newCluster(t, nil)
	c.addUser("alice", 100)
	bob := c.addUser("bob", 0)
	j := c.openJournal()
	c.start()
	p, b := c.workers[0].enter(t, "alice"), c.workers[0].enter(t, "bob")
	p.join(1)
	b.join(1)
	p.push() // bob has joined
	kept := p.sent(libproto.OpDeposit, libproto.DepositRequest{Amount: 20})
	p.silent()
	j.sync()
	p.answered(libproto.OpDeposit, kept)
	durable := c.segment.Durable()

	lost := p.sent(libproto.OpWithdraw, libproto.WithdrawRequest{Amount: 7})
	parked := map[uint64]libproto.Opcode{lost: libproto.OpWithdraw}
	for op, body := range map[libproto.Opcode]libproto.Body{
		libproto.OpTransferBatch: libproto.TransferBatchRequest{Legs: []libproto.TransferLeg{{ToUserID: bob, Amount: 1}}},
		libproto.OpBalance:       libproto.Empty{},
		libproto.OpTxnHistory:    libproto.TxnHistoryRequest{RowsMax: 9},
		libproto.OpTxnStatus:     libproto.TxnStatusRequest{SessionID: p.session, ReqID: lost},
		libproto.OpRoomOpen:      libproto.RoomOpenRequest{Name: []byte("attic")},
	} {
		parked[p.sent(op, body)] = op
	}
	p.silent()
	j.store.FailJournal("a test")
	for len(parked) > 0 {
		f := p.response()
		if parked[f.ReqID] != f.Op || f.Status != libproto.StatusTimeout || len(errorBody(t, f).Detail) == 0 {
			t.Fatalf("%v %d: %v", f.Op, f.ReqID, f.Status)
		}
		delete(parked, f.ReqID)
	}
	p.nothingIsKept(bob)
	p.showsOnlyTheDurable(durable, lost)

	// A retry of what is on disk is answered, of what is not it is not, and other parameters are a mistake still.
	p.reqID = kept - 1
	if f := p.ask(libproto.OpDeposit, libproto.DepositRequest{Amount: 20}, &libproto.TxnResponse{}); f.Flags&libproto.FlagReplayed == 0 {
		t.Error("not replayed")
	}
	p.reqID = kept - 1
	p.refused(libproto.StatusInvalidArgument, libproto.OpDeposit, libproto.DepositRequest{Amount: 21})
	p.reqID = lost - 1
	p.refused(libproto.StatusTimeout, libproto.OpWithdraw, libproto.WithdrawRequest{Amount: 7})

	p.reqID = 1000
	p.say(1, "chat goes on")
	if m := b.heard(); string(m.Message) != "chat goes on" {
		t.Errorf("%s", m.Message)
	}
	if r := dial(t, c.workers[0].addr).login("alice"); r.Balance != 120 {
		t.Errorf("balance %d at login", r.Balance)
	}
}

// nothingIsKept checks that whatever needs a record is refused.
func (p *peer) nothingIsKept(bob uint32) {
	p.t.Helper()
	for op, body := range map[libproto.Opcode]libproto.Body{
		libproto.OpDeposit:       libproto.DepositRequest{Amount: 1},
		libproto.OpWithdraw:      libproto.WithdrawRequest{Amount: 1},
		libproto.OpTransfer:      libproto.TransferRequest{ToUserID: bob, Amount: 1},
		libproto.OpTransferBatch: libproto.TransferBatchRequest{Legs: []libproto.TransferLeg{{ToUserID: bob, Amount: 1}, {ToUserID: bob, Amount: 2}}},
		libproto.OpRoomOpen:      libproto.RoomOpenRequest{Name: []byte("cellar")},
	} {
		p.refused(libproto.StatusReadOnly, op, body)
	}
}

// showsOnlyTheDurable checks what alice is told of her account: the deposits of 100 and 20, but not the withdrawal.
func (p *peer) showsOnlyTheDurable(durable, lost uint64) {
	p.t.Helper()
	var b libproto.BalanceResponse
	if p.ask(libproto.OpBalance, libproto.Empty{}, &b); b.Balance != 120 || b.LastTxnID != durable {
		p.t.Errorf("%+v", b)
	}
	var h libproto.TxnHistoryResponse
	for _, before := range []uint64{0, durable + 1, durable + 2, durable + 100} {
		p.ask(libproto.OpTxnHistory, libproto.TxnHistoryRequest{BeforeTxnID: before, RowsMax: 1}, &h)
		if len(h.Txns) != 1 || h.Txns[0].TxnID != durable || h.Txns[0].BalanceAfter != 120 {
			p.t.Errorf("before %d: %+v", before, h.Txns)
		}
	}
	p.ask(libproto.OpTxnHistory, libproto.TxnHistoryRequest{BeforeTxnID: durable, RowsMax: 9}, &h)
	if len(h.Txns) != 1 || h.Txns[0].BalanceAfter != 100 {
		p.t.Errorf("%+v", h.Txns)
	}
	p.refused(libproto.StatusTimeout, libproto.OpTxnStatus, libproto.TxnStatusRequest{SessionID: p.session, ReqID: lost})
	var s libproto.TxnStatusResponse
	p.ask(libproto.OpTxnStatus, libproto.TxnStatusRequest{SessionID: p.session, ReqID: 1 << 40}, &s)
	if s.Outcome != libproto.TxnPending {
		p.t.Errorf("%+v", s)
	}
}

// TestUsersThatAreNotKept: who registered when it was too late cannot come in.
func TestUsersThatAreNotKept(t *testing.T) {
	c := newCluster(t, nil)
	j := c.openJournal()
	c.start()
	p := dial(t, c.workers[0].addr)
	h := p.hello()
	register := func(name string) libproto.RegisterRequest {
		k := testKeys(name)
		return libproto.RegisterRequest{Username: []byte(name), StoredKey: k.Stored, ServerKey: k.Server}
	}
	id := p.sent(libproto.OpRegister, register("zoe"))
	p.silent()
	j.store.FailJournal("a test")
	if f := p.answered(libproto.OpRegister, id); f.Status != libproto.StatusTimeout {
		t.Errorf("%v", f.Status)
	}
	p.refused(libproto.StatusReadOnly, libproto.OpLogin, loginRequest("zoe", h))
	p.refused(libproto.StatusReadOnly, libproto.OpRegister, register("yves"))
}

// TestFailureWakesTheSlot, answers what was durable as such, counts each answer as what it was, and keeps pushes.
func TestFailureWakesTheSlot(t *testing.T) {
	s, j, socks := parkedStage(t, "alice", "bert")
	a, b := socks[0], socks[1]
	before := s.metrics(0).Statuses
	a.turn(depositFrame(10))
	a.turn(depositFrame(11))
	b.turn(depositFrame(10))
	s.w.begin()
	s.w.dismiss(b.c, libproto.GoingAwayIdle, "a test")
	s.w.end()
	s.woken(0)
	j.step(1)
	j.store.FailJournal("a test")
	if !s.woken(0) {
		t.Error("not woken")
	}
	s.deliver()
	if got := a.taken(); len(got) != 2 || got[0].Status != libproto.StatusOK || got[1].Status != libproto.StatusTimeout || got[1].ReqID != 11 {
		t.Errorf("%+v", got)
	}
	if got := b.taken(); len(got) != 2 || got[0].Status != libproto.StatusTimeout || got[1].Op != libproto.OpGoingAway {
		t.Errorf("%+v", got)
	}
	m := s.metrics(0)
	after := m.Statuses
	if ok, timeouts := after[libproto.StatusOK]-before[libproto.StatusOK], after[libproto.StatusTimeout]; ok != 1 || timeouts != 2 {
		t.Errorf("%d OK, %d ERR_TIMEOUT counted", ok, timeouts)
	}
	if n := m.Histograms[shmstore.LatencyTrade].Count(); n != 3 {
		t.Errorf("%d latencies", n)
	}
}

// TestABatchThatIsCutShort by the failure of the journal: what it did is not known to be kept.
func TestABatchThatIsCutShort(t *testing.T) {
	s, j, socks := parkedStage(t, "alice", "bert")
	batch := libproto.TransferBatchRequest{Legs: []libproto.TransferLeg{{ToUserID: 2, Amount: 1}, {ToUserID: 2, Amount: 2}}}
	socks[0].turn(encode(libproto.OpTransferBatch, 10, batch))
	j.step(1) // the first leg
	j.store.FailJournal("a test")
	s.deliver()
	if got := socks[0].taken(); len(got) != 1 || got[0].Status != libproto.StatusTimeout {
		t.Errorf("%+v", got)
	}
	if got := socks[0].turn(encode(libproto.OpTransferBatch, 10, batch)); got[0].Status != libproto.StatusTimeout {
		t.Errorf("the retry: %v", got[0].Status)
	}
	// One none of whose legs can be run is refused as a whole.
	if got := socks[1].turn(encode(libproto.OpTransferBatch, 10, libproto.TransferBatchRequest{
		Legs: []libproto.TransferLeg{{ToUserID: 1, Amount: 1}},
	})); got[0].Status != libproto.StatusReadOnly {
		t.Errorf("%v", got[0].Status)
	}
}
