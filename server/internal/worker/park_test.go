package worker

import (
	"bytes"
	"runtime"
	"testing"
	"time"

	"tradechat.internal/libproto"
	"tradechat.internal/server/internal/config"
	"tradechat.internal/shmstore"
)

// silent checks that nothing has been answered but a request that is made now.
func (p *peer) silent() {
	p.t.Helper()
	p.call(libproto.OpHeartbeat, libproto.HeartbeatRequest{})
}

// sent sends a request and returns its req_id.
func (p *peer) sent(op libproto.Opcode, b libproto.Body) uint64 {
	p.t.Helper()
	p.write(p.request(op, b))
	return p.reqID
}

// TestNoPromiseBeforeTheDisk: each kind of answer that tells of a record waits for that record, and for no more.
func TestNoPromiseBeforeTheDisk(t *testing.T) {
	const bob = 2
	deposit := libproto.DepositRequest{Amount: 5}
	for _, c := range []struct {
		op      libproto.Opcode
		body    libproto.Body
		records uint64 // that it makes
		other   bool   // something else has made a record of the same account before
	}{
		{libproto.OpDeposit, deposit, 1, false},
		{libproto.OpWithdraw, libproto.WithdrawRequest{Amount: 5}, 1, false},
		{libproto.OpTransfer, libproto.TransferRequest{ToUserID: bob, Amount: 5}, 1, false},
		{libproto.OpTransferBatch, libproto.TransferBatchRequest{Legs: []libproto.TransferLeg{{ToUserID: bob, Amount: 1}, {ToUserID: bob, Amount: 2}, {}}}, 2, false},
		{libproto.OpTransferBatch, libproto.TransferBatchRequest{Legs: []libproto.TransferLeg{{}}}, 0, true},
		{libproto.OpBalance, libproto.Empty{}, 0, true},
		{libproto.OpTxnHistory, libproto.TxnHistoryRequest{RowsMax: 9}, 0, true},
		{libproto.OpRoomOpen, libproto.RoomOpenRequest{Name: []byte("attic")}, 1, false},
	} {
		t.Run(c.op.String(), func(t *testing.T) {
			cl := newCluster(t, nil)
			alice := cl.addUser("alice", 100)
			cl.addUser("bob", 0)
			j := cl.openJournal()
			cl.start()
			p := cl.workers[0].enter(t, "alice")
			if c.other {
				_, err := cl.master.DepositTo(alice, 1)
				must(t, err)
			}
			id := p.sent(c.op, c.body)
			p.silent()
			last := c.records
			if c.other {
				last = 1
			}
			if j.behind() != last {
				t.Fatalf("%d records", j.behind())
			}
			j.step(last - 1)
			p.silent()
			j.step(1)
			if f := p.answered(c.op, id); f.Status != libproto.StatusOK {
				t.Fatalf("%v", f.Status)
			}
			cl.verify()
		})
	}
}

// TestARefusalWaitsForItsReason: what a crash could take back is not seen in a refusal either. When the reason cannot be kept any
// more, the refusal is none.
func TestARefusalWaitsForItsReason(t *testing.T) {
	const bob = 2
	for _, op := range []struct {
		op   libproto.Opcode
		body libproto.Body
	}{
		{libproto.OpWithdraw, libproto.WithdrawRequest{Amount: 50}},
		{libproto.OpTransfer, libproto.TransferRequest{ToUserID: bob, Amount: 50}},
	} {
		t.Run(op.op.String(), func(t *testing.T) {
			c := newCluster(t, nil)
			c.addUser("alice", 100)
			c.addUser("bob", 0)
			j := c.openJournal()
			c.start()
			p := c.workers[0].enter(t, "alice")
			withdrawal := p.sent(libproto.OpWithdraw, libproto.WithdrawRequest{Amount: 60})
			refused := p.sent(op.op, op.body)
			p.silent()
			j.sync()
			p.answered(libproto.OpWithdraw, withdrawal)
			if f := p.answered(op.op, refused); f.Status != libproto.StatusInsufficientFunds {
				t.Fatalf("%v", f.Status)
			}
			p.refused(libproto.StatusInsufficientFunds, op.op, op.body) // the reason is durable: at once
			lost := p.sent(libproto.OpWithdraw, libproto.WithdrawRequest{Amount: 30})
			p.silent()
			j.store.FailJournal("the disk is full")
			if f := p.answered(libproto.OpWithdraw, lost); f.Status != libproto.StatusTimeout {
				t.Fatalf("%v", f.Status)
			}
			p.refused(libproto.StatusReadOnly, op.op, op.body)
			c.verify()
		})
	}
}

