package scenario

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"tradechat.internal/libproto"
)

// session is one connection of a user: a socket and the codec, nothing that would hide what the server does. It reads
// only when a command wants something of it, and has one user at a time.
type session struct {
	name   string // user, or user/anything for a further session of the user
	conn   net.Conn
	slot   int // of its worker; -1: not asked for
	in     []byte
	reqID  uint64
	pushes []libproto.Frame // that came while an answer was waited for

	hello libproto.HelloResponse
	nonce [libproto.NonceLen]byte
	id    uint64 // of the server's session, 0 before LOGIN

	waking chan ending // what a wake in the background has read; nil without one
}

func (s *session) user() string {
	user, _, _ := strings.Cut(s.name, "/")
	return user
}

func (s *session) hangUp() { _ = s.conn.Close() }

// request encodes a request under the next req_id.
func (s *session) request(op libproto.Opcode, b libproto.Body) []byte {
	s.reqID++
	return libproto.AppendFrame(nil, libproto.Header{Op: op, ReqID: s.reqID}, b)
}

func (s *session) write(b []byte) error {
	if err := s.conn.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	_, err := s.conn.Write(b)
	return err
}

// next returns the next frame; io.EOF when the server has ended the connection between two frames.
func (s *session) next() (libproto.Frame, error) {
	decoder := libproto.Decoder{BodyLenMax: 1 << 20}
	for {
		f, n, err := decoder.Next(s.in)
		if err != nil {
			return f, err
		}
		if n > 0 {
			f.Body = append([]byte(nil), f.Body...)
			s.in = s.in[n:]
			return f, nil
		}
		if err := s.fill(); err != nil {
			return f, err
		}
	}
}

func (s *session) fill() error {
	if err := s.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	chunk := make([]byte, 32<<10)
	n, err := s.conn.Read(chunk)
	s.in = append(s.in, chunk[:n]...)
	switch {
	case n > 0:
		return nil
	case err == io.EOF && len(s.in) > 0:
		return io.ErrUnexpectedEOF
	}
	return err
}

// response returns the next response; pushes that come before it are kept.
func (s *session) response() (libproto.Frame, error) {
	for {
		f, err := s.next()
		if err != nil || f.Flags&libproto.FlagResponse != 0 {
			return f, err
		}
		s.pushes = append(s.pushes, f)
	}
}

// any returns the next frame, of those that were kept first.
func (s *session) any() (libproto.Frame, error) {
	if len(s.pushes) > 0 {
		f := s.pushes[0]
		s.pushes = s.pushes[1:]
		return f, nil
	}
	return s.next()
}

// push returns the next push; a response is an error.
func (s *session) push() (libproto.Frame, error) {
	f, err := s.any()
	if err == nil && f.Flags&libproto.FlagResponse != 0 {
		err = fmt.Errorf("%s: a response to %v %d that nobody waits for", s.name, f.Op, f.ReqID)
	}
	return f, err
}

// call makes a request and returns its response.
func (s *session) call(op libproto.Opcode, b libproto.Body) (libproto.Frame, error) {
	if err := s.write(s.request(op, b)); err != nil {
		return libproto.Frame{}, fmt.Errorf("%s: %v: %w", s.name, op, err)
	}
	f, err := s.response()
	if err != nil {
		return f, fmt.Errorf("%s: %v: %w", s.name, op, err)
	}
	if f.Op != op || f.ReqID != s.reqID {
		return f, fmt.Errorf("%s: a response to %v %d, not to %v %d", s.name, f.Op, f.ReqID, op, s.reqID)
	}
	return f, nil
}

