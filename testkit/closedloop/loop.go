package closedloop

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// DepthMax bounds a window: its bytes must fit into a socket's buffers.
	DepthMax = 1024

	// silenceMs is how long all connections together may be silent before the server is given up.
	silenceMs = 10_000

	// eventsMax is how many ready connections one look at the epoll set returns.
	eventsMax = 256
)

var (
	// ErrSilent says that a server answered nothing for silenceMs.
	ErrSilent = errors.New("no answer")

	// ErrAnswer says that an answer was not the one to the request.
	ErrAnswer = errors.New("wrong answer")

	// ErrDepth says that a window has another size than 1 … DepthMax.
	ErrDepth = errors.New("depth outside the limits")
)

// Peer is one connection to drive: a socket, and what is said on it.
type Peer struct {
	FD       int // the Loop's from New on
	Exchange Exchange
}

// Loop drives some connections. It is for one goroutine.
type Loop struct {
	epoll  int
	peers  []*peer
	events []unix.EpollEvent
}

// Result is what one Run did.
type Result struct {
	Requests  uint64
	Elapsed   time.Duration
	ClientCPU time.Duration // of the loop's own thread
}

// PerSecond is the rate of requests.
func (r Result) PerSecond() float64 { return float64(r.Requests) / r.Elapsed.Seconds() }

// New makes a Loop with a window of depth requests on each connection, and takes the connections over, on an error too.
func New(peers []Peer, depth int) (*Loop, error) {
	l := &Loop{epoll: -1, events: make([]unix.EpollEvent, eventsMax)}
	for _, p := range peers {
		l.peers = append(l.peers, newPeer(p, depth))
	}
	if err := l.open(depth); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

func (l *Loop) open(depth int) (err error) {
	if depth < 1 || depth > DepthMax {
		return fmt.Errorf("closedloop: %w: %d, not 1 … %d", ErrDepth, depth, DepthMax)
	}
	if l.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return os.NewSyscallError("epoll_create1", err)
	}
	for i, p := range l.peers {
		if err := unix.SetNonblock(p.FD, true); err != nil {
			return os.NewSyscallError("fcntl", err)
		}
		event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(i)} // Fd is ours to use: the index
		if err := unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, p.FD, &event); err != nil {
			return os.NewSyscallError("epoll_ctl", err)
		}
	}
	return nil
}

// Close closes all connections.
func (l *Loop) Close() {
	for _, p := range l.peers {
		_ = unix.Close(p.FD)
	}
	if l.epoll >= 0 {
		_ = unix.Close(l.epoll)
	}
}

// Run keeps all connections busy for the duration, or until the context ends, and returns when the last answer is there.
// After an error the Loop is good for Close only.
func (l *Loop) Run(ctx context.Context, duration time.Duration) (r Result, err error) {
	return l.timed(ctx, func(begin time.Time) (requests uint64, err error) {
		return l.windows(func() bool { return time.Since(begin) < duration && ctx.Err() == nil })
	})
}

// RunTogether is Run, but for requests that are answered on other connections, too, as by a fan-out: no connection's next window
// begins before all have the answers to theirs. Each answer counts as a request.
func (l *Loop) RunTogether(ctx context.Context, duration time.Duration) (r Result, err error) {
	return l.timed(ctx, func(begin time.Time) (requests uint64, err error) {
		for time.Since(begin) < duration && ctx.Err() == nil {
			n, err := l.windows(func() bool { return false })
			if requests += n; err != nil {
				return requests, err
			}
		}
		return requests, nil
	})
}

// timed takes the clocks around a run, which it keeps on one thread.
func (l *Loop) timed(ctx context.Context, run func(begin time.Time) (uint64, error)) (r Result, err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	begin, cpu := time.Now(), threadCPU()
	if r.Requests, err = run(begin); err != nil {
		return r, err
	}
	r.Elapsed, r.ClientCPU = time.Since(begin), threadCPU()-cpu
	return r, ctx.Err()
}

// windows sends a window on each connection, and the next on each that has been answered as long as there is to be more.
func (l *Loop) windows(more func() bool) (requests uint64, err error) {
	for _, p := range l.peers {
		if err := p.send(); err != nil {
			return requests, err
		}
	}
	for busy := len(l.peers); busy > 0; {
		n, err := l.await()
		if err != nil {
			return requests, err
		}
		answered, idled, err := l.turn(l.events[:n], more())
		if err != nil {
			return requests, err
		}
		requests += answered
		busy -= idled
	}
	return requests, nil
}

func (l *Loop) await() (n int, err error) {
	for {
		n, err = unix.EpollWait(l.epoll, l.events, silenceMs)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return 0, os.NewSyscallError("epoll_wait", err)
		case n == 0:
			return 0, fmt.Errorf("closedloop: %w for %d ms", ErrSilent, silenceMs)
		default:
			return n, nil
		}
	}
}

// turn serves the connections that are ready. It returns how many requests have been answered, and how many connections
// have nothing under way any more because no more was to be sent.
func (l *Loop) turn(ready []unix.EpollEvent, more bool) (answered uint64, idled int, err error) {
	for i := range ready {
		p := l.peers[ready[i].Fd]
		whole, err := p.receive()
		switch {
		case err != nil:
			return answered, idled, err
		case !whole:
			continue
		case more:
			err = p.send()
		default:
			idled++
		}
		if err != nil {
			return answered, idled, err
		}
		answered += uint64(p.depth)
	}
	return answered, idled, nil
}

// threadCPU is the processor time of this thread.
func threadCPU() time.Duration {
	var used unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_THREAD, &used); err != nil {
		panic("closedloop: getrusage: " + err.Error()) // cannot fail with these arguments
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
