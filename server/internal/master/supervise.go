package master

import (
	"fmt"
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"

	"tradechat.internal/liblog"
	"tradechat.internal/server/internal/heritage"
	"tradechat.internal/server/internal/stats"
	"tradechat.internal/shmstore"
)

type phase int

const (
	starting phase = iota // not every slot has been ready yet
	serving
	stopping
)

// slot is the supervision's view of one worker slot.
type slot struct {
	child    *child // nil: none runs
	dirty    bool   // its last process is gone and must be repaired after
	everUp   bool   // a process of it was ready
	restarts int
	respawn  respawn
	dueAt    time.Time // of the next process, while there is none
}

// handled are the signals that the master acts on. A SIGHUP that was ignored at the start (nohup) stays so.
func handled() []os.Signal {
	signals := []os.Signal{unix.SIGTERM, unix.SIGINT, unix.SIGUSR1}
	if !signal.Ignored(unix.SIGHUP) {
		signals = append(signals, unix.SIGHUP)
	}
	return signals
}

// supervise runs the loop until the server has stopped, and returns how that went.
func (m *Master) supervise() error {
	m.slots = make([]slot, m.config.Workers)
	m.beatAt = time.Now()
	m.ticker = stats.NewTicker(m.segment, m.beatAt)
	m.log.Info().Str("address", m.address).Int("workers", m.config.Workers).Str("data", m.folder.Path()).
		Str("segment", m.segment.Path()).Str("lock_mode", m.config.LockMode).Str("registration", m.config.Registration).
		Str("durability", m.config.Durability).Uint64("head", m.segment.Head()).Msg("starting")
	beat := time.NewTicker(beatEvery)
	defer beat.Stop()
	line, stopLine := every(m.config.StatsEvery)
	defer stopLine()
	m.spawnDue(m.beatAt)
	for !m.over() {
		select {
		case r := <-m.reports:
			m.onReport(r, time.Now())
		case s := <-m.signals:
			m.onSignal(s, time.Now())
		case <-beat.C:
			m.onBeat(time.Now())
		case now := <-line:
			m.logLine(now)
		}
		m.publish()
	}
	return m.conclude()
}

// every is a ticker that may be off.
func every(interval time.Duration) (<-chan time.Time, func()) {
	if interval == 0 {
		return nil, func() {}
	}
	t := time.NewTicker(interval)
	return t.C, t.Stop
}

// over reports whether the server has stopped: no process is left, and nothing to repair. The journal is asked to end when
// it is the last.
func (m *Master) over() bool {
	if m.phase != stopping {
		return false
	}
	for i := range m.slots {
		if m.slots[i].child != nil || m.slots[i].dirty {
			return false
		}
	}
	m.stopJournal(time.Now())
	return m.journal.child == nil && !m.journal.dirty
}

// present are the slots that children have: those of the workers, and the journal's.
func (m *Master) present() (slots []int) {
	for i := range m.slots {
		slots = append(slots, i)
	}
	return append(slots, heritage.JournalSlot(m.config))
}

func (m *Master) slot(i int) *slot {
	if i == heritage.JournalSlot(m.config) {
		return &m.journal
	}
	return &m.slots[i]
}

func (m *Master) onBeat(now time.Time) {
	m.withStore(func(st *shmstore.Store) { // beats
		if now.After(m.expireAt) {
			m.expireAt = now.Add(expireEvery)
			st.ExpireSessions()
		}
	})
	late := now.Sub(m.beatAt) - beatEvery
	m.beatAt = now
	if late > m.config.Watchdog/2 {
		// This process was itself stopped or starved, and so perhaps were the workers: their age proves nothing yet.
		m.judgeFrom = now.Add(m.config.Watchdog)
	}
	for _, i := range m.present() {
		m.settle(i)
	}
	m.watch(now)
	if m.phase == stopping && now.After(m.killFrom) {
		m.killAll("did not stop in time")
	}
	m.guard(now)
	m.spawnDue(now)
	m.log.Sweep()
}

func (m *Master) onReport(r report, now time.Time) {
	s := m.slot(r.child.slot)
	journal := s == &m.journal
	switch {
	case s.child != r.child: // its end was reported before its readiness
	case r.kind == childReady && journal:
		r.child.ready = true
		m.log.Info().Int("journal_pid", r.child.pid).Dur("after_ms", now.Sub(r.child.started)).Msg("journal goes on")
	case r.kind == childReady:
		m.onReady(s, now)
	case r.kind == childSpoke:
		m.onJournalSpoke(r)
	case journal:
		m.onJournalEnd(now)
	default:
		m.onEnd(s, now)
	}
}

func (m *Master) onReady(s *slot, now time.Time) {
	c := s.child
	c.ready, s.everUp = true, true
	m.log.Info().Int(liblog.FieldSlot, c.slot).Int("worker_pid", c.pid).Dur("after_ms", now.Sub(c.started)).Msg("worker accepts")
	if m.phase != starting {
		return
	}
	for i := range m.slots {
		if !m.slots[i].everUp {
			return
		}
	}
	m.phase = serving
	m.publish() // who reads the ready line may ask for the workers at once
	m.log.Info().Str("address", m.address).Msg("ready")
	m.say("ready %s", m.address)
}

