package worker

import (
	"net/netip"
	"testing"

	"github.com/panjf2000/gnet/v2"

	"tradechat.internal/libproto"
)

// fakeSock stands in for gnet's connection where a test is the event loop itself: it counts writes, and can be stuck or
// broken at will.
type fakeSock struct {
	gnet.Conn // nil: what is not overridden is not to be called
	t         testing.TB
	w         *Worker
	c         *conn
	in        []byte
	out       []byte
	writes    int
	stuck     bool // nothing leaves: what is written is queued
	broken    bool // the next write fails, and as gnet does it, closes
	closed    bool
}

func (s *fakeSock) Context() any              { return s.c }
func (s *fakeSock) EventLoop() gnet.EventLoop { return fakeLoop{} }
func (s *fakeSock) InboundBuffered() int      { return len(s.in) }
func (s *fakeSock) Fd() int                   { return -2 - int(s.c.number) } // no descriptor, and another for each

func (s *fakeSock) Peek(n int) ([]byte, error) {
	s.use()
	return s.in, nil
}

func (s *fakeSock) Discard(n int) (int, error) {
	s.use()
	if n <= 0 {
		n = len(s.in)
	}
	s.in = s.in[n:]
	return n, nil
}

func (s *fakeSock) OutboundBuffered() int {
	s.use()
	if s.stuck {
		return len(s.out)
	}
	return 0
}

func (s *fakeSock) Write(b []byte) (int, error) {
	s.use()
	if s.broken {
		s.w.OnClose(s, errBroken)
		s.closed = true
		return 0, errBroken
	}
	s.writes++
	s.out = append(s.out, b...)
	return len(b), nil
}

// use checks the first invariant of the package.
func (s *fakeSock) use() {
	if s.closed {
		s.t.Error("a connection is used after OnClose")
	}
}

var errBroken = gnetError("broken")

type gnetError string

func (e gnetError) Error() string { return string(e) }

// fakeLoop closes as gnet's does: OnClose before it returns.
type fakeLoop struct{ gnet.EventLoop }

func (fakeLoop) Close(c gnet.Conn) error {
	s := c.(*fakeSock)
	s.w.OnClose(s, nil)
	s.closed = true
	return nil
}

// stage is a worker whose event loop is the test.
type stage struct {
	*cluster
	w *Worker
}

func newStage(t testing.TB) *stage {
	t.Helper()
	c := newCluster(t, nil)
	r, _ := c.newWorker(0)
	t.Cleanup(r.store.Close)
	return &stage{cluster: c, w: r.Worker}
}

// dial opens a connection.
func (s *stage) dial() *fakeSock {
	s.t.Helper()
	sock := &fakeSock{t: s.t, w: s.w, c: &conn{addr: netip.MustParseAddr("127.0.0.1")}}
	s.w.gate.open.Add(1)
	s.w.OnOpen(sock)
	return sock
}

// enter opens a connection and logs it in.
func (s *stage) enter(name string) *fakeSock {
	s.t.Helper()
	sock := s.dial()
	var h libproto.HelloResponse
	hello := libproto.HelloRequest{VersionMin: 1, VersionMax: 1, ClientNonce: testNonce}
	decode(s.t, sock.turn(encode(libproto.OpHello, 1, hello))[0], &h)
	decode(s.t, sock.turn(encode(libproto.OpLogin, 2, loginRequest(name, h)))[0], &libproto.LoginResponse{})
	return sock
}

func encode(op libproto.Opcode, reqID uint64, b libproto.Body) []byte {
	return libproto.AppendFrame(nil, libproto.Header{Op: op, ReqID: reqID}, b)
}

// turn lets input arrive and returns the frames that were written since the last time.
func (s *fakeSock) turn(input []byte) []libproto.Frame {
	s.t.Helper()
	s.in = append(s.in, input...)
	s.w.OnTraffic(s)
	return s.taken()
}

func (s *fakeSock) taken() (frames []libproto.Frame) {
	s.t.Helper()
	d := libproto.Decoder{BodyLenMax: 1 << 20}
	rest := append([]byte(nil), s.out...)
	s.out, s.writes = nil, 0
	for len(rest) > 0 {
		f, n, err := d.Next(rest)
		if err != nil || n == 0 {
			s.t.Fatalf("%d bytes were written that are no frame: %v", len(rest), err)
		}
		frames = append(frames, f)
		rest = rest[n:]
	}
	return frames
}

// deliver does what the loop does when the slot's eventfd is readable.
func (s *stage) deliver() {
	s.w.begin()
	s.w.onWake()
	s.w.end()
}

// tick does what the loop does when the timer is readable.
func (s *stage) tick() {
	s.w.begin()
	s.w.onTick()
	s.w.end()
}
