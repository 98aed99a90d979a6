package worker

import (
	"errors"
	"io"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"tradechat.internal/libnet"
	"tradechat.internal/libproto"
	"tradechat.internal/server/internal/config"
	"tradechat.internal/shmstore"
)

func TestThousandRequestsInOneWrite(t *testing.T) {
	c := startCluster(t, nil)
	c.addUser("alice", 0)
	p := c.workers[0].enter(t, "alice")
	var batch []byte
	first := p.reqID + 1
	for range 1000 {
		batch = append(batch, p.request(libproto.OpDeposit, libproto.DepositRequest{Amount: 1})...)
	}
	p.write(batch)
	var r libproto.TxnResponse
	for i := range uint64(1000) {
		f := p.answered(libproto.OpDeposit, first+i)
		decode(t, f, &r)
		if r.Balance != int64(i)+1 {
			t.Fatalf("balance %d after %d deposits", r.Balance, i+1)
		}
	}
}

// slowCluster has small socket buffers, so that a client that does not read is noticed soon.
func slowCluster(t *testing.T, tune ...func(*Worker)) *cluster {
	c := newCluster(t, func(s *config.Config) { s.OutboundBytesMax = 128 << 10 })
	c.listen.Socket = libnet.SocketOptions{SendBufferBytes: 16 << 10}
	if len(tune) > 0 {
		c.tune = tune[0]
	}
	c.start()
	return c
}

func TestSlowMemberDoesNotHoldUpTheOthers(t *testing.T) {
	c := slowCluster(t)
	slow, fast := "slow", "fast"
	c.addUser(slow, 0)
	c.addUser(fast, 0)
	s, f := c.workers[0].enter(t, slow), c.workers[0].enter(t, fast)
	s.join(1)
	f.join(1)
	text := string(make4k())
	sent := uint64(0)
	for c.metrics(0).Counters[shmstore.CounterSlowConsumers] == 0 {
		sent = f.say(1, text).RoomSeq
		if m := f.heard(); m.RoomSeq != sent {
			t.Fatalf("room_seq %d, not %d", m.RoomSeq, sent)
		}
		if sent > 10_000 {
			t.Fatal("the slow member is never cut off")
		}
	}
	heard := uint64(0)
	for {
		frame := s.push()
		if frame.Op == libproto.OpGoingAway {
			var g libproto.GoingAway
			decode(t, frame, &g)
			if g.Reason != libproto.GoingAwaySlowConsumer {
				t.Errorf("%v", g.Reason)
			}
			break
		}
		var m libproto.ChatBroadcast
		if frame.Op != libproto.OpChatBroadcast {
			continue // fast has joined
		}
		decode(t, frame, &m)
		if heard++; m.RoomSeq != heard {
			t.Fatalf("room_seq %d instead of %d", m.RoomSeq, heard)
		}
	}
	s.closed()
	if heard == 0 || heard > sent {
		t.Errorf("heard %d of %d", heard, sent)
	}
	f.say(1, "goes on")
}

// TestPipeliningWithoutReading: a client that asks for much and takes nothing is not served further, and in the end cut off; others are
// served.
func TestPipeliningWithoutReading(t *testing.T) {
	c := slowCluster(t, func(w *Worker) { w.stallMax = ticks(500 * time.Millisecond) })
	c.addUser("alice", 0)
	c.addUser("bob", 0)
	a, b := c.workers[0].enter(t, "alice"), c.workers[0].enter(t, "bob")
	a.join(1)
	for range 12 {
		a.say(1, string(make4k()))
	}
	var batch []byte
	for range 2000 {
		batch = append(batch, a.request(libproto.OpRoomHistory, libproto.RoomHistoryRequest{RoomID: 1, RowsMax: 512})...)
	}
	written := make(chan error, 1)
	go func() {
		_ = a.socket.SetWriteDeadline(time.Now().Add(patience))
		_, err := a.socket.Write(batch)
		written <- err
	}()
	c.awaitCounter(0, shmstore.CounterSlowConsumers, 1)
	b.call(libproto.OpBalance, libproto.Empty{})
	for {
		if _, err := a.next(); err != nil {
			break // how it ends depends on how much was left unread
		}
	}
	<-written
	if out := c.metrics(0).Counters[shmstore.CounterBytesOut]; out > 4<<20 {
		t.Errorf("%d bytes were written to a client that did not read", out)
	}
}

func TestIdleConnectionsAreClosed(t *testing.T) {
	c := startCluster(t, func(s *config.Config) {
		s.IdleTimeout = 300 * time.Millisecond
		s.HeartbeatInterval = 50 * time.Millisecond
	})
	c.addUser("alice", 0)
	silent, active := c.workers[0].enter(t, "alice"), c.workers[0].enter(t, "alice")
	fresh := dial(t, c.workers[0].addr)
	began := time.Now()
	over := make(chan struct{})
	go func() {
		defer close(over)
		for _, p := range []*peer{silent, fresh} {
			if f, err := p.next(); err != nil || f.Op != libproto.OpGoingAway {
				t.Errorf("%v, %v", f.Op, err)
			}
		}
	}()
	for running := true; running; {
		active.call(libproto.OpHeartbeat, libproto.HeartbeatRequest{})
		select {
		case <-over:
			running = false
		default:
		}
	}
	if took := time.Since(began); took < 300*time.Millisecond {
		t.Errorf("closed after %v already", took)
	}
	active.call(libproto.OpHeartbeat, libproto.HeartbeatRequest{})
	silent.closed()
	fresh.closed()
	if n := c.metrics(0).Counters[shmstore.CounterIdleTimeouts]; n != 2 {
		t.Errorf("%d idle timeouts counted", n)
	}
}

