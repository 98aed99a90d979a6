package chatcheck

// Sender follows one connection's own messages from CHAT_SEND to their delivery to itself. Its thread owns it.
//
//	Next ─▶ sent ── Acked ───▶ acked ───── Delivered ─▶ done      the two must name the same room_seq
//	         │ └─── Delivered ▶ delivered ─ Acked ────▶ done
//	         └ Refused ▶ done
//
// Without an ack a message stays sent (or delivered): it may exist or not, until the connection ends.
type Sender struct {
	conn   uint32
	faults *Faults

	ring []ownMessage // serial s is at s mod len, which is a power of two
	base uint64       // the oldest serial that is not done
	next uint64       // the next serial; serials go on when the connection comes back
	born uint64       // the first serial since the connection came up
}

type ownMessage struct {
	room  *Room
	seq   uint64
	state ownState
}

type ownState uint8

const (
	done ownState = iota
	sent
	acked
	delivered
)

// NewSender makes a connection's sender.
func (g *Group) NewSender(conn uint32) Sender {
	return Sender{conn: conn, faults: &g.Faults, ring: make([]ownMessage, ownMin), base: 1, next: 1, born: 1}
}

// Next names the message that is about to be sent to a member's room.
func (s *Sender) Next(m *Member) ID {
	if s.next-s.base == uint64(len(s.ring)) {
		s.makeRoom()
	}
	serial := s.next
	s.next++
	*s.at(serial) = ownMessage{room: m.room, state: sent}
	return MakeID(s.conn, serial)
}

func (s *Sender) at(serial uint64) *ownMessage { return &s.ring[serial&uint64(len(s.ring)-1)] }

// makeRoom doubles the ring, or gives up the oldest message when it is as large as it may be.
func (s *Sender) makeRoom() {
	if len(s.ring) == ownMax {
		if own := s.at(s.base); own.state == acked {
			s.notDelivered(s.base, own)
		}
		s.settle(s.base)
		return
	}
	old := s.ring
	s.ring = make([]ownMessage, 2*len(old))
	for serial := s.base; serial < s.next; serial++ {
		*s.at(serial) = old[serial&uint64(len(old)-1)]
	}
}

// settle ends a message, and moves the base over all that are done.
func (s *Sender) settle(serial uint64) {
	*s.at(serial) = ownMessage{}
	for s.base < s.next && s.at(s.base).state == done {
		s.base++
	}
}

// own finds a message of the connection as it is now; nil when there is no verdict to come for it.
func (s *Sender) own(serial uint64) *ownMessage {
	if serial < s.base || serial >= s.next || s.at(serial).state == done {
		return nil
	}
	return s.at(serial)
}

// Acked takes CHAT_SEND's answer.
func (s *Sender) Acked(id ID, seq uint64) {
	own := s.own(id.Serial())
	if own == nil {
		return // given up long ago
	}
	own.room.raise(seq)
	switch own.state {
	case sent:
		own.state, own.seq = acked, seq
	case acked:
		panic("chatcheck: one CHAT_SEND acked twice")
	case delivered:
		s.match(id, own.seq, seq)
	}
}

// Refused takes an answer that says that the message was not accepted.
func (s *Sender) Refused(id ID) {
	own := s.own(id.Serial())
	if own == nil {
		return
	}
	if own.state == delivered {
		s.faults.report(NotSent, "room %d, room_seq %d: %v was delivered and then refused", own.room.id, own.seq, id)
	}
	s.settle(id.Serial())
}

// Delivered takes a delivery to this connection, live or from ROOM_HISTORY, of its own message or of another's.
func (s *Sender) Delivered(m *Member, id ID, seq uint64) {
	if id.Foreign() || id.Conn() != s.conn || id.Serial() < s.born {
		return
	}
	own := s.own(id.Serial())
	switch {
	case own == nil || own.room != m.room:
		s.faults.report(NotSent, "room %d, room_seq %d: %v was refused, delivered before, given up or never sent",
			m.room.id, seq, id)
	case own.state == sent:
		own.state, own.seq = delivered, seq
	case own.state == acked:
		s.match(id, seq, own.seq)
	default:
		s.faults.report(Repeated, "room %d, room_seq %d: %v was delivered as room_seq %d before", m.room.id, seq, id, own.seq)
	}
}

func (s *Sender) match(id ID, delivered, acked uint64) {
	if delivered != acked {
		s.faults.report(AckDiffers, "%v was acked as room_seq %d and delivered as %d", id, acked, delivered)
	}
	s.settle(id.Serial())
}

// Close ends the connection's part, before its members leave. What was acked and not delivered yet is shown to
// the rooms, which compare it with what the other members see there.
func (s *Sender) Close() {
	for serial := s.base; serial < s.next; serial++ {
		if own := s.at(serial); own.state == acked && own.seq > 0 {
			own.room.publishOne(own.seq, MakeID(s.conn, serial))
		}
		*s.at(serial) = ownMessage{}
	}
	s.base, s.born = s.next, s.next
}

// Finish is the end of the check for a connection that is still there: what was acked must have come back.
func (s *Sender) Finish() {
	for serial := s.base; serial < s.next; serial++ {
		if own := s.at(serial); own.state == acked {
			s.notDelivered(serial, own)
		}
		*s.at(serial) = ownMessage{}
	}
	s.base, s.born = s.next, s.next
}

func (s *Sender) notDelivered(serial uint64, own *ownMessage) {
	s.faults.report(NotDelivered, "room %d: %v was acked as room_seq %d and never came back", own.room.id,
		MakeID(s.conn, serial), own.seq)
}
