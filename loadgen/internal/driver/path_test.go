package driver

import (
	"errors"
	"math"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"tradechat.internal/libproto"

	"tradechat.internal/loadgen/internal/arrival"
	"tradechat.internal/loadgen/internal/chatcheck"
	"tradechat.internal/loadgen/internal/mix"
	"tradechat.internal/loadgen/internal/roster"
	"tradechat.internal/loadgen/internal/stats"
	"tradechat.internal/loadgen/internal/zipf"
)

// echo answers what a connection has written, without sockets: the whole way of a request but the system calls.
type echo struct {
	conn    *Conn
	decoder libproto.Decoder
	out     []byte
	seq     uint64
	chat    libproto.ChatSendRequest
	beat    libproto.HeartbeatRequest
	batch   libproto.TransferBatchRequest
	results libproto.TransferBatchResponse
}

const pathRoom = 5

// newEcho is a ready connection in the Load phase, and its server.
func newEcho(t testing.TB, name string, pipeline int) *echo {
	batch := 0
	if strings.Contains(name, "batch") {
		batch = 10
	}
	drawn, err := mix.Parse(name, mix.TradeRatioDefault, batch > 0)
	if err != nil {
		t.Fatal(err)
	}
	users := roster.New("path", 2)
	users[0].ID, users[1].ID = 1, 2
	owners := []chatcheck.Owner{{UserID: 1, Name: users[0].Name}}
	plan := &Plan{
		Connections: 1, Threads: 1, Pipeline: pipeline, PayloadMin: 64, PayloadMax: 64, Batch: batch,
		AmountMax: 100, Timeout: time.Hour, Seed: 1,
		BodyLenMax: libproto.BodyLenMaxDefault, Mix: drawn, Users: users,
		Chat: chatcheck.NewGroup(chatcheck.NewCodec(1, 1, 64), owners, []uint32{pathRoom}, 1),
	}
	timeline, first := stats.NewTimeline(1, time.Second, true), newOrder(1, Load, nil, &Step{EndNs: math.MaxInt64})
	thread, err := newThread(plan, 0, []netip.AddrPort{{}}, time.Now(), timeline, first)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(thread.close)
	thread.phase = Load
	c := thread.conns[0]
	c.joinRooms()
	c.calls.clear(func(*call) {})
	c.out = c.out[:0]
	c.members[0].Joined(0)
	c.state = ready
	return &echo{conn: c, decoder: libproto.Decoder{BodyLenMax: libproto.BodyLenMaxDefault}}
}

// round fills the pipeline and answers it.
func (e *echo) round() {
	e.conn.refill()
	e.answerAll()
}

// answerAll answers what was written, and lets the connection make what it makes of the answers.
func (e *echo) answerAll() {
	e.out = e.out[:0]
	for rest := e.conn.out; len(rest) > 0; {
		frame, n, err := e.decoder.Next(rest)
		if err != nil || n == 0 {
			panic(err)
		}
		e.answer(&frame)
		rest = rest[n:]
	}
	e.conn.out = e.conn.out[:0]
	e.conn.thread.now = e.conn.thread.clock()
	e.conn.take(e.out)
	if e.conn.thread.pace.open {
		e.conn.sendWaiting()
	}
}

func (e *echo) answer(f *libproto.Frame) {
	start := len(e.out)
	e.out = libproto.AppendHeader(e.out, libproto.Header{Op: f.Op, ReqID: f.ReqID, Flags: libproto.FlagResponse})
	switch f.Op {
	case libproto.OpChatSend:
		e.seq++
		e.out = libproto.ChatSendResponse{RoomSeq: e.seq, TimeNs: 1}.AppendTo(e.out)
		libproto.Seal(e.out[start:])
		e.broadcast(f)
		return
	case libproto.OpHeartbeat:
		if err := e.beat.Decode(f.Body); err != nil {
			panic(err)
		}
		e.out = libproto.HeartbeatResponse{ClientTimeNs: e.beat.ClientTimeNs, ServerTimeNs: 1}.AppendTo(e.out)
	case libproto.OpBalance:
		e.out = libproto.BalanceResponse{Balance: 1, LastTxnID: 1}.AppendTo(e.out)
	case libproto.OpTransferBatch:
		if err := e.batch.Decode(f.Body); err != nil {
			panic(err)
		}
		e.results.Results = e.results.Results[:0]
		for range e.batch.Legs {
			e.results.Results = append(e.results.Results, libproto.LegResult{TxnID: 1})
		}
		e.out = e.results.AppendTo(e.out)
	default:
		e.out = libproto.TxnResponse{Balance: 1, TxnID: 1}.AppendTo(e.out)
	}
	libproto.Seal(e.out[start:])
}

