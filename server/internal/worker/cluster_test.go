package worker

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"tradechat.internal/liblog"
	"tradechat.internal/libnet"
	"tradechat.internal/libproto"
	"tradechat.internal/server/internal/config"
	"tradechat.internal/server/internal/heritage"
	"tradechat.internal/shmstore"
)

// patience is how long a test waits for what must come; only a failing test waits that long.
const patience = 10 * time.Second

// cluster is real workers on a real segment, in this process: one listening socket, eventfd and loop each. The test
// has the master's slot.
type cluster struct {
	t       testing.TB
	listen  libnet.ListenOptions
	config  config.Config
	tune    func(*Worker) // before it serves; nil: nothing is changed
	segment *shmstore.Segment
	master  *shmstore.Store
	workers []*running
	events  []int
}

// running is one worker and what is needed to end it.
type running struct {
	*Worker
	addr string
	life int // write end of its life pipe
	done chan error
}

var segmentNumber atomic.Int32

// testConfig is the settings of most tests: open registration, no timeouts that could strike by accident.
func testConfig() config.Config {
	c := config.Defaults()
	c.Workers = 1
	c.Registration = config.RegistrationOpen
	c.KDFIterations = libproto.KDFIterationsMin
	c.UsersMax, c.SessionsMax, c.RoomsMax = 512, 2048, 32
	c.IdleTimeout, c.HeartbeatInterval, c.LoginTimeout = time.Hour, time.Minute, time.Minute
	return c
}

// startCluster starts as many workers as the settings say; change may change the settings.
func startCluster(t testing.TB, change func(*config.Config)) *cluster {
	t.Helper()
	c := newCluster(t, change)
	c.start()
	return c
}

// newCluster is startCluster without the workers.
func newCluster(t testing.TB, change func(*config.Config)) *cluster {
	t.Helper()
	c := &cluster{t: t, config: testConfig()}
	if change != nil {
		change(&c.config)
	}
	must(t, c.config.Validate())
	c.makeSegment()
	return c
}

func (c *cluster) start() {
	c.t.Helper()
	for slot := range c.config.Workers {
		c.workers = append(c.workers, c.startWorker(slot))
	}
}

func (c *cluster) makeSegment() {
	shape := shmstore.DefaultShape()
	shape.Workers = c.config.Workers
	shape.UsersMax, shape.SessionsMax, shape.RoomsMax = c.config.UsersMax, c.config.SessionsMax, c.config.RoomsMax
	shape.MessageBytesMax = c.config.MessageBytesMax
	shape.LogRecords = 1 << 14
	name := fmt.Sprintf("tradechat-workertest-%d-%d", os.Getpid(), segmentNumber.Add(1))
	segment, err := shmstore.Create(name, shape, [16]byte{1, 2, 3}, c.t.Name())
	must(c.t, err)
	c.t.Cleanup(func() { _ = segment.Close() })
	must(c.t, segment.Unlink()) // the mapping and the descriptors keep it
	for range shape.MasterSlot() + 1 {
		event, err := libnet.NewEventFD()
		must(c.t, err)
		c.t.Cleanup(func() { _ = event.Close() })
		c.events = append(c.events, int(event))
	}
	c.segment = segment
	c.master, err = segment.Bind(c.config.Workers, func(slot int) { _ = libnet.EventFD(c.events[slot]).Signal() })
	must(c.t, err)
	_, _, err = c.master.OpenRoom([]byte(libproto.LobbyName))
	must(c.t, err)
}

// startWorker starts the worker of a slot and waits until it accepts. It is drained when the test ends.
func (c *cluster) startWorker(slot int) *running {
	c.t.Helper()
	r, ready := c.newWorker(slot)
	if c.tune != nil {
		c.tune(r.Worker)
	}
	go func() { r.done <- r.Serve() }()
	if n, err := unix.Read(ready, make([]byte, 1)); n != 1 {
		c.t.Fatalf("the worker did not become ready: %v, %v", err, <-r.done)
	}
	must(c.t, unix.Close(ready))
	c.t.Cleanup(func() {
		r.Drain()
		if err := r.wait(); err != nil {
			c.t.Errorf("worker %d ended with %v", slot, err)
		}
		_ = unix.Close(r.life)
	})
	return r
}

