package master

import (
	"errors"
	"fmt"
	"strings"

	"tradechat.internal/libproto"
	"tradechat.internal/shmstore"
)

// shape is the segment that the configuration asks for.
func (m *Master) shape() (shmstore.Shape, error) {
	mode, err := shmstore.ParseLockMode(m.config.LockMode)
	if err != nil {
		return shmstore.Shape{}, err
	}
	s := shmstore.DefaultShape()
	s.Workers, s.LockMode = m.config.Workers, mode
	s.UsersMax, s.SessionsMax, s.RoomsMax = m.config.UsersMax, m.config.SessionsMax, m.config.RoomsMax
	s.MessageBytesMax, s.LogRecords = m.config.MessageBytesMax, m.config.LogRecords
	return s, s.Validate()
}

// openSegment goes on with the segment that a crashed run of this data folder left, or makes a new one, which the journal
// fills. One that may be another server's is not touched.
func (m *Master) openSegment() error {
	shape, err := m.shape()
	if err != nil {
		return err
	}
	if err := m.discardLeftover(); err != nil {
		return err
	}
	segment, err := shmstore.Open(m.config.SegmentName)
	if errors.Is(err, shmstore.ErrSegmentAbsent) {
		return m.createSegment(shape)
	}
	if m.ownName && (errors.Is(err, shmstore.ErrLayout) || errors.Is(err, shmstore.ErrDamaged)) {
		m.tellUnusable(err.Error())
		if err := shmstore.Remove(m.config.SegmentName); err != nil {
			return m.leftoverError(err)
		}
		return m.createSegment(shape)
	}
	if err != nil {
		return m.leftoverError(err)
	}
	m.segment, m.warm = segment, true
	m.onRelease(m.closeSegment)
	err = m.revive(shape)
	switch {
	case errors.Is(err, errUnusable):
		return m.giveSegmentUp(err.Error())
	case err != nil:
		return m.leftoverError(err)
	}
	return nil
}

// discardLeftover does what --fresh asks for.
func (m *Master) discardLeftover() error {
	if !m.config.Fresh {
		return nil
	}
	err := shmstore.Remove(m.config.SegmentName)
	switch {
	case errors.Is(err, shmstore.ErrSegmentAbsent):
		return nil
	case err != nil:
		return fmt.Errorf("--fresh: %w", err)
	}
	m.log.Warn().Str("segment", m.config.SegmentName).Msg("--fresh: the segment of an earlier run was discarded; what the journal has is used")
	return nil
}

func (m *Master) createSegment(shape shmstore.Shape) error {
	m.onRelease(m.closeSegment)
	return m.makeSegment(shape)
}

// makeSegment makes an empty segment, which the journal is to fill. Until it holds more than disk does it goes with the run.
func (m *Master) makeSegment(shape shmstore.Shape) error {
	segment, err := shmstore.Create(m.config.SegmentName, shape, m.folder.Realm(), m.folder.Path())
	if errors.Is(err, shmstore.ErrNoSpace) {
		return fmt.Errorf("%w; free some of it, give /dev/shm more, or lower --max-users, --max-sessions or --max-rooms", err)
	}
	if err != nil {
		return err
	}
	m.segment, m.discard = segment, true
	epoch, err := m.folder.NextEpoch()
	if err == nil {
		err = segment.BeginSessions(epoch)
	}
	if err == nil {
		err = m.bind()
	}
	if err != nil {
		return err
	}
	m.log.Info().Str("segment", segment.Path()).Int64("bytes", shape.SegmentBytes()).Msg("segment made")
	return nil
}

// closeSegment unmaps the segment, and removes it if there is nothing in it that anybody could want.
func (m *Master) closeSegment() {
	if m.segment == nil {
		return
	}
	if m.discard {
		if err := m.segment.Unlink(); err != nil {
			m.log.Warn().Err(err).Str("segment", m.segment.Path()).Msg("the segment cannot be removed")
		}
	}
	_ = m.segment.Close()
}

// bind takes the master's own slot.
func (m *Master) bind() (err error) {
	m.store, err = m.segment.Bind(m.segment.Shape().MasterSlot(), m.wake)
	if err == nil {
		m.store.SetSessionTTL(m.config.SessionTTL)
	}
	return err
}

// wake makes the event loop of a slot turn.
func (m *Master) wake(slot int) {
	if slot < len(m.events) { // the journal has none
		_ = m.events[slot].Signal()
	}
}

// leftoverError says what stands in the way and how to get past it.
func (m *Master) leftoverError(err error) error {
	if errors.Is(err, shmstore.ErrSegmentInUse) {
		return fmt.Errorf("%w; choose another --shm-name", err)
	}
	return fmt.Errorf("%w: %w; --fresh starts from the journal instead", ErrLeftover, err)
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
	m.log.Warn().Str("segment", m.segment.Path()).Stringer("audit", verified).
		Msg("an earlier run did not end cleanly: its segment was repaired and is used")
	return nil
}

// checkLeftover compares what the segment was made for with what this run wants.
func (m *Master) checkLeftover(shape shmstore.Shape) error {
	found := m.segment.Shape()
	switch {
	case m.segment.Owner() != m.folder.Path():
		return fmt.Errorf("%s belongs to the data folder %s, not to %s", m.segment.Path(), m.segment.Owner(), m.folder.Path())
	case m.segment.RealmSalt() != m.folder.Realm():
		return fmt.Errorf("%s was made under another realm than %s has now", m.segment.Path(), m.folder.Path())
	case found != shape && m.segment.Durable() < m.segment.Head():
		return fmt.Errorf("%s was made with %s, and holds records %d … %d, which are not on disk yet: start once with these settings",
			m.segment.Path(), settings(found), m.segment.Durable()+1, m.segment.Head())
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

// openLobby makes the room that always exists.
func (m *Master) openLobby() error {
	id, _, err := m.store.OpenRoom([]byte(libproto.LobbyName))
	if err == nil && id != libproto.LobbyRoomID {
		err = fmt.Errorf("it has id %d, must be %d: %w", id, libproto.LobbyRoomID, shmstore.ErrDamaged)
	}
	if err != nil {
		return fmt.Errorf("room %s: %w", libproto.LobbyName, err)
	}
	return nil
}
