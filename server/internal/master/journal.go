package master

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"tradechat.internal/server/internal/heritage"
	"tradechat.internal/shmstore"
)

// The journal is the first child to start and the last to end: it settles what the segment holds before anybody is served,
// and brings to disk what the last worker has left.

var (
	// ErrJournal says that the journal in the data folder cannot be used.
	ErrJournal = errors.New("the journal cannot be used")

	// ErrNotKept says that the server stopped while not everything was on disk.
	ErrNotKept = errors.New("not everything is on disk")

	// ErrInterrupted says that the start was ended by a signal.
	ErrInterrupted = errors.New("interrupted while starting")
)

// startJournal starts the journal and waits for its verdict. A segment that disk contradicts is given up for a new one.
func (m *Master) startJournal() error {
	m.reports = make(chan report, 2*(m.config.Workers+1))
	for {
		mode := heritage.StartCold
		if m.warm {
			mode = heritage.StartWarm
		}
		c, err := m.spawnJournal(mode)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrStart, err)
		}
		r, err := m.awaitVerdict(c)
		switch {
		case err != nil:
			return err
		case r.kind == childReady:
			c.ready = true
			m.journal.child, m.journal.everUp = c, true
			return nil
		case r.kind == childSpoke && r.verdict == heritage.VerdictDoubt && m.warm:
			if err := m.giveSegmentUp(r.text); err != nil {
				return err
			}
		default:
			return m.journalError(r)
		}
	}
}

// checkBooks verifies what the journal has filled an empty segment with, before anybody is served: sums, names, the last records. What a
// crash left was verified when it was revived.
func (m *Master) checkBooks() error {
	if m.warm {
		return nil
	}
	verified, err := m.store.Verify()
	if err != nil {
		return fmt.Errorf("verify what the journal holds: %w", err)
	}
	if !verified.OK() {
		return fmt.Errorf("%w: what it holds does not add up: %s → tradechat audit names the place, docs/journal.md the ways out",
			ErrJournal, strings.Join(verified.Problems, "; "))
	}
	return nil
}

// awaitVerdict waits until the journal has said what it found and, unless it is ready, has ended.
func (m *Master) awaitVerdict(c *child) (verdict report, err error) {
	verdict = report{child: c, kind: childEnded}
	for {
		select {
		case r := <-m.reports:
			switch r.kind {
			case childReady:
				return r, nil
			case childSpoke:
				verdict = r
			case childEnded:
				verdict.status = c.reap()
				return verdict, nil
			}
		case s := <-m.signals:
			if s == unix.SIGTERM || s == unix.SIGINT || s == unix.SIGHUP {
				c.kill("interrupted")
				awaitEnd(c.pid)
				c.reap()
				return verdict, fmt.Errorf("%w (%v)", ErrInterrupted, s)
			}
		}
	}
}

func (m *Master) journalError(r report) error {
	if r.kind != childSpoke {
		return fmt.Errorf("%w: its process ended before it had said anything (%s); its log says why", ErrJournal, endText(r.status))
	}
	text := r.text
	switch {
	case strings.Contains(text, shmstore.ErrDiskBehind.Error()):
		text += "; put the journal's files back, or start with --fresh to go on with what the journal has"
	case strings.Contains(text, shmstore.ErrTableFull.Error()):
		text += "; raise --max-users or --max-rooms"
	default:
		text += "; docs/journal.md says what can be done"
	}
	return fmt.Errorf("%w: %s", ErrJournal, text)
}

func (m *Master) spawnJournal(mode heritage.Start) (*child, error) {
	d := m.descriptors()
	d.Listener = m.null
	return start(heritage.Heritage{
		Role: heritage.RoleJournal, Slot: heritage.JournalSlot(m.config), Address: m.address, Start: mode, Config: m.config,
	}, d, m.reports)
}

// onJournalSpoke: a journal that was started again finds that it cannot go on.
func (m *Master) onJournalSpoke(r report) {
	m.log.Error().Str("verdict", r.text).Msg("the journal cannot go on")
	m.failJournal(r.text)
}

// failJournal makes the server read-only when there is no journal that could do so.
func (m *Master) failJournal(reason string) {
	m.withStore(func(st *shmstore.Store) { st.FailJournal(reason) })
}

// onJournalEnd reaps the journal, and sees to a successor unless the server stops or is read-only.
func (m *Master) onJournalEnd(now time.Time) {
	s := &m.journal
	c := s.child
	status, ran := c.reap(), now.Sub(c.started)
	s.child = nil
	s.dirty = m.segment.SlotInfo(c.slot).State == shmstore.SlotRunning
	m.settle(c.slot)
	if m.phase == stopping {
		m.journalClosed = status.Exited() && status.ExitStatus() == 0
		m.log.Info().Int("journal_pid", c.pid).Str("how", endText(status)).Msg("journal ended")
		return
	}
	s.restarts++
	s.dueAt = now.Add(s.respawn.after(ran))
	m.log.Error().Int("journal_pid", c.pid).Str("how", endText(status)).Str("killed_because", c.verdict).Dur("ran_ms", ran).
		Int("restarts", s.restarts).Msg("journal crashed; answers wait for its successor")
	if s.respawn.failures >= failedStartsMax {
		m.failJournal(fmt.Sprintf("the journal's process ended %d times in a row (last: %s)", s.respawn.failures, endText(status)))
	}
	m.spawnDue(now)
}

// stopJournal asks the journal to end, once no worker is left that could add to the log.
func (m *Master) stopJournal(now time.Time) {
	if m.journal.child == nil || m.journalAsked {
		return
	}
	m.journalAsked = true
	m.killFrom = now.Add(journalStopMax)
	m.journal.child.signal(unix.SIGTERM)
}

// endJournal ends the journal of a start that did not come to the supervision.
func (m *Master) endJournal() {
	c := m.journal.child
	if c == nil {
		return
	}
	c.signal(unix.SIGTERM)
	awaitEnd(c.pid)
	c.reap()
	m.journal.child = nil
}

// kept tells whether everything that the segment knows is on disk.
func (m *Master) kept() error {
	state, failure := m.segment.JournalState()
	durable, head := m.segment.Durable(), m.segment.Head()
	switch {
	case state == shmstore.JournalFailed && durable == head:
		return fmt.Errorf("%w: %s → start again: what memory has is written anew", ErrNotKept, failure)
	case state == shmstore.JournalFailed:
		return fmt.Errorf("%w: the journal failed: %s; records %d … %d are in memory only", ErrNotKept, failure, durable+1, head)
	case !m.journalClosed || durable != head:
		return fmt.Errorf("%w: the journal did not end by itself; records %d … %d are in memory only", ErrNotKept, durable+1, head)
	}
	return nil
}
