package admin

import (
	"net"
	"os"
	"time"

	"tradechat.internal/libnet"
	"tradechat.internal/libproto"
)

// conn is one connection and its buffers.
type conn struct {
	server  *Server
	socket  *net.UnixConn
	peer    libnet.Credentials
	allowed bool
	decoder libproto.Decoder
	in      []byte // what has arrived and is no whole frame yet
	out     []byte // answers to what one read brought
	faults  []time.Time
}

func newConn(s *Server, socket *net.UnixConn, peer libnet.Credentials) *conn {
	return &conn{
		server: s, socket: socket, peer: peer,
		allowed: peer.UID == 0 || peer.UID == uint32(os.Geteuid()),
		decoder: libproto.Decoder{BodyLenMax: libproto.BodyLenMaxBeforeLogin},
		in:      make([]byte, 0, libproto.HeaderLen+libproto.BodyLenMaxBeforeLogin),
	}
}

// run reads and answers until the peer closes, falls silent or must be dropped.
func (c *conn) run() {
	for alive := true; alive; {
		if c.socket.SetDeadline(time.Now().Add(quietMax)) != nil {
			return
		}
		n, err := c.socket.Read(c.in[len(c.in):cap(c.in)])
		if err != nil {
			return
		}
		c.in = c.in[:len(c.in)+n]
		alive = c.answerAll()
		if _, err := c.socket.Write(c.out); err != nil {
			return
		}
		c.out = c.out[:0]
	}
}

// answerAll answers every whole frame in c.in and keeps the rest, which always leaves room: a frame that would not fit
// is over the body limit. It returns false when the connection must end.
func (c *conn) answerAll() bool {
	rest := c.in
	for {
		frame, n, err := c.decoder.Next(rest)
		rest = rest[n:]
		switch {
		case libproto.IsFatal(err):
			c.fail(frame.Header, libproto.StatusBadPacket, 0, err.Error())
			return false
		case err != nil:
			c.fail(frame.Header, libproto.StatusChecksumFail, 0, err.Error())
			if !c.forgiveChecksum(time.Now()) {
				return false
			}
		case n == 0:
			c.in = c.in[:copy(c.in[:cap(c.in)], rest)]
			return true
		case !c.allowed:
			c.fail(frame.Header, libproto.StatusUnauthorized, 0, "only the server's own user and root may do this")
			return false
		default:
			c.answer(frame)
		}
	}
}

// forgiveChecksum notes a damaged frame and reports whether the connection may go on.
func (c *conn) forgiveChecksum(now time.Time) bool {
	c.server.log.Warn().Int32("peer_pid", c.peer.PID).Msg("admin: checksum differs")
	c.faults = append(c.faults, now)
	if len(c.faults) < libproto.ChecksumFaultsMax {
		return true
	}
	oldest := c.faults[0]
	c.faults = c.faults[1:]
	return now.Sub(oldest) > libproto.FaultWindow
}

// reply appends the response to a request that was done.
func (c *conn) reply(to libproto.Header, body libproto.Body) {
	h := libproto.Header{Op: to.Op, ReqID: to.ReqID, Flags: libproto.FlagResponse}
	c.out = libproto.AppendFrame(c.out, h, body)
	c.count(to.Op, libproto.StatusOK)
}

// fail appends the response to a request that was not done.
func (c *conn) fail(to libproto.Header, status libproto.Status, retryAfterMs uint32, detail string) {
	h := libproto.Header{Op: to.Op, ReqID: to.ReqID, Flags: libproto.FlagResponse, Status: status}
	c.out = libproto.AppendFrame(c.out, h, libproto.ErrorBody{RetryAfterMs: retryAfterMs, Detail: []byte(detail)})
	c.count(to.Op, status)
}
