package client

import (
	"maps"
	"slices"
	"sync"

	"tradechat.internal/libproto"
)

// memberships are the rooms that the client is in, each with the room_seq up to which its consumer has been told.
type memberships struct {
	mu   sync.Mutex
	told map[uint32]uint64
}

// join is the hook of a JOIN_ROOM: it runs between the response and the messages that follow it.
func (m *memberships) join(room uint32, replay uint16) func(libproto.Frame) error {
	return onOK(func(r libproto.JoinRoomResponse) {
		m.mu.Lock()
		defer m.mu.Unlock()
		if _, in := m.told[room]; !in { // joining twice changes nothing
			m.told[room] = r.LastSeq - min(r.LastSeq, uint64(replay))
		}
	})
}

// rejoin is the hook of the JOIN_ROOM on a new connection; report gets the room's gap, if there is one, or that it began
// anew. If the session was resumed, all that it was sent up to the response's last_seq has come before.
func (m *memberships) rejoin(room uint32, report func(Push)) func(libproto.Frame) error {
	return onOK(func(r libproto.JoinRoomResponse) {
		before, in := m.set(room, r.LastSeq)
		switch {
		case in && before < r.LastSeq:
			report(&Gap{RoomID: room, FirstSeq: before + 1, LastSeq: r.LastSeq, Cause: GapLost})
		case in && before > r.LastSeq:
			report(&RoomReset{RoomID: room, LastSeq: r.LastSeq})
		}
	})
}

// leave is the hook of a LEAVE_ROOM.
func (m *memberships) leave(room uint32) func(libproto.Frame) error {
	return onOK(func(libproto.Empty) { m.forget(room) })
}

// note follows what the consumer is told, and reports what is news of it. A room's messages are numbered without holes: what is
// missing before the next one was on its way when the connection was lost, and the server, which had sent it, says nothing of
// it to the connection that comes after. A gap is told from what the consumer has had on.
func (m *memberships) note(p Push, report func(Push)) {
	switch p := p.(type) {
	case *ChatMessage:
		told, in := m.advance(p.RoomID, p.Seq)
		if in && !p.Replay && p.Seq > told+1 {
			report(&Gap{RoomID: p.RoomID, FirstSeq: told + 1, LastSeq: p.Seq - 1, Cause: GapLost})
		}
	case *Gap:
		told, in := m.advance(p.RoomID, p.LastSeq)
		if in {
			p.FirstSeq = told + 1
		}
		if p.FirstSeq > p.LastSeq {
			return
		}
	}
	report(p)
}

// advance raises what a room was told up to, and returns what it was.
func (m *memberships) advance(room uint32, seq uint64) (told uint64, in bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if told, in = m.told[room]; in && told < seq {
		m.told[room] = seq
	}
	return told, in
}

// set replaces what a room that the client is in was told up to, and returns what it was.
func (m *memberships) set(room uint32, seq uint64) (before uint64, in bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if before, in = m.told[room]; in {
		m.told[room] = seq
	}
	return before, in
}

func (m *memberships) forget(room uint32) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.told, room)
}

// rooms returns the ids in ascending order.
func (m *memberships) rooms() []uint32 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.told))
}

// onOK makes a hook that runs do with the body of a response whose status is OK.
func onOK[R any, P interface {
	*R
	libproto.DecodableBody
}](do func(R)) func(libproto.Frame) error {
	return func(f libproto.Frame) error {
		if f.Status != libproto.StatusOK {
			return nil
		}
		var r R
		if err := P(&r).Decode(f.Body); err != nil {
			return err
		}
		do(r)
		return nil
	}
}