// TestRegistrationWaits, and a login with keys that a crash could take back is put off.
func TestRegistrationWaits(t *testing.T) {
	c := newCluster(t, nil)
	j := c.openJournal()
	c.start()
	p := dial(t, c.workers[0].addr)
	h := p.hello()
	k := testKeys("zoe")
	id := p.sent(libproto.OpRegister, libproto.RegisterRequest{Username: []byte("zoe"), StoredKey: k.Stored, ServerKey: k.Server})
	p.silent()
	p.refused(libproto.StatusServerBusy, libproto.OpLogin, loginRequest("zoe", h))
	j.sync()
	if f := p.answered(libproto.OpRegister, id); f.Status != libproto.StatusOK {
		t.Fatal(f.Status)
	}
	p.ask(libproto.OpLogin, loginRequest("zoe", h), &libproto.LoginResponse{})
}

// TestLoginShowsWhatIsDurable, and does not wait for the rest.
func TestLoginShowsWhatIsDurable(t *testing.T) {
	c := newCluster(t, nil)
	c.addUser("alice", 100)
	j := c.openJournal()
	c.start()
	first := c.workers[0].enter(t, "alice")
	id := first.sent(libproto.OpDeposit, libproto.DepositRequest{Amount: 50})
	first.silent()
	if r := dial(t, c.workers[0].addr).login("alice"); r.Balance != 100 {
		t.Errorf("balance %d", r.Balance)
	}
	j.sync()
	first.answered(libproto.OpDeposit, id)
	if r := dial(t, c.workers[0].addr).login("alice"); r.Balance != 150 {
		t.Errorf("balance %d", r.Balance)
	}
}

// TestTxnStatusAndOlderHistoryWait as far as what they tell needs.
func TestTxnStatusAndOlderHistoryWait(t *testing.T) {
	c := newCluster(t, nil)
	c.addUser("alice", 100)
	j := c.openJournal()
	c.start()
	p := c.workers[0].enter(t, "alice")
	deposit := p.sent(libproto.OpDeposit, libproto.DepositRequest{Amount: 5})
	var s libproto.TxnStatusResponse
	p.ask(libproto.OpTxnStatus, libproto.TxnStatusRequest{SessionID: p.session, ReqID: 1 << 40}, &s)
	if s.Outcome != libproto.TxnPending {
		t.Errorf("%+v", s)
	}
	var h libproto.TxnHistoryResponse
	p.ask(libproto.OpTxnHistory, libproto.TxnHistoryRequest{BeforeTxnID: c.segment.Head(), RowsMax: 9}, &h)
	if len(h.Txns) != 1 {
		t.Errorf("%+v", h)
	}
	status := p.sent(libproto.OpTxnStatus, libproto.TxnStatusRequest{SessionID: p.session, ReqID: deposit})
	p.silent()
	j.sync()
	p.answered(libproto.OpDeposit, deposit)
	decode(t, p.answered(libproto.OpTxnStatus, status), &s)
	if s.Outcome != libproto.TxnApplied || s.TxnID != c.segment.Head() {
		t.Errorf("%+v", s)
	}
}

