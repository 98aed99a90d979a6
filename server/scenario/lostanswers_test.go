package scenario

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tradechat.internal/client"
	"tradechat.internal/libproto"
)

// faultProxy stands between a client and the server and loses answers: it passes frames on, and at random ends the
// connection instead, in either direction, between two frames or in the middle of one.
//
//	client ──▶ request  ── cut before it, or after it ──▶ server
//	       ◀── answer   ── cut before it, or within it ──
type faultProxy struct {
	listener net.Listener
	server   string
	cut      func(n int) bool // true one time in n
	cuts     atomic.Int64
	running  sync.WaitGroup
}

func startProxy(t *testing.T, server string, seed uint64) *faultProxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	random, mu := rand.New(rand.NewPCG(seed, 2)), sync.Mutex{}
	p := &faultProxy{listener: listener, server: server, cut: func(n int) bool {
		mu.Lock()
		defer mu.Unlock()
		return random.IntN(n) == 0
	}}
	p.running.Go(p.accept)
	t.Cleanup(func() {
		_ = listener.Close()
		p.running.Wait()
	})
	return p
}

func (p *faultProxy) accept() {
	for {
		near, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.running.Go(func() { p.serve(near) })
	}
}

func (p *faultProxy) serve(near net.Conn) {
	defer near.Close()
	far, err := net.Dial("tcp", p.server)
	if err != nil {
		return
	}
	defer far.Close()
	var both sync.WaitGroup
	end := func() { _, _ = near.Close(), far.Close() }
	both.Go(func() { defer end(); p.pass(far, near, 60, 60) })
	both.Go(func() { defer end(); p.pass(near, far, 40, 80) })
	both.Wait()
}

// pass copies frames until it ends the connection: one time in before or within of them.
func (p *faultProxy) pass(to, from net.Conn, before, within int) {
	header := make([]byte, libproto.HeaderLen)
	for {
		if _, err := io.ReadFull(from, header); err != nil {
			return
		}
		frame := append([]byte(nil), header...)
		frame = append(frame, make([]byte, binary.BigEndian.Uint32(header[6:]))...)
		if _, err := io.ReadFull(from, frame[libproto.HeaderLen:]); err != nil {
			return
		}
		switch {
		case p.cut(before):
			p.cuts.Add(1)
			return
		case p.cut(within):
			p.cuts.Add(1)
			_, _ = to.Write(frame[:len(frame)/2])
			return
		}
		if _, err := to.Write(frame); err != nil {
			return
		}
	}
}

// TestAnswersThatAreLost: a client whose answers get lost again and again comes back, to whatever worker, and every request is
// applied exactly once.
func TestAnswersThatAreLost(t *testing.T) {
	const callers, each = 6, 60
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	w := newWorld(shortFolder(t))
	t.Cleanup(w.cleanUp)
	check(t, w.startServer(launchRequest{flags: []string{"--workers=3"}}))
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	direct := dialClient(t, ctx, w.server.address, "bob")
	proxy := startProxy(t, w.server.address, seed)
	register(t, ctx, w.server.address, "ann")
	ann := comeThrough(t, ctx, proxy)
	to, _, err := direct.LookupUser(ctx, "ann")
	check(t, err)
	bob := direct.Session().UserID
	failures := make(chan error, callers*each)
	var wg sync.WaitGroup
	for caller := range callers {
		wg.Go(func() {
			for i := range each {
				amount := uint64(1 + caller*each + i) // distinct: it names the request
				_, err := ann.Deposit(ctx, amount)
				if err == nil {
					_, err = ann.Transfer(ctx, bob, amount)
				}
				failures <- err
			}
		})
	}
	wg.Wait()
	for range callers * each {
		check(t, <-failures)
	}
	t.Logf("%d connections were cut", proxy.cuts.Load())
	if proxy.cuts.Load() < 10 {
		t.Error("nothing was lost")
	}
	deposits, transfers := make(map[int64]int), make(map[int64]int)
	for txn, err := range direct.AllTxns(ctx) {
		check(t, err)
		if txn.Kind == libproto.TxnTransferIn && txn.PeerUserID == to {
			transfers[txn.DeltaMinor]++
		}
	}
	own := dialClient(t, ctx, w.server.address, "ann")
	for txn, err := range own.AllTxns(ctx) {
		check(t, err)
		if txn.Kind == libproto.TxnDeposit {
			deposits[txn.DeltaMinor]++
		}
	}
	for amount := int64(1); amount <= callers*each; amount++ {
		if deposits[amount] != 1 || transfers[amount] != 1 {
			t.Errorf("deposit of %d was applied %d times, its transfer %d times", amount, deposits[amount], transfers[amount])
		}
	}
	if balance, err := own.Balance(ctx); err != nil || balance.Minor != 0 {
		t.Errorf("%d is left, %v", balance.Minor, err)
	}
}

func register(t *testing.T, ctx context.Context, address, user string) {
	t.Helper()
	cfg := client.DefaultConfig()
	cfg.Address = address
	c, err := client.Dial(ctx, cfg)
	check(t, err)
	defer c.Close()
	if _, err := c.Register(ctx, user, password); err != nil && !errors.Is(err, client.ErrAlreadyExists) {
		t.Fatal(err)
	}
}

func dialClient(t *testing.T, ctx context.Context, address, user string) *client.Client {
	t.Helper()
	register(t, ctx, address, user)
	cfg := client.DefaultConfig()
	cfg.Address = address
	c, err := client.Dial(ctx, cfg)
	check(t, err)
	t.Cleanup(func() { _ = c.Close() })
	_, err = c.Login(ctx, user, password)
	check(t, err)
	return c
}

// comeThrough logs in through the proxy, which may cut that too.
func comeThrough(t *testing.T, ctx context.Context, p *faultProxy) *client.Client {
	t.Helper()
	cfg := client.DefaultConfig()
	cfg.Address, cfg.TriesMax = p.listener.Addr().String(), 1000
	for {
		c, err := client.Dial(ctx, cfg)
		if err == nil {
			if _, err = c.Login(ctx, "ann", password); err == nil {
				t.Cleanup(func() { _ = c.Close() })
				return c
			}
			_ = c.Close()
		}
		if ctx.Err() != nil {
			t.Fatal(err)
		}
	}
}