func (e *echo) broadcast(f *libproto.Frame) {
	if err := e.chat.Decode(f.Body); err != nil {
		panic(err)
	}
	start := len(e.out)
	e.out = libproto.AppendHeader(e.out, libproto.Header{Op: libproto.OpChatBroadcast})
	e.out = libproto.ChatBroadcast{
		RoomID: pathRoom, RoomSeq: e.seq, TimeNs: 1, FromUserID: 1, FromName: e.conn.user.Name, Message: e.chat.Message,
	}.AppendTo(e.out)
	libproto.Seal(e.out[start:])
}

// pathMixes are all names, and one with everything.
func pathMixes() []string {
	return append(mix.Names(), "chat=1,heartbeat=1,transfer=1,withdraw=1,deposit=1,balance=1,batch=1")
}

func TestRequestPathDoesNotAllocate(t *testing.T) {
	for _, name := range pathMixes() {
		e := newEcho(t, name, 16)
		plan := e.conn.thread.plan
		plan.PayloadMin, plan.Skew = 22, evenTwo(t)
		wantNoAllocations(t, name, e, e.round, 16)
	}
}

// In the open loop nothing is allocated, either: not for requests that are sent when they are due, and not for those that wait.
func TestOpenLoopDoesNotAllocate(t *testing.T) {
	const burst = 40
	for _, kind := range []arrival.Kind{arrival.Constant, arrival.Poisson} {
		e := newEcho(t, mix.Mixed, 16)
		c := e.conn
		thread := c.thread
		thread.pace.open = true
		thread.pace.schedule = arrival.New(kind, arrival.Part{Stride: 1, Connections: 1}, 1e9, 1, 0, math.MaxInt64)
		wantNoAllocations(t, string(kind), e, func() {
			for range burst {
				due, _ := thread.pace.schedule.Due()
				thread.now = max(thread.now, due)
				thread.pace.schedule.Next()
				c.arrive(thread.now)
			}
			thread.touched, c.touched = thread.touched[:0], false
			for c.calls.load > 0 {
				e.answerAll()
			}
		}, burst)
		if thread.pace.waiting != 0 || !c.waiting.empty() {
			t.Errorf("%s: %d requests wait", kind, thread.pace.waiting)
		}
	}
}

