package chatcheck

// Member is one connection's membership of one room. Its thread owns it.
//
//	Entering → Joined → Deliver, Gap, Filled … → Leave        and again, when the connection comes back
type Member struct {
	room *Room
	seat int
	conn uint32
	live bool

	next  uint64 // the room_seq that must come now
	open  block  // of the block that next is in, what was seen and not published yet
	holes []hole // announced gaps, the oldest first
}

// hole is a range of room_seqs that the server announced to have skipped.
type hole struct{ first, last uint64 }

// Room is the room's id on the wire.
func (m *Member) Room() uint32 { return m.room.id }

// Entering comes before JOIN_ROOM is sent.
func (m *Member) Entering() { m.room.enter(m.seat) }

// Joined takes JOIN_ROOM's answer: the membership begins after lastSeq.
func (m *Member) Joined(lastSeq uint64) {
	if m.next > 0 && lastSeq < m.next-1 {
		m.report(WentBack, "JOIN_ROOM says last_seq %d, and room_seq %d was seen before", lastSeq, m.next-1)
	}
	m.next = lastSeq + 1
	m.open.known = 0
	m.live = true
	m.room.group.Intervals.Add(1)
	m.room.advance(m.seat, m.need())
}

// Marked takes the answer of a JOIN_ROOM of a member: where the room stands, which all must reach.
func (m *Member) Marked(lastSeq uint64) { m.room.raise(lastSeq) }

// Deliver takes a broadcast, and returns its ID for the sender to look at.
func (m *Member) Deliver(seq uint64, fromUser uint32, fromName, text []byte) ID {
	id := m.room.group.identify(m.room, fromUser, fromName, text)
	switch {
	case !m.live || seq == 0:
		m.report(NotMember, "room_seq %d comes while the connection is no member", seq)
		return id
	case seq < m.next:
		m.report(Repeated, "room_seq %d comes where %d was due", seq, m.next)
		return id
	case seq > m.next:
		m.missing(m.next, seq-1)
		m.skipTo(seq)
	}
	m.see(id)
	return id
}

// Replayed takes a broadcast that is marked as a replay: nobody asks for one.
func (m *Member) Replayed(seq uint64) { m.report(NotMember, "room_seq %d comes as a replay", seq) }

// see takes the message at next.
func (m *Member) see(id ID) {
	bit := bitOf(m.next)
	m.open.ids[(m.next-1)%blockLen] = id
	m.open.known |= bit
	m.next++
	if bit == 1<<(blockLen-1) {
		m.flush(blockOf(m.next) - 1)
	}
}

// skipTo goes on at seq, with nothing seen in between.
func (m *Member) skipTo(seq uint64) {
	if n := blockOf(m.next); n != blockOf(seq) {
		m.flush(n)
	}
	m.next = seq
}

// flush publishes what was seen of block n and lets go of the blocks that are done.
func (m *Member) flush(n uint64) {
	m.room.publish(n, &m.open)
	m.open.known = 0
	m.room.advance(m.seat, m.need())
}

// need is the oldest block that this member may still publish.
func (m *Member) need() uint64 {
	if len(m.holes) > 0 {
		return blockOf(m.holes[0].first)
	}
	return blockOf(m.next)
}

// Gap takes the announcement that first … last were skipped.
func (m *Member) Gap(first, last uint64) {
	m.room.group.Gaps.Add(1)
	switch {
	case !m.live || first < m.next || last < first:
		m.report(Repeated, "a gap %d … %d is announced where %d was due", first, last, m.next)
		return
	case first > m.next:
		m.missing(m.next, first-1)
	}
	if len(m.holes) == holesMax {
		m.gapOpen(hole{first, last}, "and too many gaps are open already")
	} else {
		m.holes = append(m.holes, hole{first, last})
	}
	m.skipTo(last + 1)
}

// WantsHistory reports whether there is a gap to fill, and what to ask ROOM_HISTORY for: rows messages before
// beforeSeq.
func (m *Member) WantsHistory() (beforeSeq, rows uint64, ok bool) {
	if len(m.holes) == 0 {
		return 0, 0, false
	}
	h := m.holes[0]
	return h.last + 1, h.last - h.first + 1, true
}

// Filled takes one row of ROOM_HISTORY's answer, and returns its ID for the sender to look at. The answer is oldest
// first: give its rows in the opposite order. due tells that the row was wanted; if not, the answer does not fill the gap.
func (m *Member) Filled(seq uint64, fromUser uint32, fromName, text []byte) (id ID, due bool) {
	if len(m.holes) == 0 || seq != m.holes[0].last {
		return 0, false
	}
	id = m.room.group.identify(m.room, fromUser, fromName, text)
	m.room.publishOne(seq, id)
	m.room.group.Recovered.Add(1)
	if m.holes[0].last--; m.holes[0].last < m.holes[0].first {
		m.close()
	}
	return id, true
}

// Lost gives up the oldest gap: ROOM_HISTORY does not have it.
func (m *Member) Lost() {
	if len(m.holes) > 0 {
		m.gapOpen(m.holes[0], "and ROOM_HISTORY does not bring them back")
		m.close()
	}
}

// close forgets the oldest gap.
func (m *Member) close() {
	m.holes = append(m.holes[:0], m.holes[1:]...)
	m.room.advance(m.seat, m.need())
}

// CaughtUp reports whether the member has seen all that it must.
func (m *Member) CaughtUp() bool { return m.next > m.room.target.Load() && len(m.holes) == 0 }

// Finish is the end of the check for a member that is still there: it must have caught up. Gaps after what it must have
// seen are nobody's loss.
func (m *Member) Finish() {
	if !m.live {
		return
	}
	target := m.room.target.Load()
	if m.next <= target {
		m.missing(m.next, target)
	}
	for len(m.holes) > 0 && m.holes[0].first <= target {
		m.Lost()
	}
	m.Leave()
}

// Leave ends the membership: what was seen last is compared, what is missing is not asked for.
func (m *Member) Leave() {
	if m.live {
		m.room.publish(blockOf(m.next), &m.open)
	}
	m.live = false
	m.open.known = 0
	m.holes = m.holes[:0]
	m.room.leave(m.seat)
}

func (m *Member) missing(first, last uint64) {
	m.room.group.Faults.reportMany(Missing, last-first+1, "room %d, connection %d: room_seq %d … %d did not come",
		m.room.id, m.conn, first, last)
}

func (m *Member) gapOpen(h hole, why string) {
	m.room.group.Faults.reportMany(GapOpen, h.last-h.first+1, "room %d, connection %d: room_seq %d … %d were skipped, %s",
		m.room.id, m.conn, h.first, h.last, why)
}

func (m *Member) report(kind FaultKind, format string, args ...any) {
	m.room.group.Faults.report(kind, "room %d, connection %d: "+format, append([]any{m.room.id, m.conn}, args...)...)
}
