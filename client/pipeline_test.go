package client_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tradechat.internal/client"
	"tradechat.internal/libproto"
	"tradechat.internal/testkit/peertest"
)

// TestPipelining lets many goroutines call at once, on a peer that answers in whatever order and pushes in between:
// everybody must get the answer to his own request, and the requests' ids must have come in ascending order.
func TestPipelining(t *testing.T) {
	const callers, calls = 32, 60
	p := peertest.Listen(t)
	type waiting struct {
		frame  libproto.Frame
		amount uint64
	}
	var lastID uint64
	var held []waiting
	answerSome := func(c *peertest.Conn, keep int) {
		rand.Shuffle(len(held), func(i, j int) { held[i], held[j] = held[j], held[i] })
		for len(held) > keep {
			c.Reply(held[0].frame, libproto.DepositResponse{TxnID: held[0].amount})
			c.Push(libproto.OpDirectMessage, libproto.DirectMessage{FromName: []byte("bob"), Message: []byte("psst")})
			held = held[1:]
		}
	}
	p.Handle(libproto.OpDeposit, func(c *peertest.Conn, f libproto.Frame) {
		if f.ReqID <= lastID {
			t.Errorf("req_id %d after %d", f.ReqID, lastID)
		}
		lastID = f.ReqID
		held = append(held, waiting{f, decoded(t, f).(*libproto.DepositRequest).Amount})
		if len(held) == callers { // every caller waits for us
			answerSome(c, rand.IntN(callers/2))
		}
	})
	p.Handle(libproto.OpBalance, func(c *peertest.Conn, f libproto.Frame) {
		answerSome(c, 0)
		c.Reply(f, libproto.BalanceResponse{})
	})
	c, _ := logIn(t, p)
	var wg sync.WaitGroup
	var made atomic.Int64
	for caller := range callers {
		wg.Go(func() {
			for i := range calls {
				amount := uint64(caller*calls + i + 1)
				got, err := c.Deposit(testContext(t), amount)
				if err != nil || got.TxnID != amount {
					t.Errorf("Deposit(%d): %+v, %v", amount, got, err)
					return
				}
				made.Add(1)
			}
		})
	}
	flushUntil(t, c, &wg)
	wantEqual(t, "calls", made.Load(), int64(callers*calls))
}

// flushUntil calls Balance until everybody is through: towards the end fewer callers wait than the peer waits for.
func flushUntil(t *testing.T, c *client.Client, wg *sync.WaitGroup) {
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	for {
		select {
		case <-done:
			return
		default:
		}
		if _, err := c.Balance(testContext(t)); err != nil {
			t.Error(err)
			<-done
			return
		}
	}
}

// TestAbandonedCall: who gives up waiting does not disturb the others, and the late answer is nobody's.
func TestAbandonedCall(t *testing.T) {
	p := peertest.Listen(t)
	got := make(chan libproto.Frame, 1)
	p.Handle(libproto.OpDeposit, func(_ *peertest.Conn, f libproto.Frame) { got <- f })
	p.Handle(libproto.OpTxnHistory, func(*peertest.Conn, libproto.Frame) {})
	p.Answer(libproto.OpBalance, libproto.BalanceResponse{Balance: 5})
	c, conn := logIn(t, p)

	ctx, giveUp := context.WithCancel(testContext(t))
	failed := make(chan error)
	go func() { _, err := c.Deposit(ctx, 1); failed <- err }()
	late := <-got
	giveUp()
	err := <-failed
	wantIs(t, err, client.ErrOutcomeUnknown, ctx.Err())
	wantNot(t, err, client.ErrConnectionLost)
	outcome := outcomeError(err)
	wantEqual(t, "outcome", []any{outcome.Op, outcome.SessionID, outcome.ReqID}, []any{libproto.OpDeposit, c.Session().ID, late.ReqID})

	conn.Reply(late, libproto.DepositResponse{})
	if b, err := c.Balance(testContext(t)); err != nil || b.Minor != 5 {
		t.Errorf("Balance after a late answer: %+v, %v", b, err)
	}
	_, err = c.Deposit(ctx, 1)
	wantIs(t, err, ctx.Err())
	wantNot(t, err, client.ErrOutcomeUnknown) // it was over before anything was sent

	short, cancel := context.WithTimeout(testContext(t), 20*time.Millisecond)
	defer cancel()
	_, err = c.TxnHistory(short, 0, 1)
	wantIs(t, err, short.Err())
	wantNot(t, err, client.ErrOutcomeUnknown) // reading changes nothing
}

// TestCallTimeout: a context without a deadline gets the configured one.
func TestCallTimeout(t *testing.T) {
	p := peertest.Listen(t)
	p.Handle(libproto.OpBalance, func(*peertest.Conn, libproto.Frame) {})
	c, _ := logIn(t, p, func(cfg *client.Config) { cfg.CallTimeout = 30 * time.Millisecond })
	_, err := c.Balance(t.Context())
	wantIs(t, err, context.DeadlineExceeded)
}