// TestAnotherWorkersRecordIsWaitedFor: a worker promises what another has committed.
func TestAnotherWorkersRecordIsWaitedFor(t *testing.T) {
	c := newCluster(t, func(s *config.Config) { s.Workers = 2 })
	c.addUser("alice", 100)
	j := c.openJournal()
	c.start()
	a, b := c.workers[0].enter(t, "alice"), c.workers[1].enter(t, "alice")
	deposit := a.sent(libproto.OpDeposit, libproto.DepositRequest{Amount: 5})
	a.silent()
	balance := b.sent(libproto.OpBalance, libproto.Empty{})
	b.silent()
	j.sync()
	var r libproto.BalanceResponse
	decode(t, b.answered(libproto.OpBalance, balance), &r)
	if a.answered(libproto.OpDeposit, deposit); r.Balance != 105 {
		t.Errorf("%+v", r)
	}
}

// TestOnlyPromisesWait: of the requests of one read, chat and the like are answered at once.
func TestOnlyPromisesWait(t *testing.T) {
	c := newCluster(t, nil)
	c.addUser("alice", 100)
	j := c.openJournal()
	c.start()
	p := c.workers[0].enter(t, "alice")
	p.join(1)
	first := p.reqID + 1
	var pipeline []byte
	for _, r := range []struct {
		op   libproto.Opcode
		body libproto.Body
	}{
		{libproto.OpDeposit, libproto.DepositRequest{Amount: 1}},
		{libproto.OpChatSend, message(1, "hello")},
		{libproto.OpBalance, libproto.Empty{}},
		{libproto.OpWithdraw, libproto.WithdrawRequest{}}, // refused, whatever the balance
		{libproto.OpDeposit, libproto.DepositRequest{Amount: 2}},
		{libproto.OpRoomOpen, libproto.RoomOpenRequest{Name: []byte("lobby")}},
	} {
		pipeline = append(pipeline, p.request(r.op, r.body)...)
	}
	p.write(pipeline)
	p.answered(libproto.OpChatSend, first+1)
	p.answered(libproto.OpWithdraw, first+3)
	p.answered(libproto.OpRoomOpen, first+5)
	if m := p.heard(); string(m.Message) != "hello" {
		t.Errorf("%s", m.Message)
	}
	p.silent()
	j.sync()
	p.answered(libproto.OpDeposit, first)
	p.answered(libproto.OpBalance, first+2)
	p.answered(libproto.OpDeposit, first+4)
}

// parkedStage is a stage with a journal and connections of alice, bert, … who have money.
func parkedStage(t testing.TB, names ...string) (s *stage, j *journal, socks []*fakeSock) {
	t.Helper()
	s = newStage(t)
	for _, name := range names {
		s.addUser(name, 1<<40)
	}
	j = s.openJournal()
	for _, name := range names {
		socks = append(socks, s.enter(name))
	}
	return s, j, socks
}

func depositFrame(reqID uint64) []byte {
	return encode(libproto.OpDeposit, reqID, libproto.DepositRequest{Amount: 1})
}

// TestReleaseInOrder: what is durable goes, the rest stays, and the slot is woken for the front of it each time.
func TestReleaseInOrder(t *testing.T) {
	s, j, socks := parkedStage(t, "alice", "bert")
	a, b := socks[0], socks[1]
	for i, sock := range []*fakeSock{a, b, a, a, b} {
		if n := len(sock.turn(append(depositFrame(uint64(10+i)), encode(libproto.OpHeartbeat, 1, libproto.HeartbeatRequest{})...))); n != 1 {
			t.Fatalf("%d answers at once", n)
		}
	}
	s.woken(0)
	for _, step := range []struct {
		n              uint64
		toA, toB       int
		writesA        int
		wakes, parking bool
	}{
		{1, 1, 0, 1, true, true},
		{1, 0, 1, 0, true, true},
		{2, 2, 0, 1, true, true}, // two reads in one write
		{1, 0, 1, 0, true, false},
		{0, 0, 0, 0, false, false},
	} {
		j.step(step.n)
		if woken := s.woken(0); woken != step.wakes {
			t.Errorf("woken: %v", woken)
		}
		s.deliver()
		writes := a.writes
		if toA, toB := len(a.taken()), len(b.taken()); toA != step.toA || toB != step.toB || writes != step.writesA {
			t.Errorf("%d answers in %d writes, and %d; want %+v", toA, writes, toB, step)
		}
		if s.w.parking.empty() == step.parking {
			t.Errorf("%d bytes are parked", s.w.parking.waiting())
		}
	}
	if a.c.parked != 0 || b.c.parked != 0 {
		t.Errorf("%d and %d bytes are counted as parked", a.c.parked, b.c.parked)
	}
}

