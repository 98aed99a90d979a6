package openloop

import (
	"fmt"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"tradechat.internal/testkit/closedloop"
)

// peer is one connection and its requests under way.
type peer struct {
	closedloop.Peer                    // its FD is -1 when it is lost
	matcher         closedloop.Matcher // the Exchange; nil if its answers come in order
	asked           uint64
	way             []underWay // in the order of the requests
	out, in         []byte
}

// underWay is a request that has not been answered here.
type underWay struct {
	request uint64        // as a Matcher numbers them
	due     time.Duration // since the begin
}

func newPeer(p closedloop.Peer) *peer {
	matcher, _ := p.Exchange.(closedloop.Matcher)
	return &peer{Peer: p, matcher: matcher, in: make([]byte, 0, readBytes)}
}

func (p *peer) lost() bool { return p.FD < 0 }

// expect takes a note of a request whose answer is to come here.
func (p *peer) expect(due time.Duration) {
	p.asked++
	p.way = append(p.way, underWay{p.asked, due})
}

// send makes the next request. One that the socket does not take whole is as bad as lost: nobody reads there. If the other side has
// ended the connection, receive will find that out, behind the answers that came before.
func (p *peer) send(r *Result) {
	p.out = p.Exchange.AppendRequest(p.out[:0])
	n, err := unix.Write(p.FD, p.out)
	if err == unix.EPIPE || err == unix.ECONNRESET {
		return
	}
	if err != nil || n != len(p.out) {
		p.lose(r, fmt.Errorf("%w: write: %d of %d bytes: %w", ErrLost, n, len(p.out), err))
	}
}

// receive takes what has come.
func (p *peer) receive(begin time.Time, r *Result) {
	if p.lost() {
		return // since epoll_wait
	}
	n, err := unix.Read(p.FD, p.in[len(p.in):cap(p.in)])
	switch {
	case err == unix.EAGAIN || err == unix.EINTR:
		return
	case err != nil || n == 0:
		p.lose(r, fmt.Errorf("%w: read: %d bytes: %w", ErrLost, n, err))
		return
	}
	p.in = p.in[:len(p.in)+n]
	now := time.Since(begin)
	used, answers, err := p.Exchange.Answers(p.in)
	p.in = p.in[:copy(p.in, p.in[used:])]
	if more := p.answered(answers, now, r); err == nil {
		err = more
	}
	if err != nil {
		p.lose(r, err)
	}
}

// answered ends the requests that the last answers were to.
func (p *peer) answered(answers int, now time.Duration, r *Result) error {
	if p.matcher != nil {
		return p.match(now, r)
	}
	if answers > len(p.way) {
		return fmt.Errorf("%w: %d to %d", ErrUnasked, answers, len(p.way))
	}
	for _, w := range p.way[:answers] {
		r.Latencies = append(r.Latencies, now-w.due)
	}
	p.way = slices.Delete(p.way, 0, answers)
	return nil
}

func (p *peer) match(now time.Duration, r *Result) error {
	for _, answer := range p.matcher.Matched() {
		i := slices.IndexFunc(p.way, func(w underWay) bool { return w.request == answer.Request })
		if i < 0 {
			return fmt.Errorf("%w: request %d is not under way", ErrUnasked, answer.Request)
		}
		if answer.Refusal != nil {
			r.fail(1, fmt.Errorf("openloop: %w", answer.Refusal))
		} else {
			r.Latencies = append(r.Latencies, now-p.way[i].due)
		}
		p.way = slices.Delete(p.way, i, i+1)
	}
	return nil
}

// lose closes a connection; what was under way on it has failed.
func (p *peer) lose(r *Result, why error) {
	r.fail(len(p.way), fmt.Errorf("openloop: %w", why))
	p.way = nil
	p.close()
}

func (p *peer) close() {
	if !p.lost() {
		_ = unix.Close(p.FD)
		p.FD = -1
	}
}