// get is call for what must go well.
func (s *session) get(op libproto.Opcode, request libproto.Body, response libproto.DecodableBody) error {
	f, err := s.call(op, request)
	if err == nil {
		err = decode(f, response)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	return nil
}

// refusal is a response that is not OK.
type refusal struct {
	op     libproto.Opcode
	status libproto.Status
	libproto.ErrorBody
}

func (r *refusal) Error() string { return fmt.Sprintf("%v: %v: %s", r.op, r.status, r.Detail) }

// decode takes an OK response apart; any other is a *refusal.
func decode(f libproto.Frame, b libproto.DecodableBody) error {
	if f.Status != libproto.StatusOK {
		r := &refusal{op: f.Op, status: f.Status}
		if err := r.Decode(f.Body); err != nil {
			return fmt.Errorf("%v %v: its body: %w", f.Op, f.Status, err)
		}
		return r
	}
	if err := b.Decode(f.Body); err != nil {
		return fmt.Errorf("%v: %w", f.Op, err)
	}
	return nil
}

// refusedWith reports whether err is a refusal with this status.
func refusedWith(err error, status libproto.Status) bool {
	r := (*refusal)(nil)
	return errors.As(err, &r) && r.status == status
}

// ending is how a connection ended.
type ending struct {
	last *libproto.Frame // push, nil if there was none
	err  error
}

// end reads until the server ends the connection and returns the last push before that, nil if there was none. A server
// that ends a connection on purpose does so in order; anyhow allows a reset as well.
func (s *session) end(anyhow bool) (last *libproto.Frame, err error) {
	if s.waking != nil {
		woken := <-s.waking
		return woken.last, woken.err
	}
	return s.readToEnd(anyhow)
}

func (s *session) readToEnd(anyhow bool) (last *libproto.Frame, err error) {
	for {
		f, err := s.push()
		switch {
		case err == nil:
			last = &f
		case errors.Is(err, io.EOF), anyhow && (errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.ErrUnexpectedEOF)):
			return last, nil
		default:
			return last, fmt.Errorf("%s: %w", s.name, err)
		}
	}
}

// dial opens a connection, with a small receive buffer for one that is going to be deaf.
func (w *world) dial(name string, deaf bool) (*session, error) {
	d := net.Dialer{Timeout: patience}
	if deaf {
		d.Control = func(_, _ string, raw syscall.RawConn) (err error) {
			inner := raw.Control(func(fd uintptr) {
				err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, deafReceiveBytes)
			})
			return errors.Join(err, inner)
		}
	}
	conn, err := d.Dial("tcp", w.server.address)
	if err != nil {
		return nil, err
	}
	return &session{name: name, conn: conn, slot: -1}, nil
}

func (s *session) port() int { return s.conn.LocalAddr().(*net.TCPAddr).Port }

// greet says HELLO.
func (s *session) greet() error {
	rand.Read(s.nonce[:])
	return s.get(libproto.OpHello, libproto.HelloRequest{
		VersionMin: libproto.Version, VersionMax: libproto.Version,
		Capabilities: libproto.CapBatch, ClientNonce: s.nonce, Agent: []byte("tradechat-scenario"),
	}, &s.hello)
}

// greeted is a connection that has said HELLO, on worker slot, or on any if that is -1.
func (w *world) greeted(name string, slot int, deaf bool) (*session, error) {
	for range placementTries {
		s, err := w.dial(name, deaf)
		if err != nil {
			return nil, err
		}
		if err := s.greet(); err != nil {
			s.hangUp()
			return nil, err
		}
		if slot < 0 {
			return s, nil
		}
		if s.slot, err = w.server.slotOf(s.port()); err != nil {
			return nil, err
		}
		if s.slot == slot {
			return s, nil
		}
		s.hangUp()
	}
	return nil, fmt.Errorf("none of %d connections came to worker %d", placementTries, slot)
}

// keys are those of a user under the server's realm.
func (s *session) keys(user string) (libproto.Keys, error) {
	return libproto.DeriveKeys(password, user, s.hello.RealmSalt, int(s.hello.KDFIterations))
}

// proof is what LOGIN needs.
func (s *session) proof(k libproto.Keys) [libproto.KeyLen]byte {
	return libproto.Proof(k, s.nonce, s.hello.ServerNonce, [libproto.KeyLen]byte{}, []byte(s.user()))
}

// logIn registers the user when this script sees it for the first time, and logs in.
func (w *world) logIn(s *session) error {
	name := s.user()
	u, known := w.users[name]
	if !known {
		keys, err := s.keys(name)
		if err != nil {
			return err
		}
		u.keys = keys
		err = s.get(libproto.OpRegister, libproto.RegisterRequest{
			Username: []byte(name), StoredKey: keys.Stored, ServerKey: keys.Server,
		}, &libproto.RegisterResponse{})
		if err != nil && !refusedWith(err, libproto.StatusAlreadyExists) && !refusedWith(err, libproto.StatusUnauthorized) {
			return err
		}
	}
	var r libproto.LoginResponse
	err := s.get(libproto.OpLogin, libproto.LoginRequest{Username: []byte(name), Proof: s.proof(u.keys)}, &r)
	if err != nil {
		return err
	}
	u.id, s.id = r.UserID, r.SessionID
	w.users[name] = u
	return nil
}