// TestPipelineMax: further calls wait for a place, and heartbeats need none.
func TestPipelineMax(t *testing.T) {
	p := peertest.Listen(t)
	p.SetHello(func(r *libproto.HelloResponse) { r.HeartbeatIntervalMs = 10 })
	held := make(chan libproto.Frame, 10)
	p.Handle(libproto.OpBalance, func(_ *peertest.Conn, f libproto.Frame) { held <- f })
	beats := make(chan bool, 1)
	p.Handle(libproto.OpHeartbeat, func(c *peertest.Conn, f libproto.Frame) {
		c.Reply(f, libproto.HeartbeatResponse{})
		select {
		case beats <- true:
		default:
		}
	})
	c, conn := logIn(t, p, func(cfg *client.Config) { cfg.PipelineMax = 2 })
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			if _, err := c.Balance(testContext(t)); err != nil {
				t.Error(err)
			}
		})
	}
	first, second := <-held, <-held
	<-beats
	<-beats
	if len(held) > 0 {
		t.Error("a third call was sent while two were under way")
	}
	short, cancel := context.WithTimeout(testContext(t), 20*time.Millisecond)
	defer cancel()
	_, err := c.Withdraw(short, 1)
	wantIs(t, err, short.Err())
	wantNot(t, err, client.ErrOutcomeUnknown)

	conn.Reply(first, libproto.BalanceResponse{})
	conn.Reply(second, libproto.BalanceResponse{})
	conn.Reply(<-held, libproto.BalanceResponse{})
	wg.Wait()
}

func TestBusyThenOK(t *testing.T) {
	p := peertest.Listen(t)
	var tries atomic.Int64
	var ids []uint64
	p.Handle(libproto.OpDeposit, func(c *peertest.Conn, f libproto.Frame) {
		ids = append(ids, f.ReqID)
		if tries.Add(1) < 4 {
			c.Refuse(f, libproto.StatusServerBusy, 5, "later")
			return
		}
		c.Reply(f, libproto.DepositResponse{TxnID: 1})
	})
	c, _ := logIn(t, p)
	start := time.Now()
	if got, err := c.Deposit(testContext(t), 1); err != nil || got.TxnID != 1 {
		t.Errorf("got %+v, %v", got, err)
	}
	wantEqual(t, "tries", tries.Load(), int64(4))
	if took := time.Since(start); took < 3*5*time.Millisecond {
		t.Errorf("waited %v, the server asked for three times 5ms", took)
	}
	for i := range ids[1:] {
		if ids[i+1] <= ids[i] {
			t.Errorf("req_ids %v do not increase", ids)
		}
	}
}

func TestBusyForever(t *testing.T) {
	p := peertest.Listen(t)
	var tries atomic.Int64
	var retryAfterMs atomic.Uint32
	p.Handle(libproto.OpDeposit, func(c *peertest.Conn, f libproto.Frame) {
		tries.Add(1)
		c.Refuse(f, libproto.StatusServerBusy, retryAfterMs.Load(), "")
	})
	c, _ := logIn(t, p, func(cfg *client.Config) { cfg.TriesMax, cfg.BusyWaitMax = 3, 50*time.Millisecond })
	_, err := c.Deposit(testContext(t), 1)
	wantIs(t, err, client.ErrServerBusy)
	wantNot(t, err, client.ErrOutcomeUnknown)
	wantEqual(t, "tries", tries.Load(), int64(3))

	retryAfterMs.Store(51) // more than the client is ready to wait
	_, err = c.Deposit(testContext(t), 1)
	wantIs(t, err, client.ErrServerBusy)
	wantEqual(t, "retry after", statusError(err).RetryAfter, 51*time.Millisecond)
	wantEqual(t, "tries", tries.Load(), int64(4))
}

func TestBusyAndTheContextEnds(t *testing.T) {
	p := peertest.Listen(t)
	p.Handle(libproto.OpDeposit, func(c *peertest.Conn, f libproto.Frame) {
		c.Refuse(f, libproto.StatusServerBusy, 3_600_000, "")
		c.Push(libproto.OpDirectMessage, libproto.DirectMessage{}) // when it comes, the refusal has come
	})
	c, _ := logIn(t, p, func(cfg *client.Config) { cfg.BusyWaitMax = time.Hour })
	ctx, cancel := context.WithCancel(testContext(t))
	go func() { <-c.Pushes(); cancel() }()
	_, err := c.Deposit(ctx, 1)
	if err == nil {
		t.Fatal("no error")
	}
	wantNot(t, err, client.ErrOutcomeUnknown)
	wantIs(t, err, ctx.Err())
}
