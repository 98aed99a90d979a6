package worker

import (
	"errors"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"tradechat.internal/libproto"
	"tradechat.internal/server/internal/config"
	"tradechat.internal/shmstore"
)

// two is a cluster of two workers with alice, who has money, and bob.
func two(t *testing.T) (c *cluster, alice, bob uint32) {
	t.Helper()
	c = newCluster(t, func(s *config.Config) { s.Workers = 2 })
	return c, c.addUser("alice", 100), c.addUser("bob", 0)
}

// resume is login for a session that there is.
func (p *peer) resume(name string, session uint64) libproto.Frame {
	p.t.Helper()
	q := loginRequest(name, p.hello())
	q.ResumeSessionID = session
	return p.call(libproto.OpLogin, q)
}

// reenter connects and takes a session over.
func (r *running) reenter(t testing.TB, name string, session uint64) (*peer, libproto.LoginResponse) {
	t.Helper()
	p := dial(t, r.addr)
	var l libproto.LoginResponse
	decode(t, p.resume(name, session), &l)
	if l.SessionID != session {
		t.Fatalf("session %d instead of %d", l.SessionID, session)
	}
	p.user, p.session, p.reqID = l.UserID, l.SessionID, 1000
	return p, l
}

// offline waits until a user's connection is gone for the server.
func (c *cluster) offline(user uint32) {
	c.t.Helper()
	await(c.t, "the session is detached", func() bool { return !c.segment.Online(user) })
}

func TestResumeIsGranted(t *testing.T) {
	c := startCluster(t, nil)
	var h libproto.HelloResponse
	dial(t, c.workers[0].addr).ask(libproto.OpHello, libproto.HelloRequest{VersionMin: 1, VersionMax: 1, Capabilities: libproto.CapResume}, &h)
	if h.Capabilities != libproto.CapResume {
		t.Errorf("%v", h.Capabilities)
	}
}

// TestResumeOnAnotherWorker: the rooms are kept, what was missed is said, and the rest comes in order.
func TestResumeOnAnotherWorker(t *testing.T) {
	c, alice, bob := two(t)
	attic, _, err := c.master.OpenRoom([]byte("attic"))
	must(t, err)
	c.start()
	a, b := c.workers[0].enter(t, "alice"), c.workers[1].enter(t, "bob")
	for _, room := range []uint32{1, attic} {
		a.join(room)
		b.join(room)
		a.sees(libproto.RoomEvent{RoomID: room, Kind: libproto.RoomEventJoined, UserID: bob, Name: []byte("bob")})
	}
	b.say(1, "heard")
	b.heard()
	a.heard()
	_ = a.socket.Close()
	c.offline(alice)
	for range 2 {
		b.say(1, "missed")
		b.heard()
	}
	again, l := c.workers[1].reenter(t, "alice", a.session)
	if l.UserID != alice || l.Balance != 100 || l.LastReqID != 0 {
		t.Errorf("%+v", l)
	}
	again.sees(libproto.RoomEvent{RoomID: 1, Kind: libproto.RoomEventGap, FirstSeq: 2, LastSeq: 3})
	again.quiet() // nothing was missed in the attic
	b.say(attic, "up here")
	if m := again.heard(); m.RoomID != attic || m.RoomSeq != 1 {
		t.Errorf("%+v", m)
	}
	b.say(1, "down here")
	if m := again.heard(); m.RoomID != 1 || m.RoomSeq != 4 {
		t.Errorf("%+v", m)
	}
	again.say(1, "me too")
	b.heard()
	b.heard()
	if m := b.heard(); m.RoomSeq != 5 || m.FromUserID != alice {
		t.Errorf("%+v", m)
	}
	b.quiet() // nobody has left or joined
	c.verify()
}

// TestTheOldConnectionIsSentAway, wherever the new one is.
func TestTheOldConnectionIsSentAway(t *testing.T) {
	for to, name := range []string{"same worker", "another worker"} {
		t.Run(name, func(t *testing.T) {
			c, alice, bob := two(t)
			c.start()
			old, b := c.workers[0].enter(t, "alice"), c.workers[0].enter(t, "bob")
			b.join(1)
			old.join(1)
			b.sees(libproto.RoomEvent{RoomID: 1, Kind: libproto.RoomEventJoined, UserID: alice, Name: []byte("alice")})
			again, _ := c.workers[to].reenter(t, "alice", old.session)
			old.goingAway(libproto.GoingAwayResumed)
			b.say(1, "hello")
			again.heard()
			b.heard()
			b.ask(libproto.OpDirectSend, direct("alice", "psst"), &libproto.DirectSendResponse{})
			if f := again.push(); f.Op != libproto.OpDirectMessage {
				t.Errorf("%v", f.Op)
			}
			again.ask(libproto.OpTransfer, libproto.TransferRequest{ToUserID: bob, Amount: 1}, &libproto.TxnResponse{})
			_ = old.socket.Close()
			c.awaitCounter(0, shmstore.CounterConnectionsClosed, 1)
			if again.quiet(); !c.segment.Online(alice) {
				t.Error("the old connection's end was the session's")
			}
			c.verify()
		})
	}
}

