package client

import (
	"maps"
	"slices"
	"sync"

	"tradechat.internal/libproto"
)

// memberships are the rooms that the client is in.
type memberships struct {
	mu    sync.Mutex
	rooms map[uint32]standing
}

// standing is where a room stands for the consumer. Numbers alone do not tell a room that was begun anew from one that went on:
// the time of one message does.
type standing struct {
	told  uint64 // up to which room_seq the consumer has been told
	known landmark
}

// landmark is a message of the room that is known to have stood there; seq 0: none.
type landmark struct{ seq, timeNs uint64 }

// join is the hook of a JOIN_ROOM: it runs between the response and the messages that follow it.
func (m *memberships) join(room uint32, replay uint16) func(libproto.Frame) error {
	return onOK(func(r libproto.JoinRoomResponse) {
		m.mu.Lock()
		defer m.mu.Unlock()
		if _, in := m.rooms[room]; !in { // joining twice changes nothing
			m.rooms[room] = standing{told: r.LastSeq - min(r.LastSeq, uint64(replay))}
		}
	})
}

// rejoin is the hook of the JOIN_ROOM on a new connection; report gets the room's gap, if there is one, or that it began
// anew, which the caller may have found out. If the session was resumed, all that it was sent up to the response's last_seq has come
// before.
func (m *memberships) rejoin(room uint32, anew bool, report func(Push)) func(libproto.Frame) error {
	return onOK(func(r libproto.JoinRoomResponse) {
		before, in := m.set(room, r.LastSeq, anew)
		switch {
		case in && (anew || before > r.LastSeq):
			report(&RoomReset{RoomID: room, LastSeq: r.LastSeq})
		case in && before < r.LastSeq:
			report(&Gap{RoomID: room, FirstSeq: before + 1, LastSeq: r.LastSeq, Cause: GapLost})
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
		m.see(p.RoomID, landmark{p.Seq, uint64(p.Time.UnixNano())})
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
	s, in := m.rooms[room]
	told = s.told
	if in && told < seq {
		s.told = seq
		m.rooms[room] = s
	}
	return told, in
}

// see keeps a message of a room that the client is in as its landmark, unless it knows a later one.
func (m *memberships) see(room uint32, mark landmark) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s, in := m.rooms[room]; in && s.known.seq < mark.seq {
		s.known = mark
		m.rooms[room] = s
	}
}

// known is a room's landmark.
func (m *memberships) known(room uint32) landmark {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.rooms[room].known
}

// set replaces what a room that the client is in was told up to, and returns what it was. What is known of a room that began anew
// is of no use any more.
func (m *memberships) set(room uint32, seq uint64, anew bool) (before uint64, in bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, in := m.rooms[room]
	if !in {
		return 0, false
	}
	before, s.told = s.told, seq
	if anew || before > seq {
		s.known = landmark{}
	}
	m.rooms[room] = s
	return before, true
}

func (m *memberships) forget(room uint32) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.rooms, room)
}

// ids returns the rooms' ids in ascending order.
func (m *memberships) ids() []uint32 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.rooms))
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