// cmdConnect opens connections that say nothing, or only HELLO.
func cmdConnect(ts *testscript.TestScript, w *world, args []string) {
	w.running(ts)
	in := &words{ts, args}
	silent := in.skip("silently")
	for len(in.rest) > 0 {
		name := w.newName(ts, in.next("name"))
		s, err := w.dial(name, false)
		if err == nil && !silent {
			err = s.greet()
		}
		ts.Check(err)
		w.sessions[name] = s
	}
}

func cmdLogin(ts *testscript.TestScript, w *world, args []string) {
	w.running(ts)
	in := &words{ts, args}
	slot, deaf := -1, false
	var names []string
	for len(in.rest) > 0 {
		switch {
		case in.skip("on"):
			slot = in.number("slot")
		case in.skip("deaf"):
			deaf = true
		default:
			names = append(names, w.newName(ts, in.next("name")))
		}
	}
	for _, name := range names {
		s, err := w.greeted(name, slot, deaf)
		if err == nil {
			err = w.logIn(s)
		}
		ts.Check(err)
		w.sessions[name] = s
	}
}

// cmdWake has a deaf session begin to read, in the background, as soon as a value in SERVER_STATS is as wanted, and read to
// the connection's end; closed says how that was.
func cmdWake(ts *testscript.TestScript, w *world, args []string) {
	server, in := w.running(ts), &words{ts, args}
	s, c := w.session(ts, in.next("session")), parseComparison(in)
	in.end()
	woken := make(chan ending, 1)
	go func() {
		var e ending
		if e.err = server.awaitStats(c); e.err == nil {
			e.last, e.err = s.readToEnd(false)
		}
		woken <- e
	}()
	s.waking = woken
}

// newName checks that a name is free: that of a session that has ended is free again.
func (w *world) newName(ts *testscript.TestScript, name string) string {
	if w.sessions[name] != nil {
		ts.Fatalf("there is a session %s already", name)
	}
	return name
}

// cmdLeave hangs up without a word.
func cmdLeave(ts *testscript.TestScript, w *world, args []string) {
	for _, name := range args {
		w.session(ts, name).hangUp()
		delete(w.sessions, name)
	}
}

// goingAwayReasons are the words of the scripts for them.
var goingAwayReasons = map[string]libproto.GoingAwayReason{
	"shutdown": libproto.GoingAwayShutdown, "idle": libproto.GoingAwayIdle, "slow": libproto.GoingAwaySlowConsumer,
	"resumed": libproto.GoingAwayResumed, "abuse": libproto.GoingAwayAbuse,
}

// cmdClosed waits until the server has ended a connection, and checks what it said.
func cmdClosed(ts *testscript.TestScript, w *world, args []string) {
	in := &words{ts, args}
	s := w.session(ts, in.next("name"))
	want := libproto.GoingAwayReason(0)
	anyhow := in.skip("anyhow")
	if !anyhow && len(in.rest) > 0 && in.rest[0] != "within" {
		word := in.next("reason")
		if want = goingAwayReasons[word]; want == 0 {
			ts.Fatalf("%q is no reason: shutdown, idle, slow, resumed, abuse", word)
		}
	}
	within := in.within()
	in.end()
	var last *libproto.Frame
	passed, err := took(func() (err error) { last, err = s.end(anyhow); return err })
	ts.Check(err)
	if within > 0 && passed > within {
		ts.Fatalf("%s was closed after %v, not within %v", s.name, passed, within)
	}
	ts.Check(wentAway(last, want))
	s.hangUp()
	delete(w.sessions, s.name)
}

// wentAway checks the last push before an end; want 0: no GOING_AWAY.
func wentAway(last *libproto.Frame, want libproto.GoingAwayReason) error {
	var b libproto.GoingAway
	if last != nil && last.Op == libproto.OpGoingAway {
		if err := decode(*last, &b); err != nil {
			return err
		}
	}
	if b.Reason != want {
		return fmt.Errorf("the last word was GOING_AWAY %v (%s), not %v", b.Reason, b.Detail, want)
	}
	return nil
}