// onEnd reaps the process, repairs after it, and sees to a successor.
func (m *Master) onEnd(s *slot, now time.Time) {
	c := s.child
	status, ran := c.reap(), now.Sub(c.started)
	s.child = nil
	info := m.segment.SlotInfo(c.slot)
	s.dirty = info.State == shmstore.SlotRunning
	if m.phase == stopping {
		m.log.Info().Int(liblog.FieldSlot, c.slot).Int("worker_pid", c.pid).Str("how", endText(status)).Msg("worker ended")
		m.settle(c.slot)
		return
	}
	s.restarts++
	pause := s.respawn.after(ran)
	s.dueAt = now.Add(pause)
	crash := m.log.Error().Int(liblog.FieldSlot, c.slot).Int("worker_pid", c.pid).Str("how", endText(status))
	if c.verdict != "" {
		crash.Str("verdict", c.verdict)
	}
	crash.Dur("ran_ms", ran).Dur("pause_ms", pause).Int("restarts", s.restarts).Msg("worker crashed")
	m.settle(c.slot)
	if m.phase == starting && !s.everUp && s.respawn.failures >= failedStartsMax {
		m.giveUp(fmt.Errorf("%w: worker %d ended %d times before it accepted a connection (last: %s); its log says why",
			ErrStart, c.slot, s.respawn.failures, endText(status)), now)
		return
	}
	m.spawnDue(now)
}

// settle repairs a dirty slot; while that meets a busy lock the slot stays dirty, and the next tick tries again.
func (m *Master) settle(slot int) {
	s := m.slot(slot)
	if s.dirty && m.repair(slot) == nil {
		s.dirty = false
	}
}

// spawnDue starts a process for each slot that has none and whose pause is over.
func (m *Master) spawnDue(now time.Time) {
	if m.phase == stopping {
		return
	}
	for _, i := range m.present() {
		s := m.slot(i)
		hopeless := s == &m.journal && m.segment.ReadOnly()
		if s.child == nil && !s.dirty && !now.Before(s.dueAt) && !hopeless {
			m.spawn(i, now)
		}
	}
}

// startChild starts a worker, or a journal behind one that died.
func (m *Master) startChild(i int) (*child, error) {
	if i == heritage.JournalSlot(m.config) {
		return m.spawnJournal(heritage.StartRespawn)
	}
	d := m.descriptors()
	d.Listener = m.sockets[i].FD()
	return start(heritage.Heritage{Role: heritage.RoleWorker, Slot: i, Address: m.address, Config: m.config}, d, m.reports)
}

func (m *Master) spawn(i int, now time.Time) {
	s := m.slot(i)
	c, err := m.startChild(i)
	if err != nil {
		pause := s.respawn.after(0)
		s.dueAt = now.Add(max(pause, respawnFirst))
		m.log.Error().Int(liblog.FieldSlot, i).Err(err).Dur("pause_ms", pause).Msg("process cannot be started")
		if m.phase == starting && s.respawn.failures >= failedStartsMax {
			m.giveUp(fmt.Errorf("%w: %w", ErrStart, err), now)
		}
		return
	}
	s.child = c
	m.log.Debug().Int(liblog.FieldSlot, i).Int("worker_pid", c.pid).Msg("worker started")
}

// descriptors are what every child gets.
func (m *Master) descriptors() heritage.Descriptors {
	d := heritage.Descriptors{
		Null: m.null, Stderr: unix.Stderr, Segment: m.segment.FD(),
		Life: m.lifeRead, Lock: m.folder.LockFD(),
	}
	for _, e := range m.events {
		d.Events = append(d.Events, int(e))
	}
	return d
}

// watch kills the processes whose heart stands still, stopped ones too; their end is then a crash like any other.
func (m *Master) watch(now time.Time) {
	if now.Before(m.judgeFrom) {
		return
	}
	for _, i := range m.present() {
		c := m.slot(i).child
		if c == nil || c.verdict != "" {
			continue
		}
		info := m.segment.SlotInfo(i)
		if m.phase == stopping && info.State == shmstore.SlotFree {
			continue // it has drained and given its slot back: its heart need not beat any more
		}
		silent, limit := info.HeartAge, m.config.Watchdog
		if !c.ready {
			// The heartbeat may still be that of the process before.
			silent, limit = now.Sub(c.started), max(limit, startMax)
		}
		if silent > limit {
			m.log.Error().Int(liblog.FieldSlot, i).Int("worker_pid", c.pid).Dur("silent_ms", silent).Msg("no heartbeat: the watchdog kills the process")
			c.kill("no heartbeat")
		}
	}
}

// publish makes the state of the slots known to the admin socket, the journal's last.
func (m *Master) publish() {
	var processes []stats.Process
	for _, i := range m.present() {
		s := m.slot(i)
		p := stats.Process{Slot: i, State: stats.StateDown, Restarts: s.restarts}
		if s.child != nil {
			p.PID, p.State = s.child.pid, s.child.state(m.phase)
		}
		processes = append(processes, p)
	}
	m.published.Store(&processes)
}

func (c *child) state(p phase) stats.State {
	switch {
	case p == stopping:
		return stats.StateStopping
	case c.ready:
		return stats.StateRunning
	}
	return stats.StateStarting
}
