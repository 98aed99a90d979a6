package worker

import (
	"crypto/rand"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/panjf2000/gnet/v2"
	"golang.org/x/sys/unix"

	"tradechat.internal/liblog"
	"tradechat.internal/libnet"
	"tradechat.internal/libproto"
	"tradechat.internal/server/internal/config"
	"tradechat.internal/server/internal/heritage"
	"tradechat.internal/shmstore"
)

var (
	// ErrOrphaned: the master is gone.
	ErrOrphaned = errors.New("worker: the master is gone")

	// ErrLoop: the event loop ended although nobody asked it to.
	ErrLoop = errors.New("worker: the event loop ended")
)

// Worker is one worker: a slot of the segment, a listening socket, and the loop that serves what it accepts.
type Worker struct {
	gnet.BuiltinEventEngine

	heritage heritage.Heritage
	log      *liblog.Logger
	segment  *shmstore.Segment
	store    *shmstore.Store
	metrics  *shmstore.Metrics
	gate     *gate
	client   *gnet.Client
	loop     gnet.EventLoop
	timer    libnet.TimerFD

	// What other goroutines and the loop tell each other.
	drainAsked atomic.Bool
	ended      chan struct{} // closed by the loop once it is done
	failure    error         // why it is done, nil after a drain; written before ended is closed
	orphaned   chan struct{} // closed once the master is gone

	clock                   clock
	depth                   int // of turns: OnClose can be called within one
	drain                   drain
	table                   connTable
	sessions                []*conn // by session row
	rooms                   []crowd // by room id
	retiring                []*conn // their sessions end with this turn
	dead                    []*conn // gnet has closed them during this turn
	leaving                 []*conn
	paused                  map[int]*pause      // by descriptor
	resuming, spareResuming []*conn             // paused ones to be looked at at the end of the turn
	farewells               map[*conn]*farewell // closed by their clients, with answers that wait
	poller                  poller
	writable                *writableWatch
	opened                  uint64
	swept                   int // row at which the next sweep begins

	rate      rateLimit
	idleMax   tick
	loginMax  tick
	stallMax  tick
	impostor  impostor
	handlers  [libproto.OpcodeCount]handler
	decoder   libproto.Decoder
	req       request // that is being answered
	out       []byte  // answers to its connection that are not written yet
	parking   parking // answers that wait, of all connections
	parkedMax uint32  // bytes of them for one connection, over which it is not read from
	unknown   []byte  // what is sent instead of answers that cannot be kept
	syncs     bool    // answers wait for their records
	committed bool    // this turn has added to the log
	parting   []byte  // one GOING_AWAY
	detail    []byte
	turn      turn
	feed      feed
	lists     lists
}

// clock is the time of the current turn.
type clock struct {
	start  time.Time // of the worker
	unixNs uint64
	monoNs uint64 // since start
	turnNs uint64 // monoNs at the begin of the turn
	tick   tick
	beat   tick // of the last heartbeat
}

// sinceStart is what turnNs and monoNs count, read anew.
func (c *clock) sinceStart() time.Duration { return time.Since(c.start) }

// sinceTurn is how long the turn has taken up to now.
func (c *clock) sinceTurn() time.Duration { return c.sinceStart() - time.Duration(c.turnNs) }

// New makes a worker of a heritage. It takes over the slot in the segment; Serve does the rest.
func New(h heritage.Heritage, log *liblog.Logger) (*Worker, error) {
	openMax, err := openMax(h)
	if err != nil {
		return nil, err
	}
	gate, err := newGate(h.ListenerFD, openMax, log)
	if err != nil {
		return nil, err
	}
	segment, err := shmstore.AttachFD(h.SegmentFD)
	if err != nil {
		return nil, fmt.Errorf("worker: %w", err)
	}
	store, err := segment.Bind(h.Slot, func(slot int) { _ = libnet.EventFD(h.EventFDs[slot]).Signal() })
	if err != nil {
		return nil, fmt.Errorf("worker: %w", err)
	}
	store.SetSessionTTL(h.Config.SessionTTL)
	w := &Worker{
		heritage: h, log: log, segment: segment, store: store, metrics: store.Metrics(), gate: gate,
		ended: make(chan struct{}), orphaned: make(chan struct{}),
		clock:     clock{start: time.Now()},
		sessions:  make([]*conn, segment.Shape().SessionsMax),
		paused:    make(map[int]*pause),
		farewells: make(map[*conn]*farewell),
		poller:    poller{-1},
		rooms:     make([]crowd, segment.Shape().RoomsMax+1),
		rate:      newRateLimit(h.Config.RateLimit),
		idleMax:   ticks(h.Config.IdleTimeout),
		loginMax:  ticks(h.Config.LoginTimeout),
		stallMax:  ticks(stallMax),
		out:       make([]byte, 0, flushBytes),
		syncs:     h.Config.Durability == config.DurabilitySync,
		parkedMax: h.Config.OutboundBytesMax / 2,
	}
	rand.Read(w.impostor.secret[:])
	w.bindHandlers()
	w.feed.init(w)
	w.lists.init(w)
	w.readClock()
	return w, nil
}