func evenTwo(t *testing.T) *zipf.Table {
	table, err := zipf.New(2, 1)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func wantNoAllocations(t *testing.T, name string, e *echo, round func(), requests int) {
	t.Helper()
	for range 200 { // until buffers and rings have their size
		round()
	}
	if n := testing.AllocsPerRun(200, round); n != 0 {
		t.Errorf("%s: %v allocations a round of %d requests", name, n, requests)
	}
	faults := &e.conn.thread.plan.Chat.Faults
	if e.conn.state != ready || e.conn.thread.stats.OK() != uint64(401*requests) || faults.Count() != 0 {
		t.Errorf("%s: state %d, %d ok, %q", name, e.conn.state, e.conn.thread.stats.OK(), faults.Examples())
	}
}

// A stream may be cut anywhere: whatever the pieces, the same frames come out.
func TestFramesInPieces(t *testing.T) {
	for piece := 1; piece < 200; piece += 7 {
		e := newEcho(t, mix.Mixed, 8)
		e.conn.refill()
		for rest := e.conn.out; len(rest) > 0; {
			frame, n, _ := e.decoder.Next(rest)
			e.answer(&frame)
			rest = rest[n:]
		}
		for at := 0; at < len(e.out); at += piece {
			arrived := append(append([]byte(nil), e.conn.rest...), e.out[at:min(at+piece, len(e.out))]...)
			e.conn.take(arrived)
		}
		if e.conn.thread.stats.OK() != 8 || e.conn.state != ready {
			t.Errorf("pieces of %d: %d ok, state %d", piece, e.conn.thread.stats.OK(), e.conn.state)
		}
	}
}

// What no server may send ends the connection as a violation; the requests in flight fail with it, each once.
func TestViolationsEndTheConnection(t *testing.T) {
	response := func(op libproto.Opcode, id uint64, status libproto.Status, flags libproto.Flags, body libproto.Body) []byte {
		h := libproto.Header{Op: op, ReqID: id, Status: status, Flags: libproto.FlagResponse | flags}
		return libproto.AppendFrame(nil, h, body)
	}
	push := func(op libproto.Opcode, body libproto.Body) []byte {
		return libproto.AppendFrame(nil, libproto.Header{Op: op}, body)
	}
	ok, failed := libproto.TxnResponse{Balance: 1, TxnID: 1}, libproto.ErrorBody{}
	for name, frame := range map[string]func(id uint64, op libproto.Opcode) []byte{
		"unknown req_id": func(id uint64, op libproto.Opcode) []byte { return response(op, id+4096, 0, 0, ok) },
		"other opcode":   func(id uint64, _ libproto.Opcode) []byte { return response(libproto.OpWho, id, 0, 0, ok) },
		"replayed":       func(id uint64, op libproto.Opcode) []byte { return response(op, id, 0, libproto.FlagReplayed, ok) },
		"unknown status": func(id uint64, op libproto.Opcode) []byte { return response(op, id, libproto.StatusCount, 0, failed) },
		"short body":     func(id uint64, op libproto.Opcode) []byte { return response(op, id, 0, 0, libproto.Empty{}) },
		"OK body, not OK": func(id uint64, op libproto.Opcode) []byte {
			return response(op, id, libproto.StatusInternal, 0, libproto.AmountRequest{Amount: 1})
		},
		"txn_id 0": func(id uint64, op libproto.Opcode) []byte {
			return response(op, id, 0, 0, libproto.TxnResponse{Balance: 1})
		},
		"push": func(uint64, libproto.Opcode) []byte { return push(libproto.OpDeposit, ok) },
		"other room": func(uint64, libproto.Opcode) []byte {
			return push(libproto.OpChatBroadcast, libproto.ChatBroadcast{RoomID: 8})
		},
		"gap elsewhere": func(uint64, libproto.Opcode) []byte {
			return push(libproto.OpRoomEvent, libproto.RoomEvent{RoomID: 8, Kind: libproto.RoomEventGap})
		},
		"push with status": func(uint64, libproto.Opcode) []byte {
			return libproto.AppendFrame(nil, libproto.Header{Op: libproto.OpDirectMessage, Status: libproto.StatusInternal}, libproto.Empty{})
		},
		"no frame":      func(uint64, libproto.Opcode) []byte { return make([]byte, libproto.HeaderLen) },
		"not agreed on": func(id uint64, op libproto.Opcode) []byte { return response(op, id, 0, libproto.FlagEncrypted, ok) },
	} {
		e := newEcho(t, mix.Trade, 3)
		e.conn.thread.plan.Mix, _ = mix.Parse(mix.Trade, mix.TradeRatio{1, 0, 0, 0}, false)
		e.conn.refill()
		first := e.conn.calls.first()
		e.conn.take(frame(first.id, first.kind.opcode()))
		s := e.conn.thread.stats
		if e.conn.thread.plan.Violations.Count() != 1 || e.conn.state != down || s.Totals.Failed() != 3 || s.Errors[stats.Other] != 3 || s.InFlight != 3 {
			t.Errorf("%s: %q, state %d, %d failed, %v", name, e.conn.thread.plan.Violations.Examples(), e.conn.state, s.Totals.Failed(), s.Errors)
		}
	}
}

func TestDamagedFrameFailsAsChecksum(t *testing.T) {
	e := newEcho(t, mix.Trade, 2)
	e.conn.refill()
	frame := libproto.AppendFrame(nil, libproto.Header{Op: libproto.OpBalance, Flags: libproto.FlagResponse}, libproto.BalanceResponse{})
	frame[len(frame)-1] ^= 1
	e.conn.take(frame)
	if s := e.conn.thread.stats; s.Errors[stats.Checksum] != 2 || e.conn.thread.plan.Violations.Count() != 1 {
		t.Errorf("errors %v, %d violations", s.Errors, e.conn.thread.plan.Violations.Count())
	}
}

// Answers that leave the outcome open do not count as refused: the message may come, the money may have moved.
func TestOpenOutcomes(t *testing.T) {
	for status := libproto.StatusOK + 1; status < libproto.StatusCount; status++ {
		open := status == libproto.StatusTimeout || status == libproto.StatusReadOnly || status == libproto.StatusInternal
		if outcomeUnknown(status) != open {
			t.Errorf("outcomeUnknown(%v) = %v", status, !open)
		}
	}
}

// More unanswered requests than the table may hold end the connection instead of growing without bound.
func TestTooManyUnanswered(t *testing.T) {
	e := newEcho(t, mix.Trade, 64)
	c := e.conn
	for range 2 * expiredMax / 64 {
		c.refill()
		if c.state != ready {
			break
		}
		c.thread.now = c.calls.first().sentNs + int64(2*time.Hour)
		c.expire()
	}
	if c.state != down || c.thread.stats.Errors[stats.Timeout] == 0 {
		t.Errorf("state %d, errors %v", c.state, c.thread.stats.Errors)
	}
	if s := c.thread.stats; s.Totals.Failed() != s.Errors[stats.Timeout] {
		t.Errorf("%d failed, %d of them timeouts: a request is counted twice", s.Totals.Failed(), s.Errors[stats.Timeout])
	}
}

func TestResolve(t *testing.T) {
	for server, want := range map[string]string{
		"127.0.0.1:7878": "127.0.0.1:7878",
		":7878":          "127.0.0.1:7878",
		"[::1]:7878":     "[::1]:7878",
	} {
		if got, err := resolve(server); err != nil || len(got) != 1 || got[0].String() != want {
			t.Errorf("resolve(%q) = %v, %v; want %s", server, got, err, want)
		}
	}
	if _, err := resolve("127.0.0.1:no"); err == nil {
		t.Error("a port that is no number resolves")
	}
}

// TestEveryAddressIsTried: a connection goes from an address that refuses to the next one, without a failure, and comes back to
// the one that answered.
func TestEveryAddressIsTried(t *testing.T) {
	var at [3]netip.AddrPort
	for i := range at {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		at[i] = netip.MustParseAddrPort(listener.Addr().String())
		if i == 1 {
			defer listener.Close()
			continue
		}
		listener.Close()
	}
	e := newEcho(t, mix.Trade, 1)
	c, thread := e.conn, e.conn.thread
	thread.servers, thread.phase = at[:], Connect
	c.end(errClosed)
	thread.mu.Lock()
	thread.lastFail = nil
	thread.mu.Unlock()
	for range 2 {
		for deadline := time.Now().Add(10 * time.Second); c.state != greeting; thread.turn() {
			if time.Now().After(deadline) {
				t.Fatalf("state %d after 10 s: %v", c.state, thread.failure())
			}
			events, err := thread.poll.wait(sweepHurried)
			if err != nil {
				t.Fatal(err)
			}
			thread.now = thread.clock()
			for i := range events {
				thread.event(&events[i])
			}
		}
		if c.address != 1 || thread.failure() != nil {
			t.Errorf("connected to address %d, want 1; failure %v", c.address, thread.failure())
		}
		c.end(errClosed)
		thread.lastFail = nil
	}
	thread.servers = []netip.AddrPort{at[0], at[2]}
	c.address = 0
	for deadline := time.Now().Add(10 * time.Second); thread.failure() == nil && time.Now().Before(deadline); thread.turn() {
		events, err := thread.poll.wait(sweepHurried)
		if err != nil {
			t.Fatal(err)
		}
		thread.now = thread.clock()
		for i := range events {
			thread.event(&events[i])
		}
	}
	if err := thread.failure(); !errors.Is(err, unix.ECONNREFUSED) || c.tried != 0 {
		t.Errorf("all addresses refuse: %v after %d", err, c.tried)
	}
	c.end(errStopped)
}

// BenchmarkRequestPath is one request of each mix, all but the system calls: written, answered (by the benchmark, which
// costs about a third), read, counted and checked.
func BenchmarkRequestPath(b *testing.B) {
	const pipeline = 16
	for _, name := range pathMixes() {
		b.Run(name, func(b *testing.B) {
			e := newEcho(b, name, pipeline)
			b.ReportAllocs()
			for b.Loop() {
				e.round()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/pipeline, "ns/request")
		})
	}
}
