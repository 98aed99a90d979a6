package master

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"tradechat.internal/liblog"
	"tradechat.internal/server/internal/role"
	"tradechat.internal/shmstore"
)

// onSignal: the first signal to stop asks the processes to end, a later one does not ask any more. Those that come with the first are
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
		m.hurry()
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
	m.admin.Close()
	m.askNext(now)
}

// askNext asks the processes of the last row of the roles' table that is not gone to end: what earlier rows do they may still need.
// It reports whether all rows are gone.
func (m *Master) askNext(now time.Time) (allGone bool) {
	var asking role.Name
	for i := len(m.children) - 1; i >= 0; i-- {
		c := &m.children[i]
		if m.gone(c) {
			continue
		}
		if asking == "" {
			asking = c.policy.Name
		}
		if c.policy.Name != asking {
			break
		}
		if c.process != nil && !c.process.asked {
			c.process.askToEnd()
			c.killFrom = now.Add(c.policy.EndMax)
		}
	}
	return asking == ""
}

// over reports whether the server has stopped: no process is left, none is to come, and nothing to repair.
func (m *Master) over() bool { return m.phase == stopping && m.askNext(time.Now()) }

// killLate kills the processes that were asked to end too long ago.
func (m *Master) killLate(now time.Time) {
	for i := range m.children {
		if c := &m.children[i]; c.process != nil && c.process.asked && now.After(c.killFrom) {
			m.killAsked(c, "did not stop in time")
		}
	}
}

// hurry kills the processes that were asked to end; those whose turn has not come, which bring to disk what these leave, are asked then.
func (m *Master) hurry() {
	for i := range m.children {
		if c := &m.children[i]; c.process != nil && c.process.asked {
			m.killAsked(c, "hurried")
		}
	}
}

func (m *Master) killAsked(c *child, why string) {
	c.final = true
	if c.process.killed == "" {
		m.log.Warn().Int(liblog.FieldSlot, c.slot).Int("child_pid", c.process.pid).Str("killed_because", why).Msg(c.policy.Title + " killed")
		c.process.kill(why)
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
