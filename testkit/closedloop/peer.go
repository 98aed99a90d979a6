package closedloop

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// readBytes is how much one read takes at most; what is left for the next is at most an answer that is not whole.
const readBytes = 32 << 10

// peer is one connection and its window.
type peer struct {
	Peer
	depth    int
	out      []byte // the window, as sent
	in       []byte // room for what comes
	got      int    // bytes of in that are there
	answered int    // of the window
}

func newPeer(p Peer, depth int) *peer {
	return &peer{Peer: p, depth: depth, in: make([]byte, readBytes)}
}

// send writes the next window. Nothing else is under way, so the socket takes it whole.
func (p *peer) send() error {
	p.answered, p.out = 0, p.out[:0]
	for range p.depth {
		p.out = p.Exchange.AppendRequest(p.out)
	}
	if len(p.out) == 0 { // it only listens
		return nil
	}
	n, err := unix.Write(p.FD, p.out)
	if err != nil {
		return fmt.Errorf("closedloop: %w", os.NewSyscallError("write", err))
	}
	if n < len(p.out) {
		return fmt.Errorf("closedloop: %w: the socket took %d of %d bytes", io.ErrShortWrite, n, len(p.out))
	}
	return nil
}

// receive reads what is there and tells whether it completes the answers to the window.
func (p *peer) receive() (whole bool, err error) {
	n, err := unix.Read(p.FD, p.in[p.got:])
	switch {
	case err == unix.EAGAIN || err == unix.EINTR:
		return false, nil
	case err != nil:
		return false, fmt.Errorf("closedloop: %w", os.NewSyscallError("read", err))
	case n == 0:
		return false, fmt.Errorf("closedloop: the server closed the connection: %w", io.ErrUnexpectedEOF)
	}
	p.got += n
	used, answers, err := p.Exchange.Answers(p.in[:p.got])
	if err != nil {
		return false, fmt.Errorf("closedloop: %w", err)
	}
	p.got = copy(p.in, p.in[used:p.got])
	p.answered += answers
	if p.answered > p.depth || p.got == len(p.in) {
		return false, fmt.Errorf("closedloop: %w: %d to a window of %d, and %d bytes of another one",
			ErrAnswer, p.answered, p.depth, p.got)
	}
	return answers > 0 && p.answered == p.depth, nil
}