// TestBytesKeepAConnection: half a frame now and then is a sign of life, too.
func TestBytesKeepAConnection(t *testing.T) {
	s := newStage(t)
	s.w.idleMax, s.w.loginMax = 5, 3
	s.addUser("alice", 0)
	sock := s.enter("alice")
	frame := encode(libproto.OpHeartbeat, 9, libproto.HeartbeatRequest{})
	at := func(passed tick) {
		s.w.clock.tick += passed
		s.w.sweep()
	}
	for _, b := range frame[:len(frame)-1] {
		sock.in = append(sock.in, b)
		s.w.read(sock.c, sock)
		at(5)
	}
	if sock.c.state != stateReady {
		t.Fatal("closed although bytes have come")
	}
	at(1)
	if sock.c.state != stateLeaving {
		t.Error("open although no byte has come")
	}
}

func TestLoginDeadline(t *testing.T) {
	c := startCluster(t, func(s *config.Config) { s.LoginTimeout = 200 * time.Millisecond })
	c.addUser("alice", 0)
	in := c.workers[0].enter(t, "alice")
	greeted := dial(t, c.workers[0].addr)
	greeted.hello()
	greeted.wentAway(libproto.GoingAwayIdle)
	greeted.closed()
	in.call(libproto.OpBalance, libproto.Empty{})
	in.ask(libproto.OpLogout, libproto.Empty{}, &libproto.Empty{})
	in.goingAway(libproto.GoingAwayIdle)
}

func TestRateLimitOverASocket(t *testing.T) {
	c := startCluster(t, func(s *config.Config) { s.RateLimit = 5 })
	p := dial(t, c.workers[0].addr)
	p.hello()
	var batch []byte
	for range 10 {
		batch = append(batch, p.request(libproto.OpHeartbeat, libproto.HeartbeatRequest{})...)
	}
	p.write(batch)
	busy := 0
	for range 10 {
		if f := p.response(); f.Status == libproto.StatusRateLimit {
			busy++
			if e := errorBody(t, f); e.RetryAfterMs == 0 || e.RetryAfterMs > 1000 {
				t.Errorf("retry after %d ms", e.RetryAfterMs)
			}
		}
	}
	if busy != 6 { // HELLO took one of the five
		t.Errorf("%d of 10 refused", busy)
	}
}

func TestDrain(t *testing.T) {
	c := newCluster(t, nil)
	w := c.startWorker(0)
	id := c.addUser("alice", 0)
	p, idle, stubborn := w.enter(t, "alice"), w.enter(t, "alice"), dial(t, w.addr)
	w.Drain()
	p.wentAway(libproto.GoingAwayShutdown)
	p.call(libproto.OpDeposit, libproto.DepositRequest{Amount: 5}) // under way when the server began to stop
	for _, q := range []*peer{p, idle} {
		q.pushes = nil
	}
	idle.wentAway(libproto.GoingAwayShutdown)
	p.closed()
	idle.closed()
	stubborn.wentAway(libproto.GoingAwayShutdown)
	must(t, w.wait())
	if c.segment.Online(id) || c.segment.SlotInfo(0).State != shmstore.SlotFree {
		t.Errorf("left behind: online %v, slot %v", c.segment.Online(id), c.segment.SlotInfo(0).State)
	}
	if balance, _, _ := c.master.Balance(id); balance != 5 {
		t.Errorf("balance %d", balance)
	}
	if n := c.metrics(0); n.OpenConnections() != 0 {
		t.Errorf("%d connections open", n.OpenConnections())
	}
	c.verify()
	// The listening socket is the master's as well: a successor on the same slot serves whoever waits.
	c.startWorker(0)
}

func TestMasterGone(t *testing.T) {
	c := newCluster(t, nil)
	c.addUser("alice", 0)
	r, ready := c.newWorker(0)
	go func() { r.done <- r.Serve() }()
	if n, err := unix.Read(ready, make([]byte, 1)); n != 1 {
		t.Fatal(err)
	}
	p := r.enter(t, "alice")
	must(t, unix.Close(r.life))
	if err := r.wait(); !errors.Is(err, ErrOrphaned) {
		t.Errorf("ended with %v", err)
	}
	if _, err := p.next(); err == nil {
		t.Error("the connection goes on")
	}
}

func TestHalfClosedClientIsAnswered(t *testing.T) {
	c := startCluster(t, nil)
	c.addUser("alice", 0)
	p := c.workers[0].enter(t, "alice")
	p.write(append(p.request(libproto.OpBalance, libproto.Empty{}), p.request(libproto.OpBalance, libproto.Empty{})...))
	must(t, p.socket.CloseWrite())
	p.response()
	p.response()
	if _, err := p.next(); err != io.EOF {
		t.Error(err)
	}
}

// TestBusyRoom: a slot that is alive but does not drain holds senders up; they are told to come back.
func TestBusyRoom(t *testing.T) {
	c := startCluster(t, nil)
	c.addUser("alice", 0)
	zoe, err := c.master.OpenSession(c.addUser("zoe", 0))
	must(t, err)
	_, err = c.master.Join(zoe, 1)
	must(t, err)
	p := c.workers[0].enter(t, "alice")
	p.join(1)
	for sent := 0; ; sent++ {
		c.master.Beat()
		f := p.call(libproto.OpChatSend, message(1, string(make4k())))
		if f.Status == libproto.StatusServerBusy {
			if e := errorBody(t, f); e.RetryAfterMs == 0 {
				t.Error("no hint when to come back")
			}
			break
		}
		if sent > 100 {
			t.Fatal("never busy")
		}
	}
	c.master.DrainRoom(1, func(shmstore.Event) {})
	p.say(1, "again")
	c.master.CloseSession(zoe)
}
