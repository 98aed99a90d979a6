package master

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"tradechat.internal/liblog"
	"tradechat.internal/libnet"
	"tradechat.internal/libproto"
	"tradechat.internal/server/internal/admin"
	"tradechat.internal/server/internal/config"
	"tradechat.internal/server/internal/datafolder"
	"tradechat.internal/server/internal/stats"
	"tradechat.internal/server/internal/version"
	"tradechat.internal/shmstore"
)

var (
	// ErrStart says that the workers could not be brought to accept connections.
	ErrStart = errors.New("the workers do not start")

	// ErrAudit says that the final verification found the books wrong.
	ErrAudit = errors.New("the final audit failed")

	// ErrLeftover says that the segment that an earlier run left can neither be used nor removed.
	ErrLeftover = errors.New("the segment that an earlier run left cannot be used")

	// errUnusable is a segment that cannot be used; the journal is used instead, if it has all that the segment has.
	errUnusable = errors.New("cannot be used")
)

// Master is one run of the server.
type Master struct {
	config config.Config
	log    *liblog.Logger
	stdout *liblog.Queue

	// Held from acquire to release; what undo does, in reverse order, is release.
	folder  *datafolder.Folder
	address string // as bound
	sockets []*libnet.Socket
	segment *shmstore.Segment
	warm    bool             // the segment is an earlier run's
	discard bool             // the segment is to be unlinked at the end
	former  former           // what was given up for it
	events  []libnet.EventFD // by slot
	null    int
	admin   *admin.Server
	undo    []func()
	signals <-chan os.Signal

	storeMu sync.Mutex
	store   *shmstore.Store

	// The supervision's own.
	started   time.Time
	phase     phase
	failure   error     // why the start was given up
	children  []child   // by role, then slot
	expireAt  time.Time // of the next look at the sessions' time
	reports   chan report
	beatAt    time.Time // of the last tick
	judgeFrom time.Time // the watchdog is patient until then

	signalledAt time.Time // of the latest signal to stop

	ticker *stats.Ticker

	published atomic.Pointer[[]stats.Process]
	wallClock wallClock
	alarms    atomic.Pointer[[]string] // what endangers the segment or the data folder
	guardAt   time.Time                // of the next look at that
	audit     verification
}

// Run serves until a signal ends it. It prints the ready line, and at the end the audit line, on stdout. Errors are
// those of the start, or ErrAudit.
func Run(c config.Config, log *liblog.Logger, stdout *liblog.Queue) error {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, handled()...)
	defer signal.Stop(signals)
	m := &Master{config: c, log: log, stdout: stdout, started: time.Now(), signals: signals, null: -1}
	defer m.release()
	if err := m.acquire(); err != nil {
		m.abandon()
		if errors.Is(err, ErrInterrupted) {
			log.Info().Err(err).Msg("stopped")
			return nil
		}
		return err
	}
	return m.supervise()
}

// acquire takes, in this order, whatever can be refused: what is cheap to give back comes first, and an existing
// segment is touched only by the one who holds the folder and the port.
func (m *Master) acquire() error {
	for _, step := range []func() error{
		m.openFolder, m.listen, m.openDescriptors, m.openSegment, m.settleSegment, m.checkBooks, m.openLobby, m.openAdmin,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (m *Master) release() {
	for i := len(m.undo) - 1; i >= 0; i-- {
		m.undo[i]()
	}
	m.undo = nil
}

func (m *Master) onRelease(f func()) { m.undo = append(m.undo, f) }

// openFolder waits for the processes of an earlier run, but not for one whom a signal asks to stop.
func (m *Master) openFolder() error {
	ctx, stop := signal.NotifyContext(context.Background(), stopSignals()...)
	defer stop()
	folder, err := datafolder.Open(ctx, m.config.Data, func(holder int) {
		m.log.Info().Int("holder", holder).Str("data", m.config.Data).Msg("the data folder is in use: waiting for its processes to end")
	})
	if err != nil {
		return err
	}
	m.folder = folder
	m.onRelease(folder.Close)
	if _, err := folder.BindJournal(m.config.KDFIterations); err != nil {
		return fmt.Errorf("%w: %w", ErrJournal, err)
	}
	return nil
}

func (m *Master) listen() error {
	sockets, address, err := libnet.ListenGroup(m.config.Listen, m.config.Workers, libnet.ListenOptions{
		Socket: libnet.SocketOptions{KeepAlive: libnet.KeepAliveDefault},
	})
	if err != nil {
		return err
	}
	m.sockets, m.address = sockets, address.String()
	m.onRelease(func() {
		for _, s := range sockets {
			_ = s.Close()
		}
	})
	return nil
}

// openDescriptors makes the eventfds and the children's standard input.
func (m *Master) openDescriptors() error {
	for range m.config.Workers + 1 {
		event, err := libnet.NewEventFD()
		if err != nil {
			return err
		}
		m.events = append(m.events, event)
		m.onRelease(func() { _ = event.Close() })
	}
	null, err := unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return &os.PathError{Op: "open", Path: os.DevNull, Err: err}
	}
	m.null = null
	m.onRelease(func() { _ = unix.Close(null) })
	return nil
}

func (m *Master) openAdmin() error {
	path, err := m.folder.AdminSocket()
	if err != nil {
		return err
	}
	m.admin, err = admin.Listen(path, admin.Backend{
		WithStore: m.withStore, Stats: m.statsJSON, Sync: m.config.Durability == config.DurabilitySync, Hello: m.hello(),
	}, m.log)
	if err != nil {
		return err
	}
	m.onRelease(m.admin.Close)
	return nil
}

// hello is what the workers answer to HELLO, as far as it is true of the admin socket.
func (m *Master) hello() libproto.HelloResponse {
	return libproto.HelloResponse{
		Version:       libproto.Version,
		BodyLenMax:    m.config.BodyBytesMax,
		MessageLenMax: m.config.MessageBytesMax,
		RealmSalt:     m.folder.Realm(),
		KDFIterations: m.config.KDFIterations,
		Agent:         []byte(version.Agent),
	}
}

// withStore gives f the master's store, with the clock set.
func (m *Master) withStore(f func(*shmstore.Store)) {
	m.storeMu.Lock()
	defer m.storeMu.Unlock()
	m.store.SetNow(uint64(time.Now().UnixNano()))
	m.store.Beat()
	f(m.store)
	m.store.NudgeLogWriter()
}

// say writes a line that scripts wait for. stdout is a queue, which cannot fail here.
func (m *Master) say(format string, args ...any) { fmt.Fprintf(m.stdout, format+"\n", args...) }
