package master

import (
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"tradechat.internal/server/internal/datafolder"
	"tradechat.internal/shmstore"
)

// A segment that an earlier run left is used, or given up for what the journal has, or the start refuses:
//
//	all of its records are on disk    this build can use it  → it is used
//	                                  it cannot              → it is given up, and nothing is lost
//	it has records that disk lacks    this build can use it  → it is used, and the journal writes them
//	                                  it cannot              → the start refuses and says which build or which settings can
//	nobody can tell                                          → the start refuses
//
// Only --fresh removes records that are not on disk. A segment that is given up is removed when the journal has shown that it has all of
// it: until then its copy may be the only good one.

// openSegment uses the segment that a crashed run of this data folder left, or makes a new one, which the journal fills.
func (m *Master) openSegment() error {
	shape, err := m.shape()
	if err != nil {
		return err
	}
	found, err := m.findLeftover()
	if errors.Is(err, shmstore.ErrSegmentAbsent) {
		return m.createSegment(shape)
	}
	if m.config.Fresh && found.Name != "" {
		m.discardLeftover(found)
		return m.createSegment(shape)
	}
	if err != nil {
		return m.leftoverError(err)
	}
	if !found.Finished {
		return m.replaceLeftover(found, shape, "its creation was never finished")
	}
	segment, err := shmstore.Open(found.Name)
	switch {
	case errors.Is(err, shmstore.ErrSegmentInUse):
		return fmt.Errorf("%w: a server on another copy of this data folder uses it → stop that server; or, to run this copy as a "+
			"server of its own, remove its file segment", err)
	case errors.Is(err, shmstore.ErrLayout) || errors.Is(err, shmstore.ErrDamaged):
		return m.replaceLeftover(found, shape, err.Error())
	case err != nil:
		return m.leftoverError(err)
	}
	return m.useLeftover(segment, shape)
}

// findLeftover is the segment that the data folder names or, if it names none, one of its journal that no other folder names.
// Errors: shmstore.ErrSegmentAbsent; with a name in found, why that cannot be used.
func (m *Master) findLeftover() (found shmstore.Leftover, err error) {
	name, err := m.folder.SegmentName()
	if err != nil {
		return found, err
	}
	if name == "" {
		return m.searchLeftover()
	}
	found, err = shmstore.Inspect(name)
	found.Name = name
	switch {
	case errors.Is(err, shmstore.ErrSegmentAbsent):
		m.log.Warn().Str("segment", name).Msg("the segment of an earlier run is gone, as after a restart of the machine: the journal is used; " +
			"what was not on disk is lost")
		return m.searchLeftover()
	case errors.Is(err, shmstore.ErrForeign):
		m.log.Error().Err(err).Msg("something else has the name of the segment of an earlier run: it is not touched, and the journal is used")
		return m.searchLeftover()
	case err == nil && found.Finished && found.Journal != m.folder.Journal():
		err = fmt.Errorf("%s belongs to journal %s, and %s is journal %v: put the journal's folder back", name,
			hex.EncodeToString(found.Journal[:]), datafolder.JournalFolder(m.folder.Path()), m.folder.Journal())
	}
	return found, err
}

// searchLeftover looks for a segment by the identity of the journal. One that its own data folder still names stays for that.
func (m *Master) searchLeftover() (shmstore.Leftover, error) {
	all, err := shmstore.Find(m.folder.Journal())
	if err != nil {
		return shmstore.Leftover{}, err
	}
	for _, found := range all {
		if found.Folder == m.folder.Path() || !datafolder.UsesSegment(found.Folder, found.Name) {
			m.log.Warn().Str("segment", found.Name).Str("made_for", found.Folder).Msg("a segment of this journal was found, which the data folder did not name")
			return found, m.folder.KeepSegmentName(found.Name)
		}
	}
	return shmstore.Leftover{}, shmstore.ErrSegmentAbsent
}

// discardLeftover does what --fresh asks for, once the journal turns out to be usable.
func (m *Master) discardLeftover(found shmstore.Leftover) {
	m.former = former{name: found.Name}
	m.log.Warn().Str("segment", found.Name).Uint64("head", found.Head).Uint64("durable", found.Durable).
		Msg("--fresh: the segment of an earlier run is discarded; the journal is used, and the records between durable and head are lost")
}

// replaceLeftover gives up a segment that this build cannot use, if the journal has all that is in it.
func (m *Master) replaceLeftover(found shmstore.Leftover, shape shmstore.Shape, why string) error {
	if found.Unkept() {
		return m.leftoverError(fmt.Errorf("%s; it holds %s, and was made by %s: start that build once",
			why, unkept(found.Durable, found.Head, found.Failed), found.Build))
	}
	m.tellUnusable(found.Name, why)
	m.former = former{name: found.Name, head: found.Head}
	return m.createSegment(shape)
}