// TestAFencedConnectionIsRefused whatever it asks for, before it has heard that it is fenced.
func TestAFencedConnectionIsRefused(t *testing.T) {
	for _, request := range []struct {
		op   libproto.Opcode
		body libproto.Body
	}{
		{libproto.OpDeposit, libproto.DepositRequest{Amount: 1}},
		{libproto.OpTransferBatch, libproto.TransferBatchRequest{Legs: []libproto.TransferLeg{{ToUserID: 2, Amount: 1}}}},
		{libproto.OpBalance, libproto.Empty{}},
		{libproto.OpChatSend, message(1, "x")},
		{libproto.OpLeaveRoom, libproto.LeaveRoomRequest{RoomID: 1}},
		{libproto.OpDirectSend, direct("bob", "x")},
		{libproto.OpLogout, libproto.Empty{}},
	} {
		t.Run(request.op.String(), func(t *testing.T) {
			s := newStage(t)
			alice := s.addUser("alice", 100)
			s.addUser("bob", 0)
			sock := s.enter("alice")
			sock.turn(encode(libproto.OpJoinRoom, 3, libproto.JoinRoomRequest{RoomID: 1}))
			resumed, err := s.master.ResumeSession(alice, sock.c.session.ID)
			must(t, err)
			head := s.segment.Head()
			got := sock.turn(append(encode(request.op, 4, request.body), encode(libproto.OpHeartbeat, 5, libproto.HeartbeatRequest{})...))
			if len(got) != 2 || got[0].Status != libproto.StatusUnauthorized || got[1].Op != libproto.OpGoingAway {
				t.Fatalf("%+v", got)
			}
			s.deliver() // the mail that says so comes too late
			if len(sock.taken()) != 0 || s.segment.Head() != head || !s.master.IsMember(resumed.Session, 1) {
				t.Error("it has had an effect")
			}
		})
	}
}

// TestTheFenceKnowsItsConnection: mail about an earlier take-over does not end the connection that took over since.
func TestTheFenceKnowsItsConnection(t *testing.T) {
	s := newStage(t)
	alice := s.addUser("alice", 100)
	old := s.enter("alice")
	id := old.c.session.ID
	_, err := s.master.ResumeSession(alice, id) // mail for old
	must(t, err)
	again := s.dial()
	var h libproto.HelloResponse
	decode(t, again.turn(encode(libproto.OpHello, 1, libproto.HelloRequest{VersionMin: 1, VersionMax: 1, ClientNonce: testNonce}))[0], &h)
	q := loginRequest("alice", h)
	q.ResumeSessionID = id
	decode(t, again.turn(encode(libproto.OpLogin, 2, q))[0], &libproto.LoginResponse{})
	s.deliver()
	if got := old.taken(); len(got) != 1 || got[0].Op != libproto.OpGoingAway {
		t.Errorf("%+v", got)
	}
	if got := again.turn(encode(libproto.OpBalance, 3, libproto.Empty{})); len(got) != 1 || got[0].Op != libproto.OpBalance {
		t.Errorf("%+v", got)
	}
}

// TestManyResumeAtOnce: each take-over is whole, and in the end one connection has the session.
func TestManyResumeAtOnce(t *testing.T) {
	const peers = 12
	c, alice, _ := two(t)
	c.start()
	first := c.workers[0].enter(t, "alice")
	first.join(1)
	all := make([]*peer, peers)
	var running sync.WaitGroup
	for i := range peers {
		all[i] = dial(t, c.workers[i%2].addr)
		running.Go(func() {
			for {
				switch f := all[i].resume("alice", first.session); f.Status {
				case libproto.StatusOK:
					return
				case libproto.StatusServerBusy:
					_ = all[i].socket.Close()
					all[i] = dial(t, c.workers[i%2].addr)
				default:
					t.Errorf("%v", f.Status)
					return
				}
			}
		})
	}
	running.Wait()
	alive := 0
	for _, p := range slices.Concat(all, []*peer{first}) {
		if p.ends() {
			continue
		}
		alive++
		p.reqID = 5000
		p.ask(libproto.OpDeposit, libproto.DepositRequest{Amount: 1}, &libproto.TxnResponse{})
		p.say(1, "it is me")
		p.heard()
	}
	if alive != 1 || !c.segment.Online(alice) {
		t.Errorf("%d connections have the session", alive)
	}
	if balance, _, err := c.master.Balance(alice); err != nil || balance != 101 {
		t.Errorf("%d, %v", balance, err)
	}
	c.verify()
}