// TestReleaseWithoutAWakeUp: any turn releases what has become durable meanwhile.
func TestReleaseWithoutAWakeUp(t *testing.T) {
	_, j, socks := parkedStage(t, "alice", "bert")
	socks[0].turn(depositFrame(10))
	j.sync()
	socks[1].turn(encode(libproto.OpHeartbeat, 1, libproto.HeartbeatRequest{}))
	if got := socks[0].taken(); len(got) != 1 || got[0].ReqID != 10 {
		t.Errorf("%d answers", len(got))
	}
}

// TestDurableBeforeTheTurnEnds: the record becomes durable between its commit and the look at what is parked.
func TestDurableBeforeTheTurnEnds(t *testing.T) {
	s, j, socks := parkedStage(t, "alice")
	i, _ := libproto.OpHeartbeat.Index()
	answer := s.w.handlers[i]
	s.w.handlers[i] = func(w *Worker, r *request) {
		j.sync()
		answer(w, r)
	}
	got := socks[0].turn(append(depositFrame(10), encode(libproto.OpHeartbeat, 11, libproto.HeartbeatRequest{})...))
	if len(got) != 2 || s.woken(0) {
		t.Errorf("%d answers", len(got))
	}
}

// TestConnectionsDieWhileParked: their answers are passed over, those of others are not, and nothing holds on to them.
func TestConnectionsDieWhileParked(t *testing.T) {
	s, j, socks := parkedStage(t, "alice", "bert", "cleo")
	for i, sock := range []*fakeSock{socks[0], socks[1], socks[2], socks[0], socks[1]} {
		sock.turn(depositFrame(uint64(10 + i)))
	}
	s.w.OnClose(socks[0], nil) // while it waits
	socks[0].closed = true
	socks[1].broken = true // when it is answered
	j.sync()
	s.deliver()
	if got := socks[2].taken(); len(got) != 1 || got[0].ReqID != 12 {
		t.Errorf("%d answers", len(got))
	}
	if !socks[1].closed || len(s.w.table.rows) != 1 || !s.w.parking.empty() {
		t.Errorf("closed %v, %d connections, %d bytes parked", socks[1].closed, len(s.w.table.rows), s.w.parking.waiting())
	}
	for _, a := range s.w.parking.queue[:cap(s.w.parking.queue)] {
		if a.c != nil {
			t.Error("the queue holds on to a connection")
		}
	}
}

// TestClosedWhileParked is that with real sockets.
func TestClosedWhileParked(t *testing.T) {
	c := newCluster(t, nil)
	alice := c.addUser("alice", 0)
	c.addUser("bob", 0)
	j := c.openJournal()
	c.start()
	a, b := c.workers[0].enter(t, "alice"), c.workers[0].enter(t, "bob")
	a.sent(libproto.OpDeposit, libproto.DepositRequest{Amount: 5})
	a.silent()
	id := b.sent(libproto.OpDeposit, libproto.DepositRequest{Amount: 5})
	_ = a.socket.Close()
	c.awaitCounter(0, shmstore.CounterConnectionsClosed, 1)
	j.sync()
	b.answered(libproto.OpDeposit, id)
	if balance, _, err := c.master.Balance(alice); err != nil || balance != 5 {
		t.Errorf("%d, %v", balance, err)
	}
	c.verify()
}