// newWorker makes a worker that does not serve yet, and the read end of its ready pipe.
func (c *cluster) newWorker(slot int) (r *running, ready int) {
	c.t.Helper()
	sockets, addr, err := libnet.ListenGroup("127.0.0.1:0", 1, c.listen)
	must(c.t, err)
	c.t.Cleanup(func() { _ = sockets[0].Close() })
	segmentFD, err := unix.FcntlInt(uintptr(c.segment.FD()), unix.F_DUPFD_CLOEXEC, 0)
	must(c.t, err)
	life, lifeWrite := pipe(c.t)
	ready, readyWrite := pipe(c.t)
	w, err := New(heritage.Heritage{
		Role: heritage.RoleWorker, Slot: slot, Address: addr.String(), Config: c.config,
		ListenerFD: sockets[0].FD(), SegmentFD: segmentFD, LifeFD: life, ReadyFD: readyWrite, LockFD: -1, EventFDs: c.events,
	}, testLog(c.t))
	must(c.t, err)
	return &running{Worker: w, addr: addr.String(), life: lifeWrite, done: make(chan error, 1)}, ready
}

// wait returns how Serve ended. It may be asked more than once.
func (r *running) wait() error {
	select {
	case err := <-r.done:
		r.done <- err
		return err
	case <-time.After(patience):
		return errors.New("the worker did not end")
	}
}

func pipe(t testing.TB) (read, write int) {
	t.Helper()
	var p [2]int
	must(t, unix.Pipe2(p[:], unix.O_CLOEXEC))
	return p[0], p[1]
}

// testLog passes a worker's warnings on to a test's own log; a fuzz target or a benchmark has none that may be used.
func testLog(t testing.TB) *liblog.Logger {
	w := io.Discard
	if test, ok := t.(*testing.T); ok {
		w = testWriter{test}
	}
	return liblog.New(liblog.Options{Writer: w, Format: liblog.FormatJSON, Level: liblog.LevelWarn, Role: "worker"})
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(line []byte) (int, error) {
	w.t.Logf("%s", bytes.TrimSpace(line))
	return len(line), nil
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// testKeys are keys that belong to no password: the worker never sees one.
func testKeys(name string) libproto.Keys {
	k := libproto.Keys{Client: sha256.Sum256([]byte("client " + name)), Server: sha256.Sum256([]byte("server " + name))}
	k.Stored = sha256.Sum256(k.Client[:])
	return k
}

// addUser creates a user with testKeys and a balance.
func (c *cluster) addUser(name string, balance uint64) (id uint32) {
	c.t.Helper()
	k := testKeys(name)
	id, err := c.master.CreateUser([]byte(name), k.Stored, k.Server)
	must(c.t, err)
	if balance > 0 {
		_, err = c.master.DepositTo(id, balance)
		must(c.t, err)
	}
	return id
}

// verify checks the whole segment once nobody changes it.
func (c *cluster) verify() {
	c.t.Helper()
	report, err := c.master.Verify()
	must(c.t, err)
	if !report.OK() {
		c.t.Errorf("segment: %s", report)
	}
}

// metrics is what a slot has counted.
func (c *cluster) metrics(slot int) shmstore.MetricsSnapshot { return c.segment.MetricsOf(slot) }

// awaitCounter waits until a worker's counter has at least the value.
func (c *cluster) awaitCounter(slot int, counter shmstore.Counter, atLeast uint64) {
	c.t.Helper()
	await(c.t, shmstore.Counters[counter].Name, func() bool { return c.metrics(slot).Counters[counter] >= atLeast })
}

// await polls for something that no event tells of.
func await(t testing.TB, what string, reached func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !reached(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}
