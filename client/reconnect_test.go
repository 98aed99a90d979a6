package client_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tradechat.internal/client"
	"tradechat.internal/libproto"
	"tradechat.internal/testkit/peertest"
)

// roomPeer lets rooms be joined and left; every room stands at lastSeq, and a live message follows each join.
func roomPeer(t *testing.T, lastSeq *atomic.Uint64) *peertest.Peer {
	p := peertest.Listen(t)
	p.Handle(libproto.OpJoinRoom, func(c *peertest.Conn, f libproto.Frame) {
		room := decoded(t, f).(*libproto.JoinRoomRequest).RoomID
		c.Reply(f, libproto.JoinRoomResponse{LastSeq: lastSeq.Load(), MemberCount: 1})
		c.Push(libproto.OpChatBroadcast, libproto.ChatBroadcast{RoomID: room, RoomSeq: lastSeq.Load() + 1})
	})
	p.Answer(libproto.OpLeaveRoom, libproto.Empty{})
	return p
}

func join(t *testing.T, c *client.Client, rooms ...uint32) {
	t.Helper()
	for _, room := range rooms {
		if _, err := c.JoinRoom(testContext(t), room, 0); err != nil {
			t.Fatal(err)
		}
		wantEqual(t, "room of the first message", expectPush[*client.ChatMessage](t, c).RoomID, room)
	}
}

// TestReconnect: after a loss the client logs in again, joins its rooms again, and tells what they missed before
// anything newer of theirs.
func TestReconnect(t *testing.T) {
	var lastSeq atomic.Uint64
	lastSeq.Store(10)
	p := roomPeer(t, &lastSeq)
	c, conn := logIn(t, p)
	join(t, c, 1, 2, 3)
	if err := c.LeaveRoom(testContext(t), 2); err != nil {
		t.Fatal(err)
	}
	// The server itself skips 12 … 15 of room 1: only 16 … 20 are lost there.
	conn.Push(libproto.OpRoomEvent, libproto.RoomEvent{RoomID: 1, Kind: libproto.RoomEventGap, FirstSeq: 12, LastSeq: 15})
	wantEqual(t, "gap", *expectPush[*client.Gap](t, c), client.Gap{RoomID: 1, FirstSeq: 12, LastSeq: 15, Cause: client.GapServer})
	lastSeq.Store(20)
	conn.Close()

	wantIs(t, expectPush[*client.Disconnected](t, c).Err, client.ErrConnectionLost)
	wantEqual(t, "gap", *expectPush[*client.Gap](t, c), client.Gap{RoomID: 1, FirstSeq: 16, LastSeq: 20, Cause: client.GapLost})
	wantEqual(t, "seq", expectPush[*client.ChatMessage](t, c).Seq, uint64(21))
	wantEqual(t, "gap", *expectPush[*client.Gap](t, c), client.Gap{RoomID: 3, FirstSeq: 12, LastSeq: 20, Cause: client.GapLost})
	message, back := expectMessageAndReturn(t, c)
	wantEqual(t, "seq", message.Seq, uint64(21))
	wantEqual(t, "session", back.Session, c.Session())
	wantEqual(t, "session id", back.Session.ID, uint64(2))
}

// expectMessageAndReturn takes two pushes that may come in either order: a room joined again is live at once.
func expectMessageAndReturn(t *testing.T, c *client.Client) (message *client.ChatMessage, back *client.Reconnected) {
	t.Helper()
	for message == nil || back == nil {
		switch p := nextPush(t, c).(type) {
		case *client.ChatMessage:
			message = p
		case *client.Reconnected:
			back = p
		default:
			t.Fatalf("got %#v", p)
		}
	}
	return message, back
}

// TestReconnectWithoutGap: where nothing was missed nothing is told.
func TestReconnectWithoutGap(t *testing.T) {
	var lastSeq atomic.Uint64
	p := roomPeer(t, &lastSeq)
	c, conn := logIn(t, p)
	join(t, c, 1)
	lastSeq.Store(1)
	conn.Close()
	expectPush[*client.Disconnected](t, c)
	message, _ := expectMessageAndReturn(t, c)
	wantEqual(t, "seq", message.Seq, uint64(2))
}

