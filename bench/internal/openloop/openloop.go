// Package openloop sends requests at a fixed rate, whatever becomes of the answers, and measures each from the moment at which it was due:
// a server that is late is not spared the requests that would have come meanwhile (coordinated omission).
//
//	due   ──┬──┬──┬──┬──┬──▶ time          request i is due at begin + i / rate
//	        │  │  ╰─ connection i mod n     behind those that wait there
//	        ╰──┴── answer: latency = now − due
package openloop

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"tradechat.internal/bench/internal/closedloop"
	"tradechat.internal/libnet"
)

var (
	// ErrUnasked says that an answer came to nothing.
	ErrUnasked = errors.New("more answers than requests")

	// ErrSilent says that answers were missing long after the last request.
	ErrSilent = errors.New("no answer")
)

const (
	// lateMax is how long the last answers may take.
	lateMax = 10 * time.Second

	// tick is how often the loop looks for requests that are due: sleeping in between leaves the processor to the servers.
	tick = 50 * time.Microsecond

	readBytes = 64 << 10
	eventsMax = 256
)

// Result is one run.
type Result struct {
	Latencies []time.Duration // of every request, in the order of the answers
	Late      uint64          // requests that were sent more than a millisecond after they were due
}

// timerTag stands for the timer among the indices of the peers.
const timerTag = -1

// peer is one connection and its requests under way; answers are taken to come in order.
type peer struct {
	closedloop.Peer
	due []time.Duration // of those under way, since the begin
	out []byte
	in  []byte
}

// Loop drives some connections from one goroutine.
type Loop struct {
	epoll int
	timer libnet.TimerFD
	peers []*peer

	events []unix.EpollEvent
	sent   uint64
}

// New makes a Loop and takes the connections over.
func New(peers []closedloop.Peer) (*Loop, error) {
	l := &Loop{epoll: -1, events: make([]unix.EpollEvent, eventsMax)}
	for _, p := range peers {
		l.peers = append(l.peers, &peer{Peer: p, in: make([]byte, 0, readBytes)})
	}
	var err error
	if l.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, errors.Join(os.NewSyscallError("epoll_create1", err), l.close())
	}
	if l.timer, err = libnet.NewTimerFD(); err != nil {
		return nil, errors.Join(err, l.close())
	}
	event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: timerTag}
	if err := errors.Join(l.timer.Arm(tick, tick), unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, int(l.timer), &event)); err != nil {
		return nil, errors.Join(err, l.close())
	}
	for i, p := range l.peers {
		event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(i)}
		if err := errors.Join(unix.SetNonblock(p.FD, true), unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, p.FD, &event)); err != nil {
			return nil, errors.Join(err, l.close())
		}
	}
	return l, nil
}

// Close closes all connections.
func (l *Loop) Close() { _ = l.close() }

func (l *Loop) close() error {
	for _, p := range l.peers {
		_ = unix.Close(p.FD)
	}
	var err error
	if l.timer > 0 {
		err = l.timer.Close()
	}
	if l.epoll >= 0 {
		err = errors.Join(err, unix.Close(l.epoll))
	}
	return err
}

// Run sends rate requests a second for the duration, each on the next connection, and waits for the last answer.
func (l *Loop) Run(ctx context.Context, rate float64, duration time.Duration) (r Result, err error) {
	return l.run(ctx, rate, duration, 1, func(i int, due time.Duration) error {
		p := l.peers[i%len(l.peers)]
		p.due = append(p.due, due)
		return p.send()
	})
}

// RunTogether is Run, but all requests are sent on the first connection, and each is answered on every one, as by a fan-out.
func (l *Loop) RunTogether(ctx context.Context, rate float64, duration time.Duration) (r Result, err error) {
	return l.run(ctx, rate, duration, len(l.peers), func(_ int, due time.Duration) error {
		for _, p := range l.peers {
			p.due = append(p.due, due)
		}
		return l.peers[0].send()
	})
}

// run sends; each request has so many answers.
func (l *Loop) run(
	ctx context.Context, rate float64, duration time.Duration, answersEach int, send func(i int, due time.Duration) error,
) (r Result, err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	total := int(rate * duration.Seconds())
	interval := time.Duration(float64(time.Second) / rate)
	r.Latencies = make([]time.Duration, 0, total*answersEach)
	begin := time.Now()
	for sent := 0; len(r.Latencies) < total*answersEach; {
		now := time.Since(begin)
		for ; sent < total && time.Duration(sent)*interval <= now; sent++ {
			due := time.Duration(sent) * interval
			if now-due > time.Millisecond {
				r.Late++
			}
			if err := send(sent, due); err != nil {
				return r, err
			}
		}
		if now > duration+lateMax || ctx.Err() != nil {
			return r, errors.Join(ctx.Err(), fmt.Errorf("openloop: %w: %d of %d", ErrSilent, len(r.Latencies), sent*answersEach))
		}
		if err := l.turn(begin, &r); err != nil {
			return r, err
		}
	}
	l.sent += uint64(total)
	return r, nil
}

// turn waits for answers or the timer, and takes what there is.
func (l *Loop) turn(begin time.Time, r *Result) error {
	n, err := unix.EpollWait(l.epoll, l.events, -1)
	if err != nil && err != unix.EINTR {
		return os.NewSyscallError("epoll_wait", err)
	}
	for _, e := range l.events[:max(n, 0)] {
		if e.Fd == timerTag {
			l.expired()
		} else if r.Latencies, err = l.peers[e.Fd].receive(begin, r.Latencies); err != nil {
			return err
		}
	}
	return nil
}

// Sent is how many requests were answered in all runs.
func (l *Loop) Sent() uint64 { return l.sent }

// expired takes the timer's count, which says nothing new.
func (l *Loop) expired() {
	var count [8]byte
	_, _ = unix.Read(int(l.timer), count[:])
}

func (p *peer) send() error {
	p.out = p.Exchange.AppendRequest(p.out[:0])
	if n, err := unix.Write(p.FD, p.out); err != nil || n != len(p.out) {
		return fmt.Errorf("openloop: write: %d of %d bytes: %w", n, len(p.out), err)
	}
	return nil
}

func (p *peer) receive(begin time.Time, latencies []time.Duration) ([]time.Duration, error) {
	n, err := unix.Read(p.FD, p.in[len(p.in):cap(p.in)])
	switch {
	case err == unix.EAGAIN || err == unix.EINTR:
		return latencies, nil
	case err != nil || n == 0:
		return latencies, fmt.Errorf("openloop: read: %d bytes: %w", n, err)
	}
	p.in = p.in[:len(p.in)+n]
	now := time.Since(begin)
	used, answers, err := p.Exchange.Answers(p.in)
	if err != nil {
		return latencies, fmt.Errorf("openloop: %w", err)
	}
	if answers > len(p.due) {
		return latencies, fmt.Errorf("openloop: %w: %d to %d", ErrUnasked, answers, len(p.due))
	}
	for _, due := range p.due[:answers] {
		latencies = append(latencies, now-due)
	}
	p.due = p.due[:copy(p.due, p.due[answers:])]
	p.in = p.in[:copy(p.in, p.in[used:])]
	return latencies, nil
}
