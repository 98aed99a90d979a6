package scenario

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"tradechat.internal/libproto"
)

// cmdFlood pipelines one request many times and counts the answers by status. One that is refused as busy must say when to
// come back.
func cmdFlood(ts *testscript.TestScript, w *world, args []string) {
	in := &words{ts, args}
	s, count := w.session(ts, in.next("session")), in.number("count")
	var frames []byte
	for range count {
		e, err := w.encode(s, in.rest)
		ts.Check(err)
		frames = append(frames, e.bytes...)
	}
	ts.Check(s.write(frames))
	counts := make(map[libproto.Status]int)
	for range count {
		f, err := s.response()
		ts.Check(err)
		counts[f.Status]++
		var r *refusal
		if errors.As(decode(f, libproto.NewResponse(f.Op)), &r) && r.status == libproto.StatusServerBusy && r.RetryAfterMs == 0 {
			ts.Fatalf("refused as busy without a time to come back at")
		}
	}
	for status, n := range counts {
		fmt.Fprintf(ts.Stdout(), "%v %d\n", status, n)
	}
}

var errTurnedAway = errors.New("turned away")

// knock says HELLO and returns errTurnedAway if the answer is GOING_AWAY.
func (s *session) knock() error {
	_ = s.write(s.request(libproto.OpHello, libproto.HelloRequest{VersionMin: 1, VersionMax: 1})) // may be closed already
	f, err := s.next()
	switch {
	case err != nil:
		return err
	case f.Op == libproto.OpGoingAway:
		return errTurnedAway
	}
	return decode(f, &libproto.HelloResponse{})
}

// queue is connections that were opened while a worker did not accept.
type queue struct {
	sessions []*session
	answered atomic.Int32
	failures chan error
}

func (q *queue) hangUp() {
	for _, s := range q.sessions {
		s.hangUp()
	}
}

// cmdQueue opens connections until so many of them wait to be accepted by a worker that does not. It needs a worker that is
// stopped; the others must accept.
func cmdQueue(ts *testscript.TestScript, w *world, args []string) {
	server, in := w.running(ts), &words{ts, args}
	want := in.number("connections that wait")
	in.end()
	w.queue = &queue{failures: make(chan error, placementTries)}
	for waiting := 0; waiting < want; {
		if len(w.queue.sessions) == placementTries {
			ts.Fatalf("of %d connections only %d wait", placementTries, waiting)
		}
		s, err := w.dial("queued", false)
		ts.Check(err)
		w.queue.add(s)
		ts.Check(await("each connection either answered or waiting", func() bool {
			waiting, err = server.waiting()
			return err != nil || waiting+int(w.queue.answered.Load()) == len(w.queue.sessions)
		}))
		ts.Check(err)
	}
	fmt.Fprintf(ts.Stdout(), "%d wait, %d were answered\n", want, w.queue.answered.Load())
}

// add says HELLO on a connection and waits for the answer in the background.
func (q *queue) add(s *session) {
	q.sessions = append(q.sessions, s)
	go func() {
		err := s.greet()
		if err == nil {
			q.answered.Add(1)
		}
		q.failures <- err
	}()
}

// cmdQueued waits until all connections of the queue have been answered; none may have been reset.
func cmdQueued(ts *testscript.TestScript, w *world, args []string) {
	in := &words{ts, args}
	within := in.within()
	in.end()
	if w.queue == nil {
		ts.Fatalf("there is no queue")
	}
	passed, err := took(func() (err error) {
		for range w.queue.sessions {
			err = errors.Join(err, <-w.queue.failures)
		}
		return err
	})
	ts.Check(err)
	if within > 0 && passed > within {
		ts.Fatalf("the queue was served after %v, not within %v", passed, within)
	}
	w.queue.hangUp()
	w.queue = nil
}

// cmdGarbage sends bytes that mean nothing, or nearly nothing, on many connections, from a fixed seed. Whatever the server
// makes of them, each connection must come to an end.
func cmdGarbage(ts *testscript.TestScript, w *world, args []string) {
	w.running(ts)
	in := &words{ts, args}
	user, count, seed := in.next("user"), in.number("connections"), in.number("seed")
	in.end()
	ends := make(map[string]int)
	for i := range count {
		random := rand.New(rand.NewPCG(uint64(seed), uint64(i)))
		s, err := w.inState(user, []string{"connected", "greeted", "ready"}[i%3])
		ts.Check(err)
		_ = s.send(garbage(random), random.IntN(4) > 0) // the server may end it half-way
		_ = s.conn.(*net.TCPConn).CloseWrite()
		how, err := s.drain()
		s.hangUp()
		if err != nil {
			ts.Fatalf("connection %d: %v", i, err)
		}
		ends[how]++
	}
	fmt.Fprintln(ts.Stdout(), ends)
}

// garbage is random bytes, or a stream of good frames in which some bytes are changed.
func garbage(random *rand.Rand) []byte {
	noise := make([]byte, 1+random.IntN(700))
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	ops := libproto.Opcodes()
	switch random.IntN(3) {
	case 0:
		return noise
	case 1: // a good header around noise
		frame := append(libproto.AppendHeader(nil, libproto.Header{Op: ops[random.IntN(len(ops))], ReqID: 1}), noise...)
		libproto.Seal(frame)
		return frame
	}
	var stream []byte
	for range 8 {
		body := libproto.NewRequest(ops[random.IntN(len(ops))])
		if body == nil {
			body = &libproto.Empty{}
		}
		stream = libproto.AppendFrame(stream, libproto.Header{Op: ops[random.IntN(len(ops))], ReqID: 1}, body)
	}
	for range 1 + random.IntN(3) {
		stream[random.IntN(len(stream))] = byte(random.Uint32())
	}
	return stream
}

// drain reads to the connection's end and says what that was.
func (s *session) drain() (how string, err error) {
	if err := s.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return "", err
	}
	switch _, err = io.Copy(io.Discard, s.conn); {
	case err == nil:
		return "closed", nil
	case errors.Is(err, syscall.ECONNRESET):
		return "reset", nil
	}
	return "", fmt.Errorf("the server does not end it: %w", err)
}

// bombTailBytes is how much of the announced body a length bomb really sends.
const bombTailBytes = 1 << 20

// cmdBombs has connections announce 4 GiB each: all of them must be refused from the header alone. Then all of them go on
// sending, and stay: what the workers hold of it is there to be looked at.
func cmdBombs(ts *testscript.TestScript, w *world, args []string) {
	w.running(ts)
	in := &words{ts, args}
	user, count := in.next("user"), in.number("connections")
	in.end()
	for i := range count {
		s, err := w.inState(user, []string{"connected", "ready"}[i%2])
		ts.Check(err)
		w.crowd = append(w.crowd, s)
	}
	ts.Check(together(w.crowd, (*session).bomb))
	tail := make([]byte, bombTailBytes)
	for _, s := range w.crowd {
		_ = s.write(tail) // the server may have ended it by now
	}
}

// bomb sends the header alone and waits for the answer.
func (s *session) bomb() error {
	const bodyLenAt = 6
	frame := s.request(libproto.OpHello, libproto.Empty{})
	copy(frame[bodyLenAt:], []byte{0xFF, 0xFF, 0xFF, 0xF0})
	if err := s.write(frame); err != nil {
		return err
	}
	f, err := s.response()
	if err == nil && (f.ReqID != s.reqID || f.Status != libproto.StatusBadPacket) {
		err = fmt.Errorf("%s: answered %v for req_id %d", s.name, f.Status, f.ReqID)
	}
	return err
}