// TestRoomThatBeganAnew: a room whose message at the latest known place is not the one that stood there counts anew, whether it has
// fewer messages than before or, meanwhile, more.
func TestRoomThatBeganAnew(t *testing.T) {
	for name, tt := range map[string]struct {
		there   []libproto.RoomMessage // what ROOM_HISTORY finds up to message 11
		lastSeq uint64
		want    client.Push
	}{
		"it went on":          {[]libproto.RoomMessage{{RoomSeq: 11, TimeNs: 5}}, 20, &client.Gap{RoomID: 1, FirstSeq: 12, LastSeq: 20, Cause: client.GapLost}},
		"nothing is retained": {nil, 20, &client.Gap{RoomID: 1, FirstSeq: 12, LastSeq: 20, Cause: client.GapLost}},
		"another message":     {[]libproto.RoomMessage{{RoomSeq: 11, TimeNs: 6}}, 20, &client.RoomReset{RoomID: 1, LastSeq: 20}},
		"just as many":        {[]libproto.RoomMessage{{RoomSeq: 11, TimeNs: 6}}, 11, &client.RoomReset{RoomID: 1, LastSeq: 11}},
		"fewer messages":      {[]libproto.RoomMessage{{RoomSeq: 4, TimeNs: 6}}, 4, &client.RoomReset{RoomID: 1, LastSeq: 4}},
		"no messages at all":  {nil, 0, &client.RoomReset{RoomID: 1, LastSeq: 0}},
		"messages in between": {[]libproto.RoomMessage{{RoomSeq: 4, TimeNs: 6}}, 12, &client.RoomReset{RoomID: 1, LastSeq: 12}},
	} {
		t.Run(name, func(t *testing.T) {
			p := peertest.Listen(t)
			p.Answer(libproto.OpJoinRoom, libproto.JoinRoomResponse{LastSeq: 10})
			c, conn := logIn(t, p)
			if _, err := c.JoinRoom(testContext(t), 1, 0); err != nil {
				t.Fatal(err)
			}
			conn.Push(libproto.OpChatBroadcast, libproto.ChatBroadcast{RoomID: 1, RoomSeq: 11, TimeNs: 5})
			expectPush[*client.ChatMessage](t, c)
			p.Answer(libproto.OpJoinRoom, libproto.JoinRoomResponse{LastSeq: tt.lastSeq})
			p.Answer(libproto.OpRoomHistory, libproto.RoomHistoryResponse{Messages: tt.there})
			conn.Close()
			expectPush[*client.Disconnected](t, c)
			wantEqual(t, "told", nextPush(t, c), tt.want)
			expectPush[*client.Reconnected](t, c)
		})
	}
}

// TestMessagesThatWereOnTheirWay when the connection was lost are told as a gap, although the server counts them as sent: before
// the server's own gap, and before the next message.
func TestMessagesThatWereOnTheirWay(t *testing.T) {
	var lastSeq atomic.Uint64
	p := roomPeer(t, &lastSeq)
	c, conn := logIn(t, p)
	join(t, c, 1, 2) // each has had message 1
	p.Handle(libproto.OpLogin, func(c *peertest.Conn, f libproto.Frame) {
		p.LogIn(c, f)
		c.Push(libproto.OpRoomEvent, libproto.RoomEvent{RoomID: 1, Kind: libproto.RoomEventGap, FirstSeq: 4, LastSeq: 9})
		c.Push(libproto.OpChatBroadcast, libproto.ChatBroadcast{RoomID: 2, RoomSeq: 9})
	})
	lastSeq.Store(9)
	conn.Close()
	expectPush[*client.Disconnected](t, c)
	wantEqual(t, "gap", *expectPush[*client.Gap](t, c), client.Gap{RoomID: 1, FirstSeq: 2, LastSeq: 9, Cause: client.GapServer})
	wantEqual(t, "gap", *expectPush[*client.Gap](t, c), client.Gap{RoomID: 2, FirstSeq: 2, LastSeq: 8, Cause: client.GapLost})
	wantEqual(t, "message", expectPush[*client.ChatMessage](t, c).Seq, uint64(9))
}