// TestParkedAnswersGoBeforeTheLastWord: a connection that is dismissed gets what it was promised, then GOING_AWAY.
func TestParkedAnswersGoBeforeTheLastWord(t *testing.T) {
	s, j, socks := parkedStage(t, "alice")
	sock := socks[0]
	sock.turn(depositFrame(10))
	sock.in = append(sock.in, depositFrame(11)...)
	for i := range uint64(libproto.StateFaultsMax) {
		sock.in = append(sock.in, encode(libproto.OpHello, 20+i, libproto.Empty{})...)
	}
	s.w.OnTraffic(sock)
	if got := sock.taken(); len(got) != libproto.StateFaultsMax || sock.c.state != stateLeaving {
		t.Fatalf("%d answers, %v", len(got), sock.c.state)
	}
	s.w.clock.start = s.w.clock.start.Add(-10 * lingerMax) // the disk takes its time
	s.tick()
	if sock.closed || sock.c.shut {
		t.Fatal("closed before it got its answers")
	}
	j.sync()
	s.deliver()
	got := sock.taken()
	if len(got) != 3 || got[0].ReqID != 10 || got[1].ReqID != 11 || got[2].Op != libproto.OpGoingAway || !sock.c.shut {
		t.Errorf("%d frames, shut %v", len(got), sock.c.shut)
	}
	if s.tick(); sock.closed {
		t.Error("no time to take it")
	}
	s.w.clock.start = s.w.clock.start.Add(-2 * lingerMax)
	s.tick()
	if !sock.closed {
		t.Error("lingers for good")
	}
}

// TestParkedPerConnection: a connection that goes on asking while the disk does not answer is not read from. Nothing of what it asks
// is lost, pushes go on, and others have room of their own.
func TestParkedPerConnection(t *testing.T) {
	c := newCluster(t, func(s *config.Config) {
		s.BodyBytesMax, s.MessageBytesMax, s.OutboundBytesMax = 1<<10, 256, 4<<10
	})
	c.addUser("alice", 0)
	c.addUser("bob", 0)
	j := c.openJournal()
	c.start()
	p, other := c.workers[0].enter(t, "alice"), c.workers[0].enter(t, "bob")
	p.join(1)
	other.join(1)
	if f := p.push(); f.Op != libproto.OpRoomEvent {
		t.Fatal(f.Op)
	}
	const answerLen, asked = libproto.HeaderLen + 16, 200
	const most = uint64(2<<10)/answerLen + 1
	first := p.reqID + 1
	var requests []byte
	for range asked {
		requests = append(requests, p.request(libproto.OpDeposit, libproto.DepositRequest{Amount: 1})...)
	}
	p.write(requests)
	other.say(1, "still here")
	p.heard()
	for j.behind() < most {
		runtime.Gosched()
	}
	if n := j.behind(); n != most {
		t.Errorf("%d answers are parked, not %d", n, most)
	}
	id := other.sent(libproto.OpDeposit, libproto.DepositRequest{Amount: 1})
	other.silent()
	j.follow()
	for i := range uint64(asked) {
		if f := p.answered(libproto.OpDeposit, first+i); f.Status != libproto.StatusOK {
			t.Fatalf("deposit %d: %v", i, f.Status)
		}
	}
	other.answered(libproto.OpDeposit, id)
}

// TestParkedInAll: the same for all connections together; and the memory is given back.
func TestParkedInAll(t *testing.T) {
	s, j, socks := parkedStage(t, "alice")
	s.w.parkedMax = 1 << 30
	sock := socks[0]
	sock.turn(depositFrame(10))
	request := encode(libproto.OpBalance, 11, libproto.Empty{})
	for len(sock.out) == 0 {
		sock.in = request
		s.w.OnTraffic(sock)
	}
	if got := sock.taken(); got[0].Status != libproto.StatusServerBusy {
		t.Fatal(got[0].Status)
	}
	if n := s.w.parking.waiting(); n <= parkedBytesMax || n > parkedBytesMax+200 {
		t.Errorf("%d bytes are parked", n)
	}
	j.sync()
	s.deliver()
	if n := len(sock.taken()); n < parkedBytesMax/200 {
		t.Errorf("%d answers", n)
	}
	if p := &s.w.parking; cap(p.bytes) > parkedKeptBytes || cap(p.queue) > parkedKeptBytes {
		t.Errorf("%d bytes and %d entries are kept", cap(p.bytes), cap(p.queue))
	}
}

