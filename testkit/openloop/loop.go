package openloop

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"tradechat.internal/libnet"
	"tradechat.internal/testkit/closedloop"
)

var (
	// ErrUnasked says that an answer came to nothing; it is a closedloop.ErrAnswer.
	ErrUnasked = fmt.Errorf("%w: more answers than requests", closedloop.ErrAnswer)

	// ErrLost says that a connection ended.
	ErrLost = errors.New("connection lost")

	// ErrSilent says that answers were missing long after the last request.
	ErrSilent = errors.New("no answer")
)

// timerTag stands for the timer among the indices of the peers.
const timerTag = -1

// Loop drives some connections from one goroutine.
type Loop struct {
	epoll int
	timer libnet.TimerFD
	peers []*peer

	events []unix.EpollEvent
	sent   uint64
}

// New makes a Loop and takes the connections over, whose Exchanges have made no request yet, on an error too.
func New(peers []closedloop.Peer) (*Loop, error) {
	l := &Loop{epoll: -1, events: make([]unix.EpollEvent, eventsMax)}
	for _, p := range peers {
		l.peers = append(l.peers, newPeer(p))
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
		p.close()
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

// Run sends rate requests a second for the duration, each on the next connection, and waits for the last answer. What fails is in
// the Result; the error is that of the loop itself.
func (l *Loop) Run(ctx context.Context, rate float64, duration time.Duration) (r Result, err error) {
	return l.run(ctx, rate, duration, 1, func(i int, due time.Duration, r *Result) {
		i %= len(l.peers)
		l.ask(l.peers[i:i+1], due, r)
	})
}

// RunTogether is Run, but all requests are sent on the first connection, and each is answered on every one, as by a fan-out.
func (l *Loop) RunTogether(ctx context.Context, rate float64, duration time.Duration) (r Result, err error) {
	return l.run(ctx, rate, duration, len(l.peers), func(_ int, due time.Duration, r *Result) {
		l.ask(l.peers, due, r)
	})
}

// ask makes a request on the first of some connections that is to be answered on all of them.
func (l *Loop) ask(peers []*peer, due time.Duration, r *Result) {
	if peers[0].lost() {
		r.fail(len(peers), ErrLost)
		return
	}
	for _, p := range peers {
		if p.lost() {
			r.fail(1, ErrLost)
			continue
		}
		p.expect(due)
	}
	l.sent++
	peers[0].send(r)
}

// run sends; each request has so many answers.
func (l *Loop) run(
	ctx context.Context, rate float64, duration time.Duration, answersEach int, ask func(i int, due time.Duration, r *Result),
) (r Result, err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	total := int(rate * duration.Seconds())
	interval := time.Duration(float64(time.Second) / rate)
	r.Latencies = make([]time.Duration, 0, total*answersEach)
	begin := time.Now()
	for sent := 0; r.done() < total*answersEach; {
		now := time.Since(begin)
		for ; sent < total && time.Duration(sent)*interval <= now; sent++ {
			due := time.Duration(sent) * interval
			if now-due > time.Millisecond {
				r.Late++
			}
			ask(sent, due, &r)
		}
		if ctx.Err() != nil {
			return r, ctx.Err()
		}
		if now > duration+lateMax {
			l.giveUp(&r)
			return r, nil
		}
		if err := l.turn(begin, &r); err != nil {
			return r, err
		}
	}
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
		} else {
			l.peers[e.Fd].receive(begin, r)
		}
	}
	return nil
}

// Sent is how many requests were sent in all runs.
func (l *Loop) Sent() uint64 { return l.sent }

// expired takes the timer's count, which says nothing new.
func (l *Loop) expired() {
	var count [8]byte
	_, _ = unix.Read(int(l.timer), count[:])
}

// giveUp ends what is still under way: its connections are of no use any more.
func (l *Loop) giveUp(r *Result) {
	for _, p := range l.peers {
		if len(p.way) > 0 {
			p.lose(r, ErrSilent)
		}
	}
}