// TestReplayInterrupted: what was to be replayed and did not come is told as a gap.
func TestReplayInterrupted(t *testing.T) {
	p := peertest.Listen(t)
	var joins atomic.Int64
	p.Handle(libproto.OpJoinRoom, func(c *peertest.Conn, f libproto.Frame) {
		c.Reply(f, libproto.JoinRoomResponse{LastSeq: 10})
		if joins.Add(1) == 1 {
			c.Push(libproto.OpChatBroadcast, libproto.ChatBroadcast{RoomID: 1, RoomSeq: 7, Flags: libproto.ChatReplay})
			c.Close()
		}
	})
	c, _ := logIn(t, p)
	if _, err := c.JoinRoom(testContext(t), 1, 4); err != nil {
		t.Fatal(err)
	}
	if m := expectPush[*client.ChatMessage](t, c); !m.Replay || m.Seq != 7 {
		t.Errorf("got %+v", m)
	}
	expectPush[*client.Disconnected](t, c)
	wantEqual(t, "gap", *expectPush[*client.Gap](t, c), client.Gap{RoomID: 1, FirstSeq: 8, LastSeq: 10, Cause: client.GapLost})
	expectPush[*client.Reconnected](t, c)
}

// TestRoomThatCannotBeJoinedAgain is given up, and told; the others go on.
func TestRoomThatCannotBeJoinedAgain(t *testing.T) {
	var lastSeq atomic.Uint64
	p := roomPeer(t, &lastSeq)
	c, conn := logIn(t, p)
	join(t, c, 1, 2)
	p.Handle(libproto.OpJoinRoom, func(c *peertest.Conn, f libproto.Frame) {
		if decoded(t, f).(*libproto.JoinRoomRequest).RoomID == 1 {
			c.Refuse(f, libproto.StatusNotFound, 0, "gone")
			return
		}
		c.Reply(f, libproto.JoinRoomResponse{LastSeq: 1})
	})
	conn.Close()
	expectPush[*client.Disconnected](t, c)
	lost := expectPush[*client.RoomLost](t, c)
	wantEqual(t, "room", lost.RoomID, uint32(1))
	wantIs(t, lost.Err, client.ErrNotFound)
	expectPush[*client.Reconnected](t, c)
}

// TestReconnectThroughFailures: a busy server, a lost connection and a busy room are all tried again.
func TestReconnectThroughFailures(t *testing.T) {
	var lastSeq atomic.Uint64
	p := roomPeer(t, &lastSeq)
	c, conn := logIn(t, p)
	join(t, c, 1)
	var logins, joins atomic.Int64
	p.Handle(libproto.OpLogin, func(c *peertest.Conn, f libproto.Frame) {
		switch logins.Add(1) {
		case 1:
			c.Refuse(f, libproto.StatusServerBusy, 1, "")
		case 2:
			c.Close()
		case 3:
			c.Refuse(f, libproto.StatusLimit, 0, "too many sessions")
		default:
			p.LogIn(c, f)
		}
	})
	p.Handle(libproto.OpJoinRoom, func(c *peertest.Conn, f libproto.Frame) {
		if joins.Add(1) == 1 {
			c.Refuse(f, libproto.StatusServerBusy, 1, "")
			return
		}
		c.Reply(f, libproto.JoinRoomResponse{LastSeq: 1})
	})
	conn.Close()
	expectPush[*client.Disconnected](t, c)
	expectPush[*client.Reconnected](t, c)
	wantEqual(t, "logins", logins.Load(), int64(5))
}

