package driver

import (
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
	index   int
	servers []netip.AddrPort // the addresses of one server
	conns   []*Conn
	poll    *poller
	wake    libnet.EventFD
	decoder libproto.Decoder
	in      []byte // what is read, behind the part of a frame that was left
	message []byte // the chat message that is being written
	bodies  bodies
	legs    []libproto.TransferLeg // the batch that is being written
	stats   *stats.Thread
	book    *moneycheck.Book

	born       time.Time // zero of the thread's clock
	now        int64     // nanoseconds since then, as of the event at hand
	sweepAt    int64
	hurried    bool // somebody waits for a time that comes soon
	connecting int
	ready      int
	connectAt  int64 // no connection begins before, if they have a rate

	pace      pace
	touched   []*Conn // those that have frames to send since the last look
	resting   restQueue
	countFrom int64       // requests that were due before are not counted
	began     stats.Clock // at the begin of the step

	phase    Phase
	order    *order       // the last one that it obeys
	told     bool         // that the order is done
	live     atomic.Int32 // ready, for others to read
	mu       sync.Mutex
	lastFail error
}

func newThread(plan *Plan, index int, servers []netip.AddrPort, born time.Time, count *stats.Timeline, first *order) (*Thread, error) {
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
		index:   index,
		servers: servers,
		poll:    poll,
		wake:    wake,
		decoder: libproto.Decoder{BodyLenMax: plan.BodyLenMax},
		in:      make([]byte, libproto.HeaderLen+int(plan.BodyLenMax)+readMin),
		legs:    make([]libproto.TransferLeg, plan.Batch),
		stats:   count.Thread(index),
		book:    moneycheck.NewBook(len(plan.Users)),
		born:    born,
		order:   first,
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
	defer func() { t.stats.End() }() // of what it counts in then
	sharpenTimers()
	for t.phase != End {
		events, err := t.poll.wait(t.nap())
		if err != nil {
			return err
		}
		t.now = t.clock()
		for i := range events {
			t.event(&events[i])
			t.pump()
		}
		t.turn()
	}
	return nil
}

// nap is how long nothing needs to be done, as far as it is known.
func (t *Thread) nap() time.Duration {
	until := int64(t.patience())
	if t.phase == Load {
		if due, ok := t.pace.due(); ok {
			until = min(until, due-t.clock())
		}
		if at, ok := t.resting.due(); ok {
			until = min(until, at-t.clock())
		}
	}
	return time.Duration(max(until, 0))
}

func (t *Thread) patience() time.Duration {
	if t.hurried || t.phase != Load {
		return sweepHurried
	}
	return sweepEvery
}

func (t *Thread) event(e *unix.EpollEvent) {
	if e.Fd == wakeNumber {
		_, _ = t.wake.Drain() // what was ordered is looked at after every event
		return
	}
	if c := t.conns[e.Fd]; c.fd >= 0 {
		c.event(e.Events)
	}
}

// turn does what is not told by a socket.
func (t *Thread) turn() {
	t.stats.Tick(t.now)
	for o := t.order.next.Load(); o != nil; o = t.order.next.Load() {
		t.obey(o)
	}
	t.pump()
	t.wakeRested()
	if t.now >= t.sweepAt {
		t.sweep()
	}
	t.live.Store(int32(t.ready))
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
		t.order.report()
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

// close comes when the thread has ended and nobody wakes it any more.
func (t *Thread) close() {
	t.poll.close()
	_ = t.wake.Close()
}
