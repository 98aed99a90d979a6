// Package session makes connections to a server one step at a time: connect, HELLO, LOGIN, and then the bare socket. The
// measurements time those steps, keep thousands of idle sessions, or drive the sockets themselves; package client, which
// reads, beats and comes back by itself, is for users.
//
// A Conn belongs to one goroutine.
package session

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"tradechat.internal/libnet"
	"tradechat.internal/libproto"
)

// answerMax is how long a step may take: connecting, or one answer.
const answerMax = 10 * time.Second

var (
	// ErrRefused reports a response whose status is not OK.
	ErrRefused = errors.New("the server refused")

	// ErrServerSignature reports a server that does not know the user's keys.
	ErrServerSignature = errors.New("the server did not prove that it knows the user")

	// ErrUnread reports a Detach that would lose what came.
	ErrUnread = errors.New("bytes have been read that nobody has taken")
)

// Conn is one connection.
type Conn struct {
	socket *net.TCPConn
	in     []byte // what has been read and not been taken yet
	reqID  uint64
	nonce  [libproto.NonceLen]byte
	server libproto.HelloResponse
}

// Dial connects to host:port, once.
func Dial(ctx context.Context, address string) (*Conn, error) {
	socket, err := libnet.Dialer{Attempts: 1, AttemptTimeout: answerMax}.Dial(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("session: %w", err)
	}
	return On(socket.(*net.TCPConn)), nil
}

// On makes a Conn of a socket that was connected elsewhere; nothing has been said on it.
func On(socket *net.TCPConn) *Conn { return &Conn{socket: socket} }

// LocalPort is the client's own port.
func (c *Conn) LocalPort() uint16 {
	return netip.MustParseAddrPort(c.socket.LocalAddr().String()).Port()
}

// Close closes the connection.
func (c *Conn) Close() error { return c.socket.Close() }

// Hello says HELLO and returns the answer, which lives as long as the Conn.
func (c *Conn) Hello() (libproto.HelloResponse, error) {
	rand.Read(c.nonce[:])
	err := c.Ask(libproto.OpHello, libproto.HelloRequest{
		VersionMin: libproto.Version, VersionMax: libproto.Version, ClientNonce: c.nonce, Agent: []byte("tradechat-bench"),
	}, &c.server)
	return c.server, err
}

// Login logs in after Hello.
func (c *Conn) Login(user string, keys libproto.Keys) (libproto.LoginResponse, error) {
	var (
		answer    libproto.LoginResponse
		noBinding [libproto.KeyLen]byte
		name      = []byte(user)
	)
	err := c.Ask(libproto.OpLogin, libproto.LoginRequest{
		Username: name, Proof: libproto.Proof(keys, c.nonce, c.server.ServerNonce, noBinding, name),
	}, &answer)
	if err != nil {
		return answer, err
	}
	want := libproto.ServerSignature(keys.Server, c.nonce, c.server.ServerNonce, noBinding, name)
	if !hmac.Equal(want[:], answer.ServerSignature[:]) {
		return answer, fmt.Errorf("session: LOGIN of %s: %w", user, ErrServerSignature)
	}
	return answer, nil
}

// Join joins a room after Login, without what was said before.
func (c *Conn) Join(room uint32) error {
	return c.Ask(libproto.OpJoinRoom, libproto.JoinRoomRequest{RoomID: room}, new(libproto.JoinRoomResponse))
}

// Open connects, says HELLO and logs in.
func Open(ctx context.Context, address, user string, keys libproto.Keys) (*Conn, error) {
	c, err := Dial(ctx, address)
	if err != nil {
		return nil, err
	}
	if _, err = c.Hello(); err == nil {
		_, err = c.Login(user, keys)
	}
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// Ask makes one request and waits for its response. Pushes that come before it are passed over.
func (c *Conn) Ask(op libproto.Opcode, request libproto.Body, response libproto.DecodableBody) error {
	c.reqID++
	if err := c.socket.SetDeadline(time.Now().Add(answerMax)); err != nil {
		return fmt.Errorf("session: %w", err)
	}
	frame := libproto.AppendFrame(nil, libproto.Header{Op: op, ReqID: c.reqID}, request)
	if _, err := c.socket.Write(frame); err != nil {
		return fmt.Errorf("session: %v: %w", op, err)
	}
	for {
		f, err := c.next()
		if err != nil {
			return fmt.Errorf("session: answer to %v: %w", op, err)
		}
		if f.ReqID != c.reqID {
			continue
		}
		if f.Status != libproto.StatusOK {
			return fmt.Errorf("session: %v: %w: %v %s", op, ErrRefused, f.Status, Detail(f.Body))
		}
		if err := response.Decode(f.Body); err != nil {
			return fmt.Errorf("session: answer to %v: %w", op, err)
		}
		return nil
	}
}

// next reads one frame; it aliases c.in until the next call that reads.
func (c *Conn) next() (libproto.Frame, error) {
	decoder := libproto.Decoder{BodyLenMax: libproto.BodyLenMaxDefault}
	for {
		f, n, err := decoder.Next(c.in)
		if err != nil {
			return f, err
		}
		if n > 0 {
			c.in = c.in[n:]
			return f, nil
		}
		chunk := make([]byte, 4096)
		got, err := c.socket.Read(chunk)
		if got == 0 {
			return f, err
		}
		c.in = append(c.in, chunk[:got]...)
	}
}

// Detail is the text of an error response; empty if the body is none.
func Detail(body []byte) string {
	var e libproto.ErrorBody
	if e.Decode(body) != nil {
		return ""
	}
	return string(e.Detail)
}

// Detach takes the socket out of the runtime's poller and gives it to the caller as a bare nonblocking descriptor, which
// the caller closes. The Conn is closed with it.
func (c *Conn) Detach() (fd int, err error) {
	if len(c.in) > 0 {
		return -1, errors.Join(fmt.Errorf("session: detach: %w: %d", ErrUnread, len(c.in)), c.Close())
	}
	return Bare(c.socket)
}

// Bare is Detach for a socket that was opened elsewhere. The socket is closed in any case.
func Bare(socket *net.TCPConn) (fd int, err error) {
	raw, err := socket.SyscallConn()
	if err == nil {
		inner := raw.Control(func(own uintptr) { fd, err = unix.FcntlInt(own, unix.F_DUPFD_CLOEXEC, 0) })
		err = errors.Join(inner, os.NewSyscallError("fcntl", err))
	}
	if err != nil {
		return -1, fmt.Errorf("session: detach: %w", errors.Join(err, socket.Close()))
	}
	if err := socket.Close(); err != nil {
		_ = unix.Close(fd)
		return -1, fmt.Errorf("session: detach: %w", err)
	}
	return fd, nil
}
