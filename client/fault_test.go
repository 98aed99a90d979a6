package client_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"tradechat.internal/client"
	"tradechat.internal/libproto"
	"tradechat.internal/testkit/peertest"
)

// response is the whole frame of an OK response to f.
func response(f libproto.Frame, body libproto.Body) []byte {
	h := libproto.Header{Op: f.Op, ReqID: f.ReqID, Flags: libproto.FlagResponse}
	return libproto.AppendFrame(nil, h, body)
}

// TestConnectionEndsAtAnyByte cuts the answer off after each of its bytes: a money call's outcome is then unknown, a
// reading call is merely lost; after the last byte both have succeeded.
func TestConnectionEndsAtAnyByte(t *testing.T) {
	p := peertest.Listen(t)
	whole := libproto.HeaderLen + 16 // both bodies are an i64 and a u64
	for cut := 0; cut <= whole; cut++ {
		for _, reset := range []bool{false, true} {
			if reset && cut == whole {
				continue // a reset may overtake the last bytes
			}
			end := func(c *peertest.Conn, frame []byte) {
				c.Raw(frame[:cut])
				if reset {
					c.Reset()
				} else {
					c.Close()
				}
			}
			p.Handle(libproto.OpTransfer, func(c *peertest.Conn, f libproto.Frame) {
				end(c, response(f, libproto.TransferResponse{TxnID: 1}))
			})
			p.Handle(libproto.OpBalance, func(c *peertest.Conn, f libproto.Frame) {
				end(c, response(f, libproto.BalanceResponse{Balance: 1}))
			})
			t.Run(fmt.Sprintf("cut=%d reset=%v", cut, reset), func(t *testing.T) {
				c, _ := logIn(t, p, noReturn)
				_, err := c.Transfer(testContext(t), 2, 1)
				checkLoss(t, err, cut == whole, true)
				c, _ = logIn(t, p, noReturn)
				_, err = c.Balance(testContext(t))
				checkLoss(t, err, cut == whole, false)
			})
		}
	}
}

func checkLoss(t *testing.T, err error, answered, money bool) {
	t.Helper()
	if answered {
		wantEqual(t, "error", err, nil)
		return
	}
	wantIs(t, err, client.ErrConnectionLost)
	if money {
		wantIs(t, err, client.ErrOutcomeUnknown)
	} else {
		wantNot(t, err, client.ErrOutcomeUnknown)
	}
}

// TestBadFrames sends what no server may send: the connection ends, and the outcome of the money call is unknown.
func TestBadFrames(t *testing.T) {
	flip := func(i int) func(libproto.Frame) []byte {
		return func(f libproto.Frame) []byte {
			b := response(f, libproto.TransferResponse{TxnID: 1})
			b[i] ^= 0x40
			return b
		}
	}
	frame := func(h libproto.Header, body libproto.Body) []byte { return libproto.AppendFrame(nil, h, body) }
	for name, bad := range map[string]func(libproto.Frame) []byte{
		"magic":           flip(0),
		"version":         flip(2),
		"flags":           flip(3),
		"header length":   flip(5),
		"body length":     flip(6),
		"opcode":          flip(11),
		"status":          flip(13),
		"request id":      flip(21),
		"checksum":        flip(22),
		"reserved":        flip(31),
		"body":            flip(40),
		"other opcode":    func(f libproto.Frame) []byte { f.Op = libproto.OpDeposit; return response(f, libproto.TxnResponse{}) },
		"unknown request": func(f libproto.Frame) []byte { f.ReqID += 1000; return response(f, libproto.TxnResponse{}) },
		"short body":      func(f libproto.Frame) []byte { return response(f, libproto.Empty{}) },
		"long body":       func(f libproto.Frame) []byte { return response(f, libproto.LoginResponse{}) },
		"unreadable refusal": func(f libproto.Frame) []byte {
			return frame(libproto.Header{Op: f.Op, ReqID: f.ReqID, Flags: libproto.FlagResponse, Status: libproto.StatusLimit}, libproto.Empty{})
		},
		"push with request id": func(f libproto.Frame) []byte {
			return frame(libproto.Header{Op: f.Op, ReqID: f.ReqID}, libproto.Empty{})
		},
		"push with status": func(f libproto.Frame) []byte { return frame(libproto.Header{Op: f.Op, Status: 1}, libproto.Empty{}) },
		"unreadable chat": func(libproto.Frame) []byte {
			return frame(libproto.Header{Op: libproto.OpChatBroadcast}, libproto.Empty{})
		},
		"unreadable direct": func(libproto.Frame) []byte {
			return frame(libproto.Header{Op: libproto.OpDirectMessage}, libproto.Empty{})
		},
		"unreadable event":      func(libproto.Frame) []byte { return frame(libproto.Header{Op: libproto.OpRoomEvent}, libproto.Empty{}) },
		"unreadable going away": func(libproto.Frame) []byte { return frame(libproto.Header{Op: libproto.OpGoingAway}, libproto.Empty{}) },
	} {
		t.Run(name, func(t *testing.T) {
			p := peertest.Listen(t)
			p.Handle(libproto.OpTransfer, func(c *peertest.Conn, f libproto.Frame) { c.Raw(bad(f)) })
			c, _ := logIn(t, p, noReturn)
			_, err := c.Transfer(testContext(t), 2, 1)
			wantIs(t, err, client.ErrOutcomeUnknown)
			wantIs(t, expectEnd(t, c), client.ErrConnectionLost)
		})
	}
}