// Serve accepts and serves connections until Drain is done (nil), the master is gone (ErrOrphaned) or something breaks.
func (w *Worker) Serve() error {
	if err := w.open(); err != nil {
		return err
	}
	go w.gate.run()
	go w.watchMaster()
	if err := w.heritage.Ready(); err != nil {
		return err
	}
	var cause error
	select {
	case <-w.ended:
		cause = w.failure
	case <-w.orphaned:
		cause = ErrOrphaned
	}
	return errors.Join(cause, w.close())
}

// watchMaster waits for the end of the master.
func (w *Worker) watchMaster() {
	if err := w.heritage.AwaitOrphaned(); err != nil {
		w.log.Error().Err(err).Msg("cannot watch the master")
	}
	close(w.orphaned)
}

// open starts the loop and puts the two descriptors on it that are no connections.
func (w *Worker) open() (err error) {
	w.client, err = gnet.NewClient(w,
		gnet.WithNumEventLoop(1),
		gnet.WithReadBufferCap(readBufferBytes),
		gnet.WithTCPNoDelay(gnet.TCPDelay), // leave the option alone: accept has set TCP_NODELAY already
		gnet.WithLogger(loopLog{w.log}))
	if err != nil {
		return fmt.Errorf("worker: event loop: %w", err)
	}
	w.gate.enrolInto(w.client)
	if err = w.client.Start(); err != nil {
		return fmt.Errorf("worker: event loop: %w", err)
	}
	if w.writable, err = newWritableWatch(w.wake); err != nil {
		return err
	}
	go w.writable.run()
	if w.timer, err = libnet.NewTimerFD(); err != nil {
		return fmt.Errorf("worker: %w", err)
	}
	if err = w.enrol(int(w.timer), sourceTimer); err != nil {
		return err
	}
	if err = w.enrol(w.heritage.EventFDs[w.store.Slot()], sourceWake); err != nil {
		return err
	}
	return w.timer.Arm(tickInterval, tickInterval)
}

// enrol puts a descriptor that is no connection on the loop.
func (w *Worker) enrol(fd int, s source) error {
	wrapped, err := libnet.ConnForFD(fd)
	if err != nil {
		return fmt.Errorf("worker: %w", err)
	}
	if _, err := w.client.EnrollContext(wrapped, s); err != nil {
		return fmt.Errorf("worker: descriptor %d: %w", fd, err)
	}
	return nil
}

// close ends the loop, if it still runs, and then gives the slot back: nothing touches the segment any more. If the loop
// does not end in time the slot stays as it is, for a repair.
func (w *Worker) close() error {
	w.gate.close()
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		<-w.gate.stopped // what it was enrolling needs the loop
		_ = w.client.Stop()
	}()
	select {
	case <-stopped:
	case <-time.After(exitMax):
		return fmt.Errorf("%w: not within %v of being stopped", ErrLoop, exitMax)
	}
	w.writable.close()
	w.store.Close()
	return errors.Join(w.timer.Close(), w.segment.Close())
}

// Drain has the worker stop: no new connections, GOING_AWAY to all, answers to what has been read; Serve returns when
// that is done. It may be called from any goroutine, more than once.
func (w *Worker) Drain() {
	w.drainAsked.Store(true)
	w.wake()
}

// wake has the loop run onWake. It may be called from any goroutine.
func (w *Worker) wake() { _ = libnet.EventFD(w.heritage.EventFDs[w.store.Slot()]).Signal() }

// finish tells Serve that the loop has nothing more to do. On the loop.
func (w *Worker) finish(cause error) {
	select {
	case <-w.ended:
	default:
		w.failure = cause
		close(w.ended)
	}
}

// readClock takes the time for what follows, and beats the heart when it is due.
func (w *Worker) readClock() {
	now := time.Now()
	since := now.Sub(w.clock.start)
	w.clock.unixNs = uint64(now.UnixNano())
	w.clock.monoNs = uint64(since)
	w.clock.tick = tick(since/tickInterval) + 1
	w.store.SetNow(w.clock.unixNs)
	if w.clock.beat != w.clock.tick {
		w.clock.beat = w.clock.tick
		w.store.Beat()
	}
}

// openMax is how many connections the process may have: what its descriptors and the session table allow.
func openMax(h heritage.Heritage) (int, error) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("worker: RLIMIT_NOFILE: %w", err)
	}
	kept := spareDescriptors + len(h.EventFDs)
	if limit.Cur <= uint64(kept) {
		return 0, fmt.Errorf("worker: RLIMIT_NOFILE is %d, %d are needed before the first connection", limit.Cur, kept+1)
	}
	return int(min(limit.Cur-uint64(kept), uint64(h.Config.SessionsMax))), nil
}
