package master

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"tradechat.internal/liblog"
	"tradechat.internal/shmstore"
)

// onSignal: the first signal to stop asks the workers, a later one does not ask any more. Those that come with the first are
// the same wish: a Ctrl-C reaches the whole group and is passed on by a wrapper, and the kernel sends a death signal for
// each thread of the parent that ends (prctl(2), PR_SET_PDEATHSIG).
func (m *Master) onSignal(s os.Signal, now time.Time) {
	if s == unix.SIGUSR1 {
		m.dumpStats()
		return
	}
	again := now.Sub(m.signalledAt) >= sameWishMax
	m.signalledAt = now
	switch {
	case m.phase == stopping && !again:
		m.log.Debug().Stringer("signal", s).Msg("stopping already")
	case m.phase == stopping:
		m.log.Warn().Stringer("signal", s).Msg("hurrying: what still runs is killed")
		m.killAll("hurried")
	default:
		m.log.Info().Stringer("signal", s).Msg("stopping")
		m.stop(now)
	}
}

// giveUp ends a start that failed.
func (m *Master) giveUp(cause error, now time.Time) {
	m.failure = cause
	m.stop(now)
}

func (m *Master) stop(now time.Time) {
	m.phase = stopping
	m.killFrom = now.Add(stopMax)
	m.admin.Close()
	for i := range m.slots {
		if c := m.slots[i].child; c != nil {
			c.signal(unix.SIGTERM)
		}
	}
}

// killAll kills the workers; the journal, which brings to disk what they leave, only once it is all that is waited for.
func (m *Master) killAll(verdict string) {
	for _, i := range m.present() {
		s := m.slot(i)
		if s == &m.journal && !m.journalAsked {
			continue
		}
		if c := s.child; c != nil && c.verdict == "" {
			m.log.Warn().Int(liblog.FieldSlot, i).Int("worker_pid", c.pid).Str("verdict", verdict).Msg("process killed")
			c.kill(verdict)
		}
	}
}

// saveSegment gives a segment that is to be kept another name if its own is lost.
func (m *Master) saveSegment() {
	lost := m.segment.Named()
	if !errors.Is(lost, shmstore.ErrNameLost) {
		return
	}
	name, err := m.folder.NewSegmentName()
	if err == nil {
		err = m.segment.SaveAs(name)
	}
	if err != nil {
		m.log.Error().AnErr("lost", lost).Err(err).Msg("the segment cannot be kept: what is not on disk is lost")
		return
	}
	m.log.Warn().AnErr("lost", lost).Str("segment", m.segment.Path()).Msg("the segment is kept under another name")
}

// conclude audits the books, now that nobody changes them. The segment goes with the run, unless the books are wrong (then
// somebody must look at it) or not everything is on disk (then the next start goes on with it).
func (m *Master) conclude() error {
	m.store.Close()
	verified := m.segment.VerifyQuiescent()
	kept := m.kept()
	m.say("%v", verified)
	if m.discard = verified.OK() && kept == nil; !m.discard {
		m.saveSegment()
	}
	switch {
	case !verified.OK():
		m.log.Error().Stringer("audit", verified).Strs("problems", verified.Problems).Str("segment", m.segment.Path()).
			Msg("the audit failed: the segment is kept")
		return fmt.Errorf("%w: %s; %s is kept for examination, --fresh starts from the journal instead", ErrAudit, verified.Problems[0], m.segment.Path())
	case kept != nil:
		m.log.Error().Err(kept).Str("segment", m.segment.Path()).Msg("the segment is kept: the next start goes on with it")
		return errors.Join(m.failure, fmt.Errorf("%w; %s is kept, and the next start goes on with it", kept, m.segment.Path()))
	}
	m.log.Info().Stringer("audit", verified).Dur("uptime_ms", time.Since(m.started)).Msg("stopped")
	return m.failure
}
