package master

import (
	"errors"
	"fmt"

	"tradechat.internal/liblog/version"
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

// createSegment makes an empty segment, which the journal is to fill, and gives it back at the end.
func (m *Master) createSegment(shape shmstore.Shape) error {
	m.onRelease(m.closeSegment)
	return m.makeSegment(shape)
}

// makeSegment makes an empty segment. Until it holds more than disk does it goes with the run.
func (m *Master) makeSegment(shape shmstore.Shape) error {
	segment, err := m.createNamed(shape)
	if errors.Is(err, shmstore.ErrNoSpace) {
		err = fmt.Errorf("%w → free some of it, give /dev/shm more, or lower --max-users, --max-sessions or --max-rooms", err)
	}
	if err != nil {
		return errors.Join(err, m.forgetSegment())
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

// createNamed makes a segment under a name of its own. One that somebody has taken meanwhile is left to them.
func (m *Master) createNamed(shape shmstore.Shape) (segment *shmstore.Segment, err error) {
	from := shmstore.Origin{
		Journal: m.folder.Journal(), Realm: m.folder.Realm(), Folder: m.folder.Path(), Build: version.String(),
	}
	for range segmentNamesMax {
		var name string
		if name, err = m.folder.NewSegmentName(); err != nil {
			return nil, err
		}
		if segment, err = shmstore.Create(name, shape, from); !errors.Is(err, shmstore.ErrSegmentExists) {
			break
		}
	}
	return segment, err
}

// closeSegment unmaps the segment, and removes it if there is nothing in it that anybody could want.
func (m *Master) closeSegment() {
	if m.segment == nil {
		return
	}
	if m.discard {
		if err := errors.Join(m.segment.Unlink(), m.forgetSegment()); err != nil {
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
