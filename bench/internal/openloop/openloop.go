// Package openloop sends requests at a fixed rate, whatever becomes of the answers, and measures each from the moment at which it was due:
// a server that is late is not spared the requests that would have come meanwhile (coordinated omission).
//
//	due   ──┬──┬──┬──┬──┬──▶ time          request i is due at begin + i / rate
//	        │  │  ╰─ connection i mod n     behind those that wait there
//	        ╰──┴── answer: latency = now − due
//
// # Invariants
//
//   - Every request of a run ends as exactly one of: a latency, or a failure (refused, lost with its connection, never answered).
//   - A connection that is lost is not made again: what would have been sent on it fails.
package openloop

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"tradechat.internal/bench/internal/session"
	"tradechat.internal/libnet"
	"tradechat.internal/libproto"
)

var (
	// ErrAnswer says that an answer was not OK, or to no request.
	ErrAnswer = errors.New("wrong answer")

	// ErrLost says that a connection ended.
	ErrLost = errors.New("connection lost")

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
	Latencies []time.Duration // of every request that was answered with OK, in the order of the answers
	Late      uint64          // requests that were sent more than a millisecond after they were due
	Failed    uint64          // requests that were not answered with OK
	Failure   error           // why the first of them was not; nil if none
}

func (r *Result) fail(requests int, why error) {
	r.Failed += uint64(requests)
	if r.Failure == nil {
		r.Failure = why
	}
}

// Percentile is the latency that p % of the answers did not exceed; 0 if there were none. It sorts them.
func (r *Result) Percentile(p float64) time.Duration {
	if len(r.Latencies) == 0 {
		return 0
	}
	slices.Sort(r.Latencies)
	return r.Latencies[min(int(p/100*float64(len(r.Latencies))), len(r.Latencies)-1)]
}

// done is how many requests have come to an end.
func (r *Result) done() int { return len(r.Latencies) + int(r.Failed) }

// Request appends the request that a connection, numbered as given to New, is to make under this req_id.
type Request func(to []byte, connection int, reqID uint64) []byte

// Transfers has each connection transfer a cent to its user.
func Transfers(toUserIDs []uint32) Request {
	return func(to []byte, connection int, reqID uint64) []byte {
		return libproto.AppendFrame(to, libproto.Header{Op: libproto.OpTransfer, ReqID: reqID},
			libproto.TransferRequest{ToUserID: toUserIDs[connection], Amount: 1})
	}
}

// timerTag stands for the timer among the indices of the peers.
const timerTag = -1

// peer is one connection and its requests under way; their answers may overtake one another.
type peer struct {
	fd    int // -1: lost
	reqID uint64
	way   []underWay
	in    []byte
}

type underWay struct {
	reqID uint64
	due   time.Duration // since the begin
}

// Loop drives some connections from one goroutine.
type Loop struct {
	epoll   int
	timer   libnet.TimerFD
	peers   []*peer
	request Request
	out     []byte
}

// New makes a Loop and takes the connections over.
func New(fds []int, request Request) (*Loop, error) {
	l := &Loop{epoll: -1, request: request}
	for _, fd := range fds {
		l.peers = append(l.peers, &peer{fd: fd, in: make([]byte, 0, readBytes)})
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
		if err := errors.Join(unix.SetNonblock(p.fd, true), unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, p.fd, &event)); err != nil {
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

// Run sends rate requests a second for the duration, and waits for the last answer. What fails is in the Result; the error is that of the
// loop itself.
func (l *Loop) Run(ctx context.Context, rate float64, duration time.Duration) (r Result, err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	total := int(rate * duration.Seconds())
	interval := time.Duration(float64(time.Second) / rate)
	r.Latencies = make([]time.Duration, 0, total)
	events := make([]unix.EpollEvent, eventsMax)
	begin := time.Now()
	for sent := 0; r.done() < total; {
		now := time.Since(begin)
		for ; sent < total && time.Duration(sent)*interval <= now; sent++ {
			due := time.Duration(sent) * interval
			if now-due > time.Millisecond {
				r.Late++
			}
			l.send(sent%len(l.peers), due, &r)
		}
		if ctx.Err() != nil {
			return r, ctx.Err()
		}
		if now > duration+lateMax {
			l.giveUp(&r)
			return r, nil
		}
		n, err := unix.EpollWait(l.epoll, events, -1)
		if err != nil && err != unix.EINTR {
			return r, os.NewSyscallError("epoll_wait", err)
		}
		for _, e := range events[:max(n, 0)] {
			if e.Fd == timerTag {
				l.expired()
			} else {
				l.peers[e.Fd].receive(begin, &r)
			}
		}
	}
	return r, nil
}

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

// send makes a connection's next request. One that the socket does not take whole is as bad as lost: nobody reads there.
func (l *Loop) send(connection int, due time.Duration, r *Result) {
	p := l.peers[connection]
	if p.fd < 0 {
		r.fail(1, ErrLost)
		return
	}
	p.reqID++
	l.out = l.request(l.out[:0], connection, p.reqID)
	p.way = append(p.way, underWay{p.reqID, due})
	if n, err := unix.Write(p.fd, l.out); err != nil || n != len(l.out) {
		p.lose(r, fmt.Errorf("%w: write: %d of %d bytes: %w", ErrLost, n, len(l.out), err))
	}
}

// receive takes what has come. Pushes are passed over.
func (p *peer) receive(begin time.Time, r *Result) {
	if p.fd < 0 {
		return // lost since epoll_wait
	}
	n, err := unix.Read(p.fd, p.in[len(p.in):cap(p.in)])
	switch {
	case err == unix.EAGAIN || err == unix.EINTR:
		return
	case err != nil || n == 0:
		p.lose(r, fmt.Errorf("%w: read: %d bytes: %w", ErrLost, n, err))
		return
	}
	p.in = p.in[:len(p.in)+n]
	now := time.Since(begin)
	decoder, used := libproto.Decoder{BodyLenMax: libproto.BodyLenMaxDefault}, 0
	for {
		f, n, err := decoder.Next(p.in[used:])
		if err != nil {
			p.lose(r, fmt.Errorf("%w: %w", ErrAnswer, err))
			return
		}
		if n == 0 {
			break
		}
		used += n
		if f.Flags&libproto.FlagResponse != 0 {
			p.answered(f, now, r)
		}
	}
	p.in = p.in[:copy(p.in, bytes.Clone(p.in[used:]))]
}

func (p *peer) answered(f libproto.Frame, now time.Duration, r *Result) {
	i := slices.IndexFunc(p.way, func(w underWay) bool { return w.reqID == f.ReqID })
	if i < 0 {
		p.lose(r, fmt.Errorf("%w: %v with req_id %d, which is not under way", ErrAnswer, f.Op, f.ReqID))
		return
	}
	due := p.way[i].due
	p.way = slices.Delete(p.way, i, i+1)
	if f.Status != libproto.StatusOK {
		r.fail(1, fmt.Errorf("%w: %v: %v %s", ErrAnswer, f.Op, f.Status, session.Detail(f.Body)))
		return
	}
	r.Latencies = append(r.Latencies, now-due)
}

// lose closes a connection; what was under way on it has failed.
func (p *peer) lose(r *Result, why error) {
	r.fail(len(p.way), fmt.Errorf("openloop: %w", why))
	p.way = nil
	p.close()
}

func (p *peer) close() {
	if p.fd >= 0 {
		_ = unix.Close(p.fd)
		p.fd = -1
	}
}
