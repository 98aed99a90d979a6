package closedloop

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"tradechat.internal/bench/internal/session"
	"tradechat.internal/libproto"
)

// The part of a response's header that repeats the request's: opcode, status (OK is a request's 0) and req_id. Responses may come in
// another order than the requests.
const (
	echoedFrom = 10
	reqIDAt    = 14
	echoedTo   = 22
)

// peer is one connection and its window.
type peer struct {
	fd      int
	to      uint32
	depth   int
	reqID   uint64
	out     []byte // the window, as sent
	in      []byte // room for its answers
	got     int    // bytes of in that are there
	checked int    // answers that are known to be right

	answered [DepthMax]bool // by place in the window
}

func newPeer(p Peer, depth int) *peer {
	n := min(max(depth, 0), DepthMax)
	return &peer{fd: p.FD, to: p.ToUserID, depth: depth, out: make([]byte, 0, n*RequestLen), in: make([]byte, n*ResponseLen)}
}

func appendRequest(dst []byte, to uint32, reqID uint64) []byte {
	start := len(dst)
	dst = libproto.AppendHeader(dst, libproto.Header{Op: libproto.OpTransfer, ReqID: reqID})
	dst = libproto.TransferRequest{ToUserID: to, Amount: 1}.AppendTo(dst)
	libproto.Seal(dst[start:])
	return dst
}

// send writes the next window. Nothing else is under way, so the socket takes it whole.
func (p *peer) send() error {
	p.out = p.out[:0]
	for range p.depth {
		p.reqID++
		p.out = appendRequest(p.out, p.to, p.reqID)
	}
	p.got, p.checked = 0, 0
	clear(p.answered[:p.depth])
	n, err := unix.Write(p.fd, p.out)
	if err != nil {
		return fmt.Errorf("closedloop: %w", os.NewSyscallError("write", err))
	}
	if n < len(p.out) {
		return fmt.Errorf("closedloop: %w: the socket took %d of %d bytes", io.ErrShortWrite, n, len(p.out))
	}
	return nil
}

// receive reads what is there and tells whether the whole window has been answered.
func (p *peer) receive() (whole bool, err error) {
	n, err := unix.Read(p.fd, p.in[p.got:])
	switch {
	case err == unix.EAGAIN || err == unix.EINTR:
		return false, nil
	case err != nil:
		return false, fmt.Errorf("closedloop: %w", os.NewSyscallError("read", err))
	case n == 0:
		return false, fmt.Errorf("closedloop: the server closed the connection: %w", io.ErrUnexpectedEOF)
	}
	p.got += n
	for ; p.checked < p.depth && p.got >= p.checked*ResponseLen+echoedTo; p.checked++ {
		if !p.right(p.checked) {
			return false, p.wrong(p.checked)
		}
	}
	return p.got == len(p.in), nil
}

// right tells whether the answer at place i is OK to a request of the window that had none yet.
func (p *peer) right(i int) bool {
	response := p.in[i*ResponseLen:]
	place := binary.BigEndian.Uint64(response[reqIDAt:echoedTo]) - p.first()
	if place >= uint64(p.depth) || p.answered[place] {
		return false
	}
	p.answered[place] = true
	return bytes.Equal(p.out[echoedFrom:reqIDAt], response[echoedFrom:reqIDAt])
}

// first is the req_id that the window begins with.
func (p *peer) first() uint64 { return p.reqID - uint64(p.depth) + 1 }

// wrong says what came that answers no request of the window.
func (p *peer) wrong(i int) error {
	decoder := libproto.Decoder{BodyLenMax: libproto.BodyLenMaxDefault}
	f, _, _ := decoder.Next(p.in[i*ResponseLen : p.got]) // whatever can be read of it
	return fmt.Errorf("closedloop: %w to TRANSFERs %d … %d: %v %v, req_id %d %s", ErrAnswer, p.first(), p.reqID, f.Op, f.Status, f.ReqID, session.Detail(f.Body))
}