// TestNoReturn: some ends are final.
func TestNoReturn(t *testing.T) {
	for name, tt := range map[string]struct {
		config  func(*client.Config)
		between func(*peertest.Peer, *peertest.Conn) // ends the connection
		want    error
	}{
		"not wanted": {noReturn, func(_ *peertest.Peer, c *peertest.Conn) { c.Close() }, client.ErrConnectionLost},
		"session resumed elsewhere": {nil, func(_ *peertest.Peer, c *peertest.Conn) {
			c.Push(libproto.OpGoingAway, libproto.GoingAway{Reason: libproto.GoingAwayResumed})
			c.Close()
		}, client.ErrConnectionLost},
		"password changed": {nil, func(p *peertest.Peer, c *peertest.Conn) {
			p.Handle(libproto.OpLogin, func(c *peertest.Conn, f libproto.Frame) { c.Refuse(f, libproto.StatusUnauthorized, 0, "") })
			c.Close()
		}, client.ErrUnauthorized},
		"realm changed": {nil, func(p *peertest.Peer, c *peertest.Conn) {
			p.SetHello(func(r *libproto.HelloResponse) { r.RealmSalt[0]++ })
			c.Close()
		}, client.ErrRealmChanged},
		"another server": {nil, func(p *peertest.Peer, c *peertest.Conn) {
			p.SetServerKey(alice, [libproto.KeyLen]byte{9})
			c.Close()
		}, client.ErrServerSignature},
		"other protocol": {nil, func(p *peertest.Peer, c *peertest.Conn) {
			p.SetHello(func(r *libproto.HelloResponse) { r.Version = 3 })
			c.Close()
		}, client.ErrProtocol},
		"nobody there": {func(cfg *client.Config) { cfg.ReconnectFor = 100 * time.Millisecond }, func(p *peertest.Peer, _ *peertest.Conn) {
			p.Close()
		}, client.ErrConnectionLost},
	} {
		t.Run(name, func(t *testing.T) {
			p := peertest.Listen(t)
			if tt.config == nil {
				tt.config = func(*client.Config) {}
			}
			c, conn := logIn(t, p, tt.config)
			tt.between(p, conn)
			wantIs(t, expectEnd(t, c), tt.want)
			_, err := c.Balance(testContext(t))
			wantIs(t, err, tt.want)
		})
	}
}

// TestReconnectWaitsAsAsked: a server that is going away says when to come back.
func TestReconnectWaitsAsAsked(t *testing.T) {
	p := peertest.Listen(t)
	c, conn := logIn(t, p)
	start := time.Now()
	conn.Push(libproto.OpGoingAway, libproto.GoingAway{Reason: libproto.GoingAwayShutdown, ReconnectAfterMs: 150})
	conn.Close()
	wantEqual(t, "after", expectPush[*client.GoingAway](t, c).ReconnectAfter, 150*time.Millisecond)
	if why := goingAwayError(expectPush[*client.Disconnected](t, c).Err); why == nil || why.Reason != libproto.GoingAwayShutdown {
		t.Errorf("disconnected because of %v", why)
	}
	expectPush[*client.Reconnected](t, c)
	if took := time.Since(start); took < 150*time.Millisecond {
		t.Errorf("came back after %v", took)
	}
}

// TestCallsOverALoss: what was not sent or changes nothing is made on the next connection; the money call that was under
// way is not, and the req_ids of all money calls increase.
func TestCallsOverALoss(t *testing.T) {
	p := peertest.Listen(t)
	var deposits, balances, last atomic.Uint64
	p.Handle(libproto.OpDeposit, func(c *peertest.Conn, f libproto.Frame) {
		if before := last.Swap(f.ReqID); f.ReqID <= before {
			t.Errorf("req_id %d after %d", f.ReqID, before)
		}
		if deposits.Add(1) == 1 {
			c.Close()
			return
		}
		c.Reply(f, libproto.DepositResponse{TxnID: deposits.Load()})
	})
	p.Handle(libproto.OpBalance, func(c *peertest.Conn, f libproto.Frame) {
		if balances.Add(1) == 1 {
			c.Close()
			return
		}
		c.Reply(f, libproto.BalanceResponse{Balance: 7})
	})
	c, _ := logIn(t, p)
	_, err := c.Deposit(testContext(t), 1)
	wantIs(t, err, client.ErrOutcomeUnknown)
	wantEqual(t, "session of the lost call", outcomeError(err).SessionID, uint64(1))

	got, err := c.Deposit(testContext(t), 1) // waits for the connection
	wantEqual(t, "the next deposit", []any{got.TxnID, err}, []any{uint64(2), nil})
	wantEqual(t, "deposits that the server saw", deposits.Load(), uint64(2))

	b, err := c.Balance(testContext(t)) // is repeated
	wantEqual(t, "balance", []any{b.Minor, err}, []any{int64(7), nil})
	wantEqual(t, "balances that the server saw", balances.Load(), uint64(2))
}