// ends asks for something, and reports whether the answer is the end of the connection because of a resume.
func (p *peer) ends() bool {
	p.t.Helper()
	if _, err := p.socket.Write(p.request(libproto.OpBalance, libproto.Empty{})); err != nil {
		return true
	}
	told := false
	for {
		f, err := p.next()
		switch {
		case err != nil:
			if !errors.Is(err, io.EOF) && !told {
				p.t.Errorf("%v", err)
			}
			return true
		case f.Op == libproto.OpGoingAway:
			told = true
		case f.Op == libproto.OpBalance && f.Status == libproto.StatusOK:
			return false
		}
	}
}

// TestRetriesAfterAResume: what was applied is answered from the log, what was not is executed, and that only once.
func TestRetriesAfterAResume(t *testing.T) {
	c, _, bob := two(t)
	c.start()
	a := c.workers[0].enter(t, "alice")
	transfer := libproto.TransferRequest{ToUserID: bob, Amount: 10}
	var first, again libproto.TxnResponse
	a.reqID = 50
	a.ask(libproto.OpTransfer, transfer, &first)
	p, l := c.workers[1].reenter(t, "alice", a.session)
	if l.LastReqID != 51 || l.Balance != 90 {
		t.Errorf("%+v", l)
	}
	p.reqID = 50
	if f := p.ask(libproto.OpTransfer, transfer, &again); f.Flags&libproto.FlagReplayed == 0 || again != first {
		t.Errorf("%v: %+v, not %+v", f.Flags, again, first)
	}
	p.reqID = 50
	p.refused(libproto.StatusInvalidArgument, libproto.OpTransfer, libproto.TransferRequest{ToUserID: bob, Amount: 11})
	p.reqID = 50
	p.refused(libproto.StatusInvalidArgument, libproto.OpDeposit, libproto.DepositRequest{Amount: 10})
	for _, replayed := range []libproto.Flags{0, libproto.FlagReplayed} { // one that had got lost on the way
		p.reqID = 40
		if f := p.ask(libproto.OpTransfer, transfer, &again); f.Flags&libproto.FlagReplayed != replayed || again.Balance != 80 {
			t.Errorf("%v: %+v", f.Flags, again)
		}
	}
	var s libproto.TxnStatusResponse
	for id, want := range map[uint64]libproto.TxnOutcome{51: libproto.TxnApplied, 41: libproto.TxnApplied, 45: libproto.TxnPending} {
		p.ask(libproto.OpTxnStatus, libproto.TxnStatusRequest{SessionID: a.session, ReqID: id}, &s)
		if s.Outcome != want {
			t.Errorf("%d: %+v", id, s)
		}
	}
	c.verify()
}

// TestResumeWhileParked: the old connection is answered when the disk has it, and then sent away; a retry of the same
// request on the new one waits for the same record.
func TestResumeWhileParked(t *testing.T) {
	c, _, _ := two(t)
	j := c.openJournal()
	c.start()
	old := c.workers[0].enter(t, "alice")
	id := old.sent(libproto.OpDeposit, libproto.DepositRequest{Amount: 5})
	old.silent()
	p, l := c.workers[1].reenter(t, "alice", old.session)
	if l.Balance != 100 || l.LastReqID != id {
		t.Errorf("%+v", l)
	}
	p.reqID = id - 1
	p.sent(libproto.OpDeposit, libproto.DepositRequest{Amount: 5})
	p.reqID = 1000
	p.silent()
	j.sync()
	var r libproto.TxnResponse
	f := p.answered(libproto.OpDeposit, id)
	if decode(t, f, &r); f.Flags&libproto.FlagReplayed == 0 || r.Balance != 105 || j.behind() != 0 {
		t.Errorf("%v: %+v", f.Flags, r)
	}
	old.answered(libproto.OpDeposit, id)
	old.goingAway(libproto.GoingAwayResumed)
}

// TestWhatCannotBeResumed is ERR_EXPIRED; a pair of nonces serves for three such attempts.
func TestWhatCannotBeResumed(t *testing.T) {
	c, alice, _ := two(t)
	c.start()
	bobs := c.workers[0].enter(t, "bob")
	loggedOut, expired := c.workers[0].enter(t, "alice"), c.workers[0].enter(t, "alice")
	loggedOut.ask(libproto.OpLogout, libproto.Empty{}, &libproto.Empty{})
	_ = expired.socket.Close()
	c.offline(alice)
	c.age(2 * c.config.SessionTTL)
	if n := c.master.ExpireSessions(); n != 1 {
		t.Errorf("%d sessions have expired", n)
	}
	for what, session := range map[string]uint64{
		"another user's": bobs.session, "logged out": loggedOut.session, "expired": expired.session, "unknown": 1 << 19, "to come": 1 << 60,
	} {
		if f := dial(t, c.workers[1].addr).resume("alice", session); f.Status != libproto.StatusExpired {
			t.Errorf("%s: %v", what, f.Status)
		}
	}
	bobs.quiet()
	p := dial(t, c.workers[1].addr)
	q := loginRequest("alice", p.hello())
	for q.ResumeSessionID = 1; q.ResumeSessionID <= libproto.LoginFaultsMax; q.ResumeSessionID++ {
		p.refused(libproto.StatusExpired, libproto.OpLogin, q)
	}
	p.closed()
}