// TestUnknownPushesAreIgnored: a newer server may have more to say.
func TestUnknownPushesAreIgnored(t *testing.T) {
	p := peertest.Listen(t)
	p.Answer(libproto.OpBalance, libproto.BalanceResponse{Balance: 1})
	c, conn := logIn(t, p)
	conn.Push(0x7777, libproto.AmountRequest{})
	conn.Push(libproto.OpRoomEvent, libproto.RoomEvent{Kind: 99})
	conn.Push(libproto.OpDirectMessage, libproto.DirectMessage{Message: []byte("after")})
	wantEqual(t, "push", expectPush[*client.DirectMessage](t, c).Text, "after")
}

// TestLastWords: what the server said before the connection broke is heard, also when a write finds out first.
func TestLastWords(t *testing.T) {
	p := peertest.Listen(t)
	p.Handle(libproto.OpBalance, func(c *peertest.Conn, f libproto.Frame) {
		c.Push(libproto.OpGoingAway, libproto.GoingAway{Reason: libproto.GoingAwayAbuse, Detail: []byte("enough")})
		c.Close()
	})
	c, _ := logIn(t, p)
	_, err := c.Balance(testContext(t))
	wantIs(t, err, client.ErrConnectionLost)
	goodbye := expectPush[*client.GoingAway](t, c)
	wantEqual(t, "goodbye", *goodbye, client.GoingAway{Reason: libproto.GoingAwayAbuse, Detail: "enough"})
	why := goingAwayError(expectEnd(t, c))
	if why == nil || why.Reason != libproto.GoingAwayAbuse || why.Detail != "enough" {
		t.Errorf("the client ended because of %v", why)
	}
}

// TestWhatWasNotSentIsKnown fills the connection to a peer that has stopped reading. When it breaks, the messages that
// the kernel took have an unknown outcome; the others, and the money call behind them, certainly did not happen.
func TestWhatWasNotSentIsKnown(t *testing.T) {
	const messages = 1000
	p := peertest.Listen(t)
	p.SetHello(func(r *libproto.HelloResponse) { r.MessageLenMax = 4096 })
	stopped, resume := make(chan bool), make(chan bool)
	var once sync.Once
	p.Handle(libproto.OpChatSend, func(*peertest.Conn, libproto.Frame) {
		once.Do(func() { close(stopped); <-resume })
	})
	c, conn := logIn(t, p, noReturn, func(cfg *client.Config) { cfg.PipelineMax = messages + 1 })
	conn.ShrinkReceiveBuffer()
	client.ShrinkSendBuffer(t, c)
	text := string(slices.Repeat([]byte{'x'}, 4096))
	errs := make(chan error, messages)
	for range messages {
		go func() { _, err := c.SendChat(testContext(t), 1, text); errs <- err }()
	}
	<-stopped
	client.AwaitQueued(t, c, messages)
	money := make(chan error)
	go func() { _, err := c.Deposit(testContext(t), 1); money <- err }()
	client.AwaitQueued(t, c, messages+1)
	conn.Reset()
	close(resume)

	err := <-money
	wantIs(t, err, client.ErrConnectionLost)
	wantNot(t, err, client.ErrOutcomeUnknown)
	unknown := 0
	for range messages {
		err := <-errs
		wantIs(t, err, client.ErrConnectionLost)
		if outcomeError(err) != nil {
			unknown++
		}
	}
	if unknown == 0 || unknown == messages {
		t.Errorf("%d of %d messages have an unknown outcome; some went out, and some did not", unknown, messages)
	}
}

// TestHeartbeats: they come by themselves.
func TestHeartbeats(t *testing.T) {
	p := peertest.Listen(t)
	p.SetHello(func(r *libproto.HelloResponse) { r.HeartbeatIntervalMs = 10 })
	beats := make(chan bool)
	p.Handle(libproto.OpHeartbeat, func(c *peertest.Conn, f libproto.Frame) {
		select {
		case beats <- true:
		case <-t.Context().Done():
		}
		c.Reply(f, libproto.HeartbeatResponse{})
	})
	logIn(t, p)
	for range 3 {
		<-beats
	}
}

// TestUnansweredHeartbeat: a server that leaves a heartbeat unanswered for the idle time-out is given up.
func TestUnansweredHeartbeat(t *testing.T) {
	const idle = 60 * time.Millisecond
	p := peertest.Listen(t)
	p.SetHello(func(r *libproto.HelloResponse) {
		r.HeartbeatIntervalMs, r.IdleTimeoutMs = 10, uint32(idle.Milliseconds())
	})
	p.Handle(libproto.OpHeartbeat, func(*peertest.Conn, libproto.Frame) {})
	start := time.Now()
	c, _ := logIn(t, p, noReturn)
	wantIs(t, expectEnd(t, c), client.ErrConnectionLost)
	if took := time.Since(start); took < idle {
		t.Errorf("gave up after %v, before the idle time-out", took)
	}
}