// TestACallerWhoHasLeftIsNotServedUnderAnotherName: the session is gone, the request was not applied, and its caller leaves while the
// client finds that out. He was told the old name; made anew the request would be applied behind his back.
func TestACallerWhoHasLeftIsNotServedUnderAnotherName(t *testing.T) {
	p := peertest.Listen(t)
	p.SetHello(func(r *libproto.HelloResponse) { r.Capabilities |= libproto.CapResume })
	p.Handle(libproto.OpLogin, func(c *peertest.Conn, f libproto.Frame) {
		if decoded(t, f).(*libproto.LoginRequest).ResumeSessionID != 0 {
			c.Refuse(f, libproto.StatusExpired, 0, "")
			return
		}
		p.LogIn(c, f)
	})
	var deposits atomic.Int64
	p.Handle(libproto.OpDeposit, func(c *peertest.Conn, f libproto.Frame) {
		if deposits.Add(1) == 1 {
			c.Close()
			return
		}
		c.Reply(f, libproto.TxnResponse{TxnID: 1})
	})
	ctx, leave := context.WithCancel(testContext(t))
	left := make(chan error, 1)
	p.Handle(libproto.OpTxnStatus, func(c *peertest.Conn, f libproto.Frame) {
		leave()
		wantEqual(t, "request of the caller who left", outcomeError(<-left).SessionID, uint64(1))
		c.Reply(f, libproto.TxnStatusResponse{Outcome: libproto.TxnNotApplied})
	})
	p.Answer(libproto.OpBalance, libproto.BalanceResponse{})
	c, _ := logIn(t, p)
	_, err := c.Deposit(ctx, 1)
	left <- err
	_, err = c.Balance(testContext(t)) // is answered after whatever the client sent by itself
	wantEqual(t, "balance", err, nil)
	wantEqual(t, "deposits that the server saw", deposits.Load(), int64(1))
}

// TestCallsWhileReconnecting wait no longer than their context, and are not sent.
func TestCallsWhileReconnecting(t *testing.T) {
	p := peertest.Listen(t)
	c, conn := logIn(t, p)
	p.Handle(libproto.OpHello, func(*peertest.Conn, libproto.Frame) {})
	conn.Close()
	expectPush[*client.Disconnected](t, c)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := c.Deposit(ctx, 1)
	wantIs(t, err, client.ErrConnectionLost, context.DeadlineExceeded)
	wantNot(t, err, client.ErrOutcomeUnknown)
	c.Close()
	wantIs(t, c.Err(), client.ErrClosed)
}

// TestClose in the midst of everything: all calls end, and so do the pushes.
func TestClose(t *testing.T) {
	p := peertest.Listen(t)
	p.Handle(libproto.OpDeposit, func(*peertest.Conn, libproto.Frame) {})
	p.Handle(libproto.OpBalance, func(*peertest.Conn, libproto.Frame) {})
	c, _ := logIn(t, p)
	errs := make(chan error, 2)
	go func() { _, err := c.Deposit(testContext(t), 1); errs <- err }()
	go func() { _, err := c.Balance(testContext(t)); errs <- err }()
	client.AwaitQueued(t, c, 2)
	var closing sync.WaitGroup
	for range 3 {
		closing.Go(func() { c.Close() })
	}
	closing.Wait()
	for range 2 {
		wantIs(t, <-errs, client.ErrClosed)
	}
	wantIs(t, expectEnd(t, c), client.ErrClosed)
}

// TestLossesUnderLoad breaks the connection again and again under many callers. Every deposit either succeeded, or is
// known not to have happened, or is of unknown outcome; so what the server counted lies in between.
func TestLossesUnderLoad(t *testing.T) {
	p := peertest.Listen(t)
	var applied atomic.Int64
	p.Handle(libproto.OpDeposit, func(c *peertest.Conn, f libproto.Frame) {
		n := applied.Add(1)
		if n%250 == 0 {
			c.Reset()
			return
		}
		c.Reply(f, libproto.DepositResponse{TxnID: uint64(n)})
	})
	c, _ := logIn(t, p)
	var ok, unknown atomic.Int64
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 50 {
				_, err := c.Deposit(testContext(t), 1)
				switch {
				case err == nil:
					ok.Add(1)
				case outcomeError(err) != nil:
					unknown.Add(1)
				default:
					wantIs(t, err, client.ErrConnectionLost)
				}
			}
		})
	}
	wg.Wait()
	if n := applied.Load(); n < ok.Load() || n > ok.Load()+unknown.Load() {
		t.Errorf("applied %d, succeeded %d, unknown %d", n, ok.Load(), unknown.Load())
	}
	if unknown.Load() == 0 {
		t.Error("no call was caught by a loss: the test tests nothing")
	}
}
