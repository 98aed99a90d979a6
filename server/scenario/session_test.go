package scenario

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

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

	awaited encoded // what was sent and is not answered yet

	waking chan ending // what a wake in the background has read; nil without one
}

func (s *session) user() string {
	user, _, _ := strings.Cut(s.name, "/")
	return user
}

func (s *session) hangUp() { _ = s.conn.Close() }

// finish reads to the end of the connection and hangs up.
func (s *session) finish() error {
	defer s.hangUp()
	_, err := s.drain()
	return err
}

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

func (s *session) fill() error { return s.fillUntil(time.Now().Add(patience)) }

// fillNow takes what is there already: a deadline that is about to pass still lets a read that need not wait succeed.
func (s *session) fillNow() error { return s.fillUntil(time.Now().Add(readableWithin)) }

func (s *session) fillUntil(deadline time.Time) error {
	if err := s.conn.SetReadDeadline(deadline); err != nil {
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
