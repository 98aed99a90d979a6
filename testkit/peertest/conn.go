package peertest

import (
	"errors"
	"net"
	"slices"
	"sync"
	"sync/atomic"

	"tradechat.internal/libproto"
)

// Conn is one connection of a client.
type Conn struct {
	// Split makes every byte a write of its own.
	Split atomic.Bool

	net                      net.Conn
	peer                     *Peer
	clientNonce, serverNonce [libproto.NonceLen]byte // touched by the serving goroutine only

	mu sync.Mutex // one frame at a time
}

// serve reads frames and calls their handlers until the connection ends.
func (c *Conn) serve() {
	defer c.net.Close()
	d := libproto.Decoder{BodyLenMax: libproto.BodyLenMaxDefault}
	var have []byte
	chunk := make([]byte, 64<<10)
	for {
		n, err := c.net.Read(chunk)
		have = append(have, chunk[:n]...)
		used, fault := c.dispatch(d, have)
		if fault != nil {
			c.peer.t.Errorf("the client sent a bad frame: %v", fault)
			return
		}
		if err != nil {
			return
		}
		have = slices.Delete(have, 0, used)
	}
}

func (c *Conn) dispatch(d libproto.Decoder, buf []byte) (used int, err error) {
	for {
		f, n, err := d.Next(buf[used:])
		if err != nil || n == 0 {
			return used, err
		}
		if err := f.CheckRequest(); err != nil {
			return used, err
		}
		used += n
		f.Body = slices.Clone(f.Body)
		if handle := c.peer.handler(f.Op); handle != nil {
			handle(c, f)
		} else {
			c.Refuse(f, libproto.StatusUnsupported, 0, "peertest has no handler for "+f.Op.String())
		}
	}
}

// Reply answers f with status OK.
func (c *Conn) Reply(f libproto.Frame, body libproto.Body) {
	c.send(libproto.Header{Op: f.Op, ReqID: f.ReqID, Flags: libproto.FlagResponse}, body)
}

// Refuse answers f with another status.
func (c *Conn) Refuse(f libproto.Frame, status libproto.Status, retryAfterMs uint32, detail string) {
	c.send(libproto.Header{Op: f.Op, ReqID: f.ReqID, Status: status, Flags: libproto.FlagResponse},
		libproto.ErrorBody{RetryAfterMs: retryAfterMs, Detail: []byte(detail)})
}

// Push sends a push.
func (c *Conn) Push(op libproto.Opcode, body libproto.Body) {
	c.send(libproto.Header{Op: op}, body)
}

func (c *Conn) send(h libproto.Header, body libproto.Body) {
	c.Raw(libproto.AppendFrame(nil, h, body))
}

// Raw sends bytes as they are. A client that has gone is no error: tests let it go at any time.
func (c *Conn) Raw(b []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	piece := len(b)
	if c.Split.Load() {
		piece = 1
	}
	for chunk := range slices.Chunk(b, max(piece, 1)) {
		if _, err := c.net.Write(chunk); err != nil {
			return
		}
	}
}

// ShrinkReceiveBuffer makes the kernel take little of what is not read; TCP only.
func (c *Conn) ShrinkReceiveBuffer() {
	if err := c.net.(*net.TCPConn).SetReadBuffer(32 << 10); err != nil {
		c.peer.t.Error(err)
	}
}

// Close ends the connection in an orderly way.
func (c *Conn) Close() { c.net.Close() }

// Reset ends it so that the client gets a reset instead of the end of the stream.
func (c *Conn) Reset() {
	if tcp, ok := c.net.(*net.TCPConn); ok {
		if err := tcp.SetLinger(0); err != nil && !errors.Is(err, net.ErrClosed) {
			c.peer.t.Error(err)
		}
	}
	c.net.Close()
}
