package driver

import (
	"fmt"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"tradechat.internal/libnet"
	"tradechat.internal/libproto"

	"tradechat.internal/loadgen/internal/moneycheck"
	"tradechat.internal/loadgen/internal/stats"
)

// wakeNumber is epoll's name for the thread's eventfd.
const wakeNumber = -1

// Thread is one event loop with its connections.
type Thread struct {
	plan    *Plan
	server  netip.AddrPort
	conns   []*Conn
	poll    *poller
	wake    libnet.EventFD
	decoder libproto.Decoder
	in      []byte // what is read, behind the part of a frame that was left
	message []byte // the chat message that is being written
	bodies  bodies
	stats   *stats.Thread
	book    *moneycheck.Book

	born       time.Time // zero of the thread's clock
	now        int64     // nanoseconds since then, as of the event at hand
	sweepAt    int64
	hurried    bool // somebody waits for a time that comes soon
	connecting int
	ready      int

	phase    Phase
	told     bool // that the phase is reached
	wanted   atomic.Int32
	reached  chan<- Phase
	live     atomic.Int32 // ready, for others to read
	mu       sync.Mutex
	lastFail error
}

func newThread(plan *Plan, index int, server netip.AddrPort, born time.Time, reached chan<- Phase) (*Thread, error) {
	poll, err := newPoller()
	if err != nil {
		return nil, err
	}
	wake, err := libnet.NewEventFD()
	if err != nil {
		poll.close()
		return nil, err
	}
	t := &Thread{
		plan:    plan,
		server:  server,
		poll:    poll,
		wake:    wake,
		decoder: libproto.Decoder{BodyLenMax: plan.BodyLenMax},
		in:      make([]byte, libproto.HeaderLen+int(plan.BodyLenMax)+readMin),
		stats:   plan.Timeline.Thread(index),
		book:    moneycheck.NewBook(len(plan.Users)),
		born:    born,
		reached: reached,
	}
	for id := index; id < plan.Connections; id += plan.Threads {
		t.conns = append(t.conns, newConn(t, int32(len(t.conns)), uint32(id)))
	}
	return t, poll.add(int(wake), wakeNumber, unix.EPOLLIN)
}

func (t *Thread) clock() int64 { return int64(time.Since(t.born)) }

// run is the thread's life, up to the End phase.
func (t *Thread) run() error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer t.close()
	defer t.stats.End()
	for t.phase != End {
		events, err := t.poll.wait(t.patience())
		if err != nil {
			return err
		}
		t.now = t.clock()
		for i := range events {
			t.event(&events[i])
		}
		t.turn()
	}
	return nil
}

func (t *Thread) patience() time.Duration {
	if t.hurried || t.phase != Load {
		return sweepHurried
	}
	return sweepEvery
}

func (t *Thread) event(e *unix.EpollEvent) {
	if e.Fd == wakeNumber {
		_, _ = t.wake.Drain() // what was wanted is looked at after every event
		return
	}
	if c := t.conns[e.Fd]; c.fd >= 0 {
		c.event(e.Events)
	}
}

// turn does what is not told by a socket.
func (t *Thread) turn() {
	t.stats.Tick(t.now)
	if wanted := Phase(t.wanted.Load()); wanted != t.phase {
		t.enter(wanted)
	}
	if t.now >= t.sweepAt {
		t.sweep()
	}
	t.live.Store(int32(t.ready))
}

func (t *Thread) enter(p Phase) {
	t.phase, t.told = p, false
	switch p {
	case Load:
		t.stats.Start(t.now)
	case End:
		for _, c := range t.conns {
			c.end(errStopped)
		}
		return
	}
	for _, c := range t.conns {
		c.enter(p)
	}
}

func (t *Thread) sweep() {
	t.hurried = false
	reached := true
	for _, c := range t.conns {
		c.sweep()
		t.hurried = t.hurried || c.pausedTill > t.now
		reached = reached && c.reached(t.phase)
	}
	t.sweepAt = t.now + int64(t.patience())
	if reached && !t.told {
		t.told = true
		t.reached <- t.phase
	}
}

// fail notes why a connection could not be made ready.
func (t *Thread) fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lastFail = err
}

func (t *Thread) failure() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.lastFail
}

// want asks for a phase.
func (t *Thread) want(p Phase) error {
	t.wanted.Store(int32(p))
	if err := t.wake.Signal(); err != nil {
		return fmt.Errorf("wake a load thread: %w", err)
	}
	return nil
}

func (t *Thread) close() {
	t.poll.close()
	_ = t.wake.Close()
}
