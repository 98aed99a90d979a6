package control

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"tradechat.internal/libnet"
	"tradechat.internal/libproto"

	"tradechat.internal/loadgen/internal/roster"
)

// ErrUnexpected is the error of a frame that does not answer the request.
var ErrUnexpected = errors.New("unexpected frame")

// StatusError is an answer that is not OK.
type StatusError struct {
	Op         libproto.Opcode
	Status     libproto.Status
	RetryAfter time.Duration
	Detail     string
}

func (e *StatusError) Error() string {
	if e.Detail == "" {
		return fmt.Sprintf("%v: %v", e.Op, e.Status)
	}
	return fmt.Sprintf("%v: %v: %s", e.Op, e.Status, e.Detail)
}

// hasStatus reports whether err is an answer with that status.
func hasStatus(err error, status libproto.Status) bool {
	var answer *StatusError
	return errors.As(err, &answer) && answer.Status == status
}

// Client is one connection.
type Client struct {
	conn    net.Conn
	timeout time.Duration // of each request
	reqID   uint64
	decoder libproto.Decoder
	in      []byte // arrived and not consumed
	out     []byte
	session uint64
	hand    roster.Handshake
}

// Dial connects and says HELLO.
func Dial(ctx context.Context, server string, timeout time.Duration) (*Client, roster.Realm, error) {
	dialer := libnet.Dialer{
		Attempts:       dialAttempts,
		AttemptTimeout: timeout,
		Socket:         libnet.SocketOptions{KeepAlive: libnet.KeepAliveDefault},
	}
	conn, err := dialer.Dial(ctx, "tcp", server)
	if err != nil {
		return nil, roster.Realm{}, err
	}
	c := &Client{conn: conn, timeout: timeout, decoder: libproto.Decoder{BodyLenMax: libproto.BodyLenMaxDefault}}
	realm, err := c.hello(ctx)
	if err != nil {
		c.Close()
		return nil, roster.Realm{}, err
	}
	return c, realm, nil
}

// Close ends the connection at once.
func (c *Client) Close() { _ = c.conn.Close() }

func (c *Client) hello(ctx context.Context) (roster.Realm, error) {
	var answer libproto.HelloResponse
	if err := c.call(ctx, libproto.OpHello, c.hand.Hello(), &answer); err != nil {
		return roster.Realm{}, err
	}
	realm, err := c.hand.Greeted(&answer)
	c.decoder.BodyLenMax = max(realm.BodyLenMax, libproto.BodyLenMaxBeforeLogin)
	return realm, err
}

// Login logs the user in, with a new session, and checks that the server knows him.
func (c *Client) Login(ctx context.Context, user *roster.User) (libproto.LoginResponse, error) {
	var answer libproto.LoginResponse
	if err := c.call(ctx, libproto.OpLogin, c.hand.Login(user), &answer); err != nil {
		return answer, err
	}
	c.session = answer.SessionID
	return answer, c.hand.Check(user, &answer)
}

// Logout ends the session.
func (c *Client) Logout(ctx context.Context) error {
	return c.call(ctx, libproto.OpLogout, libproto.Empty{}, &libproto.Empty{})
}

// call sends a request and decodes its answer. A server that is busy is asked again.
func (c *Client) call(ctx context.Context, op libproto.Opcode, request libproto.Body, answer libproto.DecodableBody) error {
	for attempt := 1; ; attempt++ {
		err := c.once(ctx, op, request, answer)
		if !hasStatus(err, libproto.StatusServerBusy) || attempt == busyAttempts {
			return err
		}
		if err := pause(ctx, err); err != nil {
			return err
		}
	}
}

// pause waits as long as a busy server asked for.
func pause(ctx context.Context, busy error) error {
	var answer *StatusError
	errors.As(busy, &answer)
	timer := time.NewTimer(min(max(answer.RetryAfter, busyWaitMin), busyWaitMax))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *Client) once(ctx context.Context, op libproto.Opcode, request libproto.Body, answer libproto.DecodableBody) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.reqID++
	if err := c.conn.SetDeadline(time.Now().Add(c.timeout)); err != nil {
		return fmt.Errorf("%v: %w", op, err)
	}
	c.out = libproto.AppendFrame(c.out[:0], libproto.Header{Op: op, ReqID: c.reqID}, request)
	if _, err := c.conn.Write(c.out); err != nil {
		return fmt.Errorf("%v: %w", op, err)
	}
	frame, err := c.answer()
	if err != nil {
		return fmt.Errorf("%v: %w", op, err)
	}
	if frame.Op != op || frame.ReqID != c.reqID {
		return fmt.Errorf("%w: %v with req_id %d answers %v with req_id %d", ErrUnexpected, frame.Op, frame.ReqID, op, c.reqID)
	}
	return decodeAnswer(frame, answer)
}

func decodeAnswer(frame libproto.Frame, answer libproto.DecodableBody) error {
	if frame.Status == libproto.StatusOK {
		if err := answer.Decode(frame.Body); err != nil {
			return fmt.Errorf("%v: %w", frame.Op, err)
		}
		return nil
	}
	var body libproto.ErrorBody
	if err := body.Decode(frame.Body); err != nil {
		return fmt.Errorf("%v: %v: %w", frame.Op, frame.Status, err)
	}
	return &StatusError{
		Op:         frame.Op,
		Status:     frame.Status,
		RetryAfter: time.Duration(body.RetryAfterMs) * time.Millisecond,
		Detail:     string(body.Detail),
	}
}

// answer reads up to the next response. Its body is valid until the next call.
func (c *Client) answer() (libproto.Frame, error) {
	used := 0
	for {
		frame, n, err := c.decoder.Next(c.in[used:])
		used += n
		switch {
		case err != nil:
			return frame, err
		case n > 0 && frame.Flags&libproto.FlagResponse != 0:
			c.in = c.in[used:]
			return frame, nil
		case n > 0: // a push: nothing that matters here
		default:
			c.in = append([]byte(nil), c.in[used:]...)
			used = 0
			if err := c.more(); err != nil {
				return frame, err
			}
		}
	}
}

const readLen = 4096

// more reads what has arrived, at least a byte.
func (c *Client) more() error {
	have := len(c.in)
	c.in = append(c.in, make([]byte, readLen)...)
	n, err := c.conn.Read(c.in[have:])
	c.in = c.in[:have+n]
	if n > 0 {
		return nil
	}
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("the server closed the connection: %w", io.ErrUnexpectedEOF)
	}
	return err
}