// TestSessionsLiveAsLongAsTheSettingsSay from the end of their connection on.
func TestSessionsLiveAsLongAsTheSettingsSay(t *testing.T) {
	c := newCluster(t, func(s *config.Config) { s.SessionTTL = config.Defaults().SessionTTL / 2 })
	alice := c.addUser("alice", 0)
	c.start()
	p := c.workers[0].enter(t, "alice")
	_ = p.socket.Close()
	c.offline(alice)
	c.age(c.config.SessionTTL - patience)
	if n := c.master.ExpireSessions(); n != 0 {
		t.Error("too early")
	}
	c.age(c.config.SessionTTL + patience)
	if n := c.master.ExpireSessions(); n != 1 {
		t.Error("too late")
	}
}

// TestChangedKeysEndAllSessions: connections on every worker are sent away, and what was detached cannot be resumed.
func TestChangedKeysEndAllSessions(t *testing.T) {
	c, alice, _ := two(t)
	c.start()
	here, there, gone := c.workers[0].enter(t, "alice"), c.workers[1].enter(t, "alice"), c.workers[1].enter(t, "alice")
	bob := c.workers[0].enter(t, "bob")
	bob.join(1)
	there.join(1)
	bob.sees(libproto.RoomEvent{RoomID: 1, Kind: libproto.RoomEventJoined, UserID: alice, Name: []byte("alice")})
	_ = gone.socket.Close()
	c.awaitCounter(1, shmstore.CounterConnectionsClosed, 1)
	for {
		err := c.master.EndSessions(alice)
		if err == nil {
			break
		}
		if !errors.Is(err, shmstore.ErrBusy) {
			t.Fatal(err)
		}
	}
	here.goingAway(libproto.GoingAwayRevoked)
	there.goingAway(libproto.GoingAwayRevoked)
	bob.sees(libproto.RoomEvent{RoomID: 1, Kind: libproto.RoomEventLeft, UserID: alice, Name: []byte("alice")})
	for _, past := range []*peer{here, there, gone} {
		p := dial(t, c.workers[0].addr)
		if f := p.resume("alice", past.session); f.Status != libproto.StatusExpired {
			t.Errorf("a session of before: %v", f.Status)
		}
	}
	if c.segment.Online(alice) {
		t.Error("alice is online still")
	}
	c.verify()
}

// TestLoginsAtAStandingHeadPayOnce: one user logs in again and again while no money moves; no session gets another's id, and a
// session that has paid and was cut off gets its recorded answer.
func TestLoginsAtAStandingHeadPayOnce(t *testing.T) {
	c, _, bob := two(t)
	c.start()
	a := c.workers[0].enter(t, "alice")
	var paid libproto.TxnResponse
	transfer := libproto.TransferRequest{ToUserID: bob, Amount: 100}
	a.reqID = 1000
	a.ask(libproto.OpTransfer, transfer, &paid)
	_ = a.socket.Close()
	seen := map[uint64]bool{a.session: true}
	p := [2]*peer{dial(t, c.workers[0].addr), dial(t, c.workers[1].addr)}
	for i := range 6000 { // more than one head has serials for
		q := p[i%2]
		if l := q.login("alice"); seen[l.SessionID] {
			t.Fatalf("session %x is the second with this id, after %d logins", l.SessionID, i)
		}
		seen[q.session] = true
		q.ask(libproto.OpLogout, libproto.Empty{}, &libproto.Empty{})
	}
	again, _ := c.workers[1].reenter(t, "alice", a.session)
	again.reqID = 1000
	var r libproto.TxnResponse
	if f := again.ask(libproto.OpTransfer, transfer, &r); f.Flags&libproto.FlagReplayed == 0 || r != paid {
		t.Errorf("%v: %+v, the first was %+v", f.Flags, r, paid)
	}
	c.verify()
}

// age has lifetimes be so much further for the master, who ends the sessions whose time is over.
func (c *cluster) age(by time.Duration) {
	c.master.SetClock(func() uint64 {
		var now unix.Timespec
		must(c.t, unix.ClockGettime(unix.CLOCK_BOOTTIME, &now))
		return uint64(now.Nano() + by.Nanoseconds())
	})
}