// TestParkingMemoryMovesOn: a queue that is never empty does not grow.
func TestParkingMemoryMovesOn(t *testing.T) {
	var p parking
	c := new(conn)
	for i := range uint64(10_000) {
		p.bytes = append(p.bytes, bytes.Repeat([]byte{byte(i)}, 40)...)
		p.add(parkedAnswer{c: c, seq: i, length: 40})
		if i >= 5 {
			a, b := p.pop()
			if a.seq != i-5 || len(b) != 40 || b[0] != byte(i-5) || b[39] != byte(i-5) {
				t.Fatalf("entry %d: %+v, %v", i-5, a, b)
			}
			p.compact()
		}
		for _, a := range p.queue[len(p.queue):cap(p.queue)] {
			if a.c != nil {
				t.Fatal("the queue holds on to a connection")
			}
		}
	}
	if cap(p.bytes) > 4096 || cap(p.queue) > 64 || c.parked != 5*40 {
		t.Errorf("%d bytes, %d entries, %d parked", cap(p.bytes), cap(p.queue), c.parked)
	}
}

// TestWaitingIsPartOfTheLatency of what waited, and of nothing else.
func TestWaitingIsPartOfTheLatency(t *testing.T) {
	s, j, socks := parkedStage(t, "alice")
	socks[0].turn(append(depositFrame(10), encode(libproto.OpHeartbeat, 1, libproto.HeartbeatRequest{})...))
	m := s.metrics(0)
	if n := m.Histograms[shmstore.LatencyTrade].Count(); n != 0 {
		t.Errorf("%d booked before they are answered", n)
	}
	const wait = 3 * time.Second
	s.w.clock.start = s.w.clock.start.Add(-wait)
	j.sync()
	s.deliver()
	m = s.metrics(0)
	if h := m.Histograms[shmstore.LatencyTrade]; h.Count() != 1 || h.Quantile(1) < wait*7/8 {
		t.Errorf("trade: %d, %v", h.Count(), h.Quantile(1))
	}
	if h := m.Histograms[shmstore.LatencySession]; h.Quantile(1) >= wait/2 {
		t.Errorf("session: %v", h.Quantile(1))
	}
}

// TestOtherModesDoNotWait, but wake the journal.
func TestOtherModesDoNotWait(t *testing.T) {
	for _, mode := range []string{config.DurabilityAsync, config.DurabilityNone} {
		t.Run(mode, func(t *testing.T) {
			c := newCluster(t, func(s *config.Config) { s.Durability = mode })
			c.addUser("alice", 0)
			j := c.openJournal()
			c.start()
			p := c.workers[0].enter(t, "alice")
			var r libproto.TxnResponse
			p.ask(libproto.OpDeposit, libproto.DepositRequest{Amount: 5}, &r)
			var b libproto.BalanceResponse
			if p.ask(libproto.OpBalance, libproto.Empty{}, &b); b.Balance != 5 || b.LastTxnID != r.TxnID {
				t.Errorf("%+v", b)
			}
			if again := dial(t, c.workers[0].addr).login("alice"); again.Balance != 5 {
				t.Errorf("%+v", again)
			}
			if j.behind() != 1 {
				t.Errorf("%d records are not durable", j.behind())
			}
		})
	}
}

// TestTheJournalIsWoken when something was committed, in all modes.
func TestTheJournalIsWoken(t *testing.T) {
	for _, mode := range []string{config.DurabilitySync, config.DurabilityAsync, config.DurabilityNone} {
		t.Run(mode, func(t *testing.T) {
			c := newCluster(t, func(s *config.Config) { s.Durability = mode })
			c.addUser("alice", 0)
			j := c.openJournal()
			c.start()
			p := c.workers[0].enter(t, "alice")
			for range 30 { // in most of them it sleeps before the request is there
				started, woken, head := make(chan struct{}), make(chan struct{}), c.segment.Head()
				go func() {
					close(started)
					j.store.AwaitRecords(head, 10*patience)
					close(woken)
				}()
				<-started
				p.write(p.request(libproto.OpDeposit, libproto.DepositRequest{Amount: 5}))
				select {
				case <-woken:
				case <-time.After(patience):
					t.Fatal("the log writer sleeps on")
				}
			}
		})
	}
}