// useLeftover makes a segment whole that this build understands.
func (m *Master) useLeftover(segment *shmstore.Segment, shape shmstore.Shape) error {
	m.segment, m.warm = segment, true
	m.onRelease(m.closeSegment)
	err := m.revive(shape)
	switch {
	case errors.Is(err, errUnusable):
		return m.giveSegmentUp(err.Error())
	case err != nil:
		return m.leftoverError(err)
	}
	return nil
}

// giveSegmentUp replaces a segment that is not what it must be by an empty one, if the journal has all that is in it.
func (m *Master) giveSegmentUp(why string) error {
	if m.segment.Unkept() {
		return m.leftoverError(fmt.Errorf("%s; it holds %s: look at it (a copy of %s) before you discard it",
			why, m.unkept(), m.segment.Path()))
	}
	m.tellUnusable(m.segment.Path(), why)
	if err := m.segment.Named(); errors.Is(err, shmstore.ErrNameLost) {
		return fmt.Errorf("give up: %w", err)
	}
	m.former = former{name: filepath.Base(m.segment.Path()), head: m.segment.Head()}
	m.store = nil
	if err := m.segment.Close(); err != nil {
		return fmt.Errorf("give up %s: %w", m.segment.Path(), err)
	}
	m.segment = nil
	shape, err := m.shape()
	if err != nil {
		return err
	}
	m.warm = false
	return m.makeSegment(shape)
}

// unkept says what would be lost with a segment.
func unkept(durable, head uint64, failed bool) string {
	if head > durable {
		return fmt.Sprintf("records %d … %d, which are not on disk", durable+1, head)
	}
	if failed {
		return "records whose copies on disk may be damaged"
	}
	return "nothing that the journal lacks"
}

func (m *Master) unkept() string {
	return unkept(m.segment.Durable(), m.segment.Head(), m.segment.ReadOnly())
}

func (m *Master) tellUnusable(segment, why string) {
	m.log.Error().Str("segment", segment).Str("why", why).
		Msg("the segment that a crashed run left is given up: the journal is used, which has all of its records")
}

// leftoverError says what stands in the way and how to get past it.
func (m *Master) leftoverError(err error) error {
	return fmt.Errorf("%w: %w → or start with --fresh, which discards it: what only it holds is lost", ErrLeftover, err)
}

// revive makes the segment of a crashed run whole. This process holds its lock, so none of that run is alive.
func (m *Master) revive(shape shmstore.Shape) error {
	if err := m.checkLeftover(shape); err != nil {
		return err
	}
	store, reports, err := m.segment.Revive(m.segment.Shape().MasterSlot(), m.wake)
	if err != nil {
		return err
	}
	m.store = store
	m.store.SetSessionTTL(m.config.SessionTTL)
	for _, r := range reports {
		m.logRepair(r)
	}
	verified := m.segment.VerifyQuiescent()
	if !verified.OK() {
		return fmt.Errorf("%s: %w: %w: %s", m.segment.Path(), errUnusable, shmstore.ErrDamaged, strings.Join(verified.Problems, "; "))
	}
	m.segment.AdoptMetrics()
	m.segment.SetOwner(m.folder.Path())
	m.segment.Unguard(false)
	m.log.Warn().Str("segment", m.segment.Path()).Stringer("audit", verified).
		Msg("an earlier run did not end cleanly: its segment was repaired and is used")
	return nil
}

// checkLeftover compares what the segment was made for with what this run wants.
func (m *Master) checkLeftover(shape shmstore.Shape) error {
	found := m.segment.Shape()
	switch {
	case m.segment.RealmSalt() != m.folder.Realm():
		return fmt.Errorf("%s was made under another realm than %s has now", m.segment.Path(), m.folder.Path())
	case found != shape && m.segment.Unkept():
		return fmt.Errorf("%s was made with %s, and holds %s: start once with these settings",
			m.segment.Path(), settings(found), m.unkept())
	case found != shape:
		return fmt.Errorf("%w: it was made with %s, now it is %s", errUnusable, settings(found), settings(shape))
	}
	return nil
}

// settings names the flags that make a shape.
func settings(s shmstore.Shape) string {
	return fmt.Sprintf("--workers %d --max-users %d --max-sessions %d --max-rooms %d --max-message %d --log-records %d --lock-mode %v",
		s.Workers, s.UsersMax, s.SessionsMax, s.RoomsMax, s.MessageBytesMax, s.LogRecords, s.LockMode)
}
