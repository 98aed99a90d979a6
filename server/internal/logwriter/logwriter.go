package logwriter

import (
	"errors"
	"fmt"
	"os/signal"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"tradechat.internal/ledger"
	disk "tradechat.internal/ledger/journal"
	"tradechat.internal/liblog"
	"tradechat.internal/libnet"
	"tradechat.internal/server/internal/config"
	"tradechat.internal/server/internal/datafolder"
	"tradechat.internal/server/internal/heritage"
	"tradechat.internal/shmstore"
)

var (
	// ErrRefused says that the journal could not be used; the master was told why.
	ErrRefused = errors.New("journal: cannot be used")

	// ErrFailed says that the journal failed while the server ran.
	ErrFailed = errors.New("journal: failed; the server was read-only")
)

// process is the journal of one server.
type process struct {
	heritage heritage.Heritage
	log      *liblog.Logger
	segment  *shmstore.Segment
	store    *shmstore.Store
	writer   writer
	group    []ledger.Record

	stopping atomic.Bool // asked to end: the workers are gone, finish
	orphaned atomic.Bool
	master   silence
	failed   bool
	scrub    scrub
	aside    string // where a damaged file of the journal was moved to; empty: none was
	syncedAt time.Time
}

// writer is a disk.Writer; tests look on.
type writer interface {
	Append(records []ledger.Record) error
	Sync() error
	Head() uint64
	Synced() uint64
	SnapshotDue(every uint64) bool
	Snapshot() error
	SealSnapshots() error
	Close() error
	ReadBack(tail int) error
}

// Run is the log writer: it works until the master asks it to end (nil, or ErrFailed), or is gone (heritage.ErrOrphaned).
func Run(h heritage.Heritage, log *liblog.Logger) error {
	runtime.GOMAXPROCS(processorsMax)
	signal.Ignore(unix.SIGXFSZ) // a file that grows beyond the limit is an error, and not the end of the process
	p := &process{heritage: h, log: log, group: make([]ledger.Record, disk.BlockRecordsMax), syncedAt: time.Now()}
	var err error
	if p.segment, err = shmstore.AttachFD(h.SegmentFD); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	if p.store, err = p.segment.Bind(h.Slot, p.wake); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	p.watch()
	if verdict, err := p.open(); err != nil {
		word := heritage.Word{Verdict: verdict, Reason: reason(err), Text: err.Error()}
		return errors.Join(fmt.Errorf("%w: %w", ErrRefused, err), h.Say(word))
	}
	if err := h.Ready(); err != nil {
		return err
	}
	p.startScrub()
	return p.run()
}

// wake makes the event loop of a worker turn; others have none.
func (p *process) wake(slot int) {
	if slot < len(p.heritage.EventFDs) {
		_ = libnet.EventFD(p.heritage.EventFDs[slot]).Signal()
	}
}

// watch turns what comes from outside into flags.
func (p *process) watch() {
	go func() {
		end := func() {
			p.stopping.Store(true)
			p.segment.WakeLogWriter()
		}
		if err := p.heritage.Obey(end); err != nil {
			p.log.Error().Err(err).Msg("the master cannot be heard")
		}
		p.orphaned.Store(true)
		p.segment.WakeLogWriter()
	}()
}

// reason is what the master is told of an error as a value.
func reason(err error) heritage.Reason {
	switch {
	case errors.Is(err, shmstore.ErrDiskBehind):
		return heritage.ReasonDiskBehind
	case errors.Is(err, shmstore.ErrTableFull):
		return heritage.ReasonTableFull
	}
	return heritage.ReasonOther
}

// open recovers the folder, settles what the segment is to hold, and makes the writer.
func (p *process) open() (heritage.Verdict, error) {
	stop := p.beatMeanwhile()
	began := time.Now()
	folder := datafolder.JournalFolder(p.heritage.Config.Data)
	found, err := p.recover(folder)
	var verdict heritage.Verdict
	if err == nil {
		verdict, err = p.settle(found)
	} else {
		verdict = heritage.VerdictRefused
	}
	stop()
	if err != nil {
		return verdict, err
	}
	head := found.Fold.Head
	if p.writer, err = disk.NewWriter(folder, found, p.options()); err != nil {
		return heritage.VerdictRefused, err
	}
	p.segment.UseJournal(head)
	if p.aside != "" {
		if err := p.writeAnew(); err != nil {
			return heritage.VerdictRefused, err
		}
	}
	p.log.Info().Uint64("head", head).Uint64("snapshot", found.Snapshot).Uint64("replayed", found.Replayed).
		Int("users", len(found.Fold.Users)-1).Str("start", string(p.heritage.Start)).Dur("took_ms", time.Since(began)).Msg("journal recovered")
	return heritage.VerdictReady, nil
}

func (p *process) options() disk.WriterOptions {
	return disk.WriterOptions{
		Binding:   disk.Binding{Realm: p.segment.RealmSalt(), Iterations: p.heritage.Config.KDFIterations},
		FileBytes: int64(p.heritage.Config.JournalFileMiB) << 20,
		Retain:    int(p.heritage.Config.JournalRetain),
		Note:      func(format string, args ...any) { p.log.Warn().Msgf(format, args...) },
	}
}

// beatMeanwhile beats the heart while something takes long that does not touch the store.
func (p *process) beatMeanwhile() (stop func()) {
	done, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		ticker := time.NewTicker(beatEvery)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				p.store.Beat()
			case <-done:
				return
			}
		}
	}()
	return func() {
		close(done)
		<-stopped
	}
}

