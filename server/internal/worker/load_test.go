package worker

import (
	"io"
	"runtime"
	"testing"
	"time"

	"tradechat.internal/libproto"
)

// replayer sends the same requests again and again, with new req_ids, and takes the answers, without allocating.
type replayer struct {
	*peer
	requests []byte
	frameLen int
	answers  []byte
}

// replayer prepares depth requests a round, of an opcode whose answer has one length.
func (p *peer) replayer(op libproto.Opcode, b libproto.Body, depth int) *replayer {
	answer := libproto.HeaderLen + len(libproto.NewResponse(op).AppendTo(nil))
	r := &replayer{peer: p, answers: make([]byte, depth*answer)}
	for range depth {
		r.requests = append(r.requests, p.request(op, b)...)
	}
	r.frameLen = len(r.requests) / depth
	must(p.t, p.socket.SetDeadline(time.Time{})) // those of the requests so far
	return r
}

func (r *replayer) round() {
	for at := 0; at < len(r.requests); at += r.frameLen {
		r.reqID++
		putReqID(r.requests[at:at+r.frameLen], r.reqID)
	}
	if _, err := r.socket.Write(r.requests); err != nil {
		r.t.Fatal(err)
	}
	if _, err := io.ReadFull(r.socket, r.answers); err != nil {
		r.t.Fatal(err)
	}
}

// TestWorkerUnderLoadAllocatesNothing counts what the whole process allocates while a real worker serves real sockets;
// the client's side allocates nothing, so what is counted is the worker's.
func TestWorkerUnderLoadAllocatesNothing(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates")
	}
	t.Run("no journal", func(t *testing.T) { loadAllocatesNothing(t, newCluster(t, nil)) })
	t.Run("journal", func(t *testing.T) {
		c := newCluster(t, nil)
		c.openJournal().follow()
		loadAllocatesNothing(t, c)
	})
}

func loadAllocatesNothing(t *testing.T, c *cluster) {
	c.addUser("alice", 1<<40)
	bob := c.addUser("bob", 0)
	c.master.NudgeLogWriter()
	c.start()
	must(t, c.segment.AwaitDurable(c.segment.Head(), patience))
	p := c.workers[0].enter(t, "alice").
		replayer(libproto.OpTransfer, libproto.TransferRequest{ToUserID: bob, Amount: 1}, 16)
	const rounds = 1000
	for range rounds {
		p.round()
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range rounds {
		p.round()
	}
	runtime.ReadMemStats(&after)
	if perRequest := float64(after.Mallocs-before.Mallocs) / (16 * rounds); perRequest > 0.01 {
		t.Errorf("%.3f allocations per request", perRequest)
	}
}

// BenchmarkTransfer is the round trip over a real socket, without a journal and with one whose disk takes no time.
func BenchmarkTransfer(b *testing.B) {
	for _, depth := range []int{1, 16} {
		name := map[int]string{1: "unpipelined", 16: "pipelined16"}[depth]
		b.Run(name, func(b *testing.B) { benchmarkTransfer(b, depth, false) })
		b.Run(name+"/journal", func(b *testing.B) { benchmarkTransfer(b, depth, true) })
	}
}

func benchmarkTransfer(b *testing.B, depth int, journal bool) {
	c := newCluster(b, nil)
	c.addUser("alice", 1<<40)
	bob := c.addUser("bob", 0)
	if journal {
		c.openJournal().follow()
	}
	c.start()
	p := c.workers[0].enter(b, "alice").
		replayer(libproto.OpTransfer, libproto.TransferRequest{ToUserID: bob, Amount: 1}, depth)
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; n += depth {
		p.round()
	}
}

// BenchmarkDispatch is the worker's own share of a request: decoding, store, answer; the sockets are not real.
func BenchmarkDispatch(b *testing.B) {
	b.Run("no journal", func(b *testing.B) {
		s := newStage(b)
		s.addUsers()
		benchmarkDispatch(b, s, func() {})
	})
	b.Run("parked", func(b *testing.B) { // a group of one request each of many connections
		s := newStage(b)
		s.addUsers()
		j := s.openJournal()
		benchmarkDispatch(b, s, func() {
			j.sync()
			s.deliver()
		})
	})
}

func (s *stage) addUsers() {
	s.addUser("alice", 1<<40)
	s.addUser("bob", 0)
}

// benchmarkDispatch calls sync after each group of requests.
func benchmarkDispatch(b *testing.B, s *stage, sync func()) {
	const group = 64
	socks := make([]*fakeSock, group)
	for i := range socks {
		socks[i] = s.enter("alice")
	}
	frame := encode(libproto.OpTransfer, 3, libproto.TransferRequest{ToUserID: 2, Amount: 1})
	out := make([]byte, 0, 1<<10)
	reqID := uint64(3)
	b.ReportAllocs()
	for b.Loop() {
		reqID++
		putReqID(frame, reqID)
		sock := socks[reqID%group]
		sock.in, sock.out = frame, out
		s.w.OnTraffic(sock)
		if reqID%group == 0 {
			sync()
		}
	}
}
