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

// The first child to start settles what the segment holds before anybody is served: the log writer compares it with disk.

var (
	// ErrJournal says that the journal in the data folder cannot be used.
	ErrJournal = errors.New("the journal cannot be used")

	// ErrNotKept says that the server stopped while not everything was on disk.
	ErrNotKept = errors.New("not everything is on disk")

	// ErrInterrupted says that the start was ended by a signal.
	ErrInterrupted = errors.New("interrupted while starting")
)

// settleSegment starts the child that settles the segment and waits for its verdict. A segment that disk contradicts is given up for a
// new one.
func (m *Master) settleSegment() error {
	m.makeChildren()
	c := &m.children[0]
	for {
		mode := heritage.StartCold
		if m.warm {
			mode = heritage.StartWarm
		}
		p, err := m.launch(c, mode)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrStart, err)
		}
		c.process = p
		r, err := m.awaitVerdict(p)
		switch {
		case err != nil:
			return err
		case r.kind == processReady:
			p.ready, c.everUp = true, true
			return m.removeFormer()
		}
		c.process = nil
		switch {
		case r.kind == processEnded && r.status.Signaled() && isForMaster(r.status.Signal()) && c.respawn.after(0) < respawnMost:
			// The signal was for the whole group, and came before the process ignored it. Ours, if there was one, comes next.
		case r.kind == processSpoke && r.word.Verdict == heritage.VerdictDoubt && m.warm:
			if err := m.giveSegmentUp(r.word.Text); err != nil {
				return err
			}
		default:
			return m.withFormer(m.journalError(r))
		}
	}
}

// isForMaster tells whether a signal is one of those that children ignore.
func isForMaster(s unix.Signal) bool {
	for _, ignored := range heritage.Signals {
		if ignored == s {
			return true
		}
	}
	return false
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

// awaitVerdict waits until the process has said what it found and, unless it is ready, has ended.
func (m *Master) awaitVerdict(p *process) (verdict report, err error) {
	verdict = report{process: p, kind: processEnded}
	for {
		select {
		case r := <-m.reports:
			switch r.kind {
			case processReady:
				return r, nil
			case processSpoke:
				verdict = r
			case processEnded:
				verdict.status = p.reap()
				return verdict, nil
			}
		case s := <-m.signals:
			if s != unix.SIGUSR1 {
				p.kill("interrupted")
				return verdict, fmt.Errorf("%w (%v)", ErrInterrupted, s)
			}
		}
	}
}

// advice is what to do about a reason for which the journal was refused.
var advice = map[heritage.Reason]string{
	heritage.ReasonDiskBehind: "put the journal's files back, or start with --fresh to go on with what the journal has",
	heritage.ReasonTableFull:  "raise --max-users or --max-rooms",
	heritage.ReasonOther:      "docs/journal.md says what can be done",
}

func (m *Master) journalError(r report) error {
	if r.kind != processSpoke {
		return fmt.Errorf("%w: the %s ended before it had said anything (%s); its log says why",
			ErrJournal, m.children[0].policy.Title, endText(r.status))
	}
	return fmt.Errorf("%w: %s; %s", ErrJournal, r.word.Text, advice[r.word.Reason])
}

// abandon ends the processes of a start that did not come to the supervision.
func (m *Master) abandon() {
	for i := range m.children {
		c := &m.children[i]
		if c.process != nil {
			c.process.askToEnd()
			m.awaitEnded(c)
		}
	}
}

func (m *Master) awaitEnded(c *child) {
	late := time.After(c.policy.EndMax)
	for c.process != nil {
		select {
		case r := <-m.reports:
			if r.process == c.process && r.kind == processEnded {
				c.process.reap()
				c.process = nil
			}
		case <-late:
			c.process.kill("did not stop in time")
		}
	}
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
	}
	for i := range m.children {
		c := &m.children[i]
		if c.policy.Needed && (!c.well || durable != head) {
			return fmt.Errorf("%w: the %s did not end by itself; records %d … %d are in memory only", ErrNotKept, c.policy.Title, durable+1, head)
		}
	}
	return nil
}