// settle brings the segment and the disk together.
func (p *process) settle(found *disk.Recovered) (heritage.Verdict, error) {
	switch p.heritage.Start {
	case heritage.StartCold:
		return heritage.VerdictRefused, p.segment.Restore(found.Fold, found.Tail)
	case heritage.StartWarm:
		err := p.segment.CheckAgainst(found.Fold, found.Tail)
		if err != nil && p.aside != "" {
			return heritage.VerdictRefused, fmt.Errorf("%w → %s has the damaged files; put them back to where they were, or good ones", err, p.aside)
		}
		if errors.Is(err, shmstore.ErrDoubt) {
			return heritage.VerdictDoubt, err
		}
		return heritage.VerdictRefused, err
	}
	return heritage.VerdictRefused, p.segment.Continues(found.Fold.Head)
}

// run follows the log until it is told to stop.
func (p *process) run() error {
	for {
		now := time.Now()
		p.store.SetNow(uint64(now.UnixNano()))
		p.store.Beat()
		p.look()
		p.tellScrub(now)
		ending := p.stopping.Load() || p.orphaned.Load()
		n, err := p.step()
		if err != nil {
			p.fail(err)
		}
		switch {
		case ending && (p.failed || n == 0):
			return p.finish()
		case ending:
		case p.failed:
			p.store.AwaitRecords(p.segment.Head(), idleMax) // only the heart has something to do
		case n == 0:
			p.store.AwaitRecords(p.writer.Head(), p.patience())
		case p.unhurried(n):
			time.Sleep(gatherFor)
		}
	}
}

// step writes the next group, if there is one, and does what is due. It returns how many records the group had.
func (p *process) step() (wrote int, err error) {
	if p.failed {
		return 0, nil
	}
	n, err := p.segment.ReadLog(p.writer.Head(), p.group)
	if err != nil {
		return 0, err
	}
	if n != 0 {
		if err := p.write(p.group[:n]); err != nil {
			return 0, err
		}
	}
	if err := p.syncIfDue(); err != nil {
		return 0, err
	}
	if n == 0 {
		if err := p.writer.SealSnapshots(); err != nil {
			return 0, err
		}
	}
	if every := uint64(p.heritage.Config.SnapshotEvery); p.writer.SnapshotDue(every) {
		p.store.Metrics().Add(shmstore.CounterSnapshots, 1)
		err = p.writer.Snapshot()
	}
	return n, err
}

// unhurried tells whether the next group may be let grow: nobody waits for it, the log holds many of them, and this one was not so
// large that the next would be short of room.
func (p *process) unhurried(wrote int) bool {
	return p.heritage.Config.Durability != config.DurabilitySync &&
		int(p.segment.Shape().LogRecords) >= gatherShare*len(p.group) && wrote < len(p.group)/2
}

// write makes a group as durable as the mode promises at once, and says so.
func (p *process) write(group []ledger.Record) error {
	began := time.Now()
	if err := p.writer.Append(group); err != nil {
		return err
	}
	switch p.heritage.Config.Durability {
	case config.DurabilitySync:
		if err := p.writer.Sync(); err != nil {
			return err
		}
		p.store.PublishDurable(p.writer.Synced())
	case config.DurabilityNone:
		p.store.PublishDurable(p.writer.Head())
	}
	m := p.store.Metrics()
	m.Observe(shmstore.LatencySync, time.Since(began), 1)
	m.Add(shmstore.CounterJournalGroups, 1)
	m.Add(shmstore.CounterJournalRecords, uint64(len(group)))
	return nil
}

// syncIfDue is what --durability async does beside writing.
func (p *process) syncIfDue() error {
	if p.heritage.Config.Durability != config.DurabilityAsync || p.patience() > 0 {
		return nil
	}
	p.syncedAt = time.Now()
	if err := p.writer.Sync(); err != nil {
		return err
	}
	p.store.PublishDurable(p.writer.Synced())
	return nil
}

// patience is how long there is nothing to do unless records come.
func (p *process) patience() time.Duration {
	if p.heritage.Config.Durability == config.DurabilityAsync && p.writer.Head() != p.writer.Synced() {
		return max(0, syncEvery-time.Since(p.syncedAt))
	}
	return idleMax
}

// fail makes the server read-only, once and for the rest of its run.
func (p *process) fail(err error) {
	p.failed = true
	p.store.FailJournal(err.Error())
	p.log.Error().Err(err).Uint64("durable", p.segment.Durable()).Uint64("head", p.segment.Head()).
		Msg("the journal has failed: the server is read-only until it is started again; what nobody was told of is not on disk")
}

// finish ends the journal. When the master is gone the next start wants to find the segment as it is, and the disk behind
// it or at it: no snapshot then.
func (p *process) finish() error {
	err := p.close(p.endScrub())
	p.store.Close()
	return errors.Join(err, p.segment.Close())
}

func (p *process) close(damage error) error {
	defer p.beatMeanwhile()()
	if p.failed {
		_ = p.writer.Close() // it is dead: this only lets go of its files
		return ErrFailed
	}
	orphaned := p.orphaned.Load()
	var err error
	if !orphaned {
		err = p.writer.Snapshot()
	}
	if err := errors.Join(err, p.writer.Close()); err != nil {
		return err
	}
	p.store.PublishDurable(p.writer.Synced())
	if orphaned {
		return fmt.Errorf("log writer: %w", heritage.ErrOrphaned)
	}
	return p.readBack(damage)
}
