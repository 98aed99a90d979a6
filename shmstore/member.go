package shmstore

import (
	"math/bits"
	"sync/atomic"
)

// A room's members are a bitmap over session rows. The bit is the truth; the room's
// counts follow from it, and are counted anew when a holder of the room's lock died.

// JoinResult is what a new member needs to know.
type JoinResult struct {
	LastSeq uint64 // replay goes up to this room_seq; of one who is in already: the newest that this slot has drained
	Members uint32
	FromPos uint64 // deliver only events at or after this position
	News    uint64 // and only those joins and leaves that are told under a higher number
	Already bool   // it was a member; nothing has changed
}

// Join makes the session a member. The user's first session is told to the other
// members in small rooms. Errors: ErrNoRoom, ErrFenced, ErrBusy.
func (st *Store) Join(s Session, room uint32) (result JoinResult, err error) {
	if !st.seg.roomExists(room) {
		return JoinResult{}, ErrNoRoom
	}
	if !st.sessionCurrent(s) {
		return JoinResult{}, ErrFenced
	}
	if err := st.lockRoom(room); err != nil {
		return JoinResult{}, err
	}
	err = ErrFenced
	if st.sessionCurrent(s) { // a slot that has taken the session over waits for this lock
		result, err = st.joinLocked(s, room), nil
	}
	st.release(placeFirst, &st.seg.rooms[room].lock)
	return result, err
}

func (st *Store) joinLocked(s Session, room uint32) JoinResult {
	row, r := &st.seg.rooms[room], st.seg.roomRing(room)
	if st.seg.isMember(room, s.Row) {
		end := r.state()
		told := st.seg.cursor(st.index, room).seq.Load()
		return JoinResult{LastSeq: told, Members: row.memberCount.Load(), FromPos: end.tail, News: row.news, Already: true}
	}
	news := st.isNews(room, s.User, row.memberCount.Load()+1)
	if row.bySlot[st.index].Load() == 0 {
		st.moveCursor(room, r.state())
	}
	st.setMember(room, s.Row, true)
	row.bySlot[st.index].Add(1)
	members := row.memberCount.Add(1)
	if news {
		st.tellMembers(room, MailJoined, s.User)
	}
	end := r.state()
	return JoinResult{LastSeq: end.lastSeq, Members: members, FromPos: end.tail, News: row.news}
}

// isNews tells whether a joining or leaving of user makes an event, in a room that counts
// members with the one and without the other: a small room that user is in through no
// other session. The session in question has no bit in the bitmap yet, or any more.
func (st *Store) isNews(room, user, members uint32) bool {
	return members <= announcedRoomEventMembersMax && !st.seg.hasSession(room, user)
}

// tellMembers puts a join or a leave into the mailbox of every slot with members. It is news, not history: it takes no room from the
// room's messages, and a mailbox that is half full loses it. The caller holds the room's lock, so that all slots are told in one order.
func (st *Store) tellMembers(room uint32, kind EventKind, user uint32) {
	row := &st.seg.rooms[room]
	row.news++
	e := entryHeader{kind: kind, seq: row.news, target: room, user: user, timeNs: st.nowNs}
	for slot := range st.seg.slots {
		if row.bySlot[slot].Load() != 0 {
			_ = st.putMailAt(placeSecond, slot, uint64(st.seg.shape.MailboxBytes)/2, e, nil)
		}
	}
}

// Leave ends a membership. Errors: ErrNoRoom, ErrNotMember, ErrBusy.
func (st *Store) Leave(s Session, room uint32) error {
	if !st.seg.roomExists(room) {
		return ErrNoRoom
	}
	if !st.seg.isMember(room, s.Row) || !st.sessionCurrent(s) {
		return ErrNotMember
	}
	return st.leaveRow(room, s.Row, s.Epoch)
}

// leaveAllRooms ends every membership of a session row.
func (st *Store) leaveAllRooms(r uint32) error {
	for room := uint32(1); room <= st.seg.RoomCount(); room++ {
		if st.seg.isMember(room, r) {
			if err := st.leaveRow(room, r, st.seg.sessions[r].epoch.Load()); err != nil {
				return err
			}
		}
	}
	return nil
}

// leaveRow ends the membership of a row, unless the row has changed hands since it had this epoch: ErrFenced.
func (st *Store) leaveRow(room, r, epoch uint32) error {
	if err := st.lockRoom(room); err != nil {
		return err
	}
	current := st.seg.sessions[r].epoch.Load() == epoch
	if current {
		st.leaveLocked(room, r)
	}
	st.release(placeFirst, &st.seg.rooms[room].lock)
	if !current {
		return ErrFenced
	}
	return nil
}

func (st *Store) leaveLocked(room, r uint32) {
	if !st.seg.isMember(room, r) {
		return
	}
	user := st.seg.sessions[r].user
	st.setMember(room, r, false)
	st.seg.recountMembers(room)
	members := st.seg.rooms[room].memberCount.Load()
	if st.isNews(room, user, members) {
		st.tellMembers(room, MailLeft, user)
	}
}

// IsMember tells whether the session is in the room.
func (st *Store) IsMember(s Session, room uint32) bool {
	return st.seg.roomExists(room) && st.seg.isMember(room, s.Row) && st.sessionCurrent(s)
}

func (seg *Segment) isMember(room, r uint32) bool {
	return atomic.LoadUint64(&seg.memberWords(room)[r/64])>>(r%64)&1 == 1
}

func (st *Store) setMember(room, r uint32, member bool) {
	word := &st.seg.memberWords(room)[r/64]
	if member {
		atomic.OrUint64(word, 1<<(r%64))
	} else {
		atomic.AndUint64(word, ^(uint64(1) << (r % 64)))
	}
}

func (seg *Segment) memberWords(room uint32) []uint64 {
	n := seg.shape.memberWords()
	return seg.members[uint64(room)*n : (uint64(room)+1)*n]
}

// eachMember visits the session rows of a room's members until visit returns false. It
// passes over bits that no row belongs to.
func (seg *Segment) eachMember(room uint32, visit func(row uint32) bool) {
	words := seg.memberWords(room)
	for w := range words {
		for word := atomic.LoadUint64(&words[w]); word != 0; word &= word - 1 {
			row := uint32(w*64 + bits.TrailingZeros64(word))
			if int(row) < len(seg.sessions) && !visit(row) {
				return
			}
		}
	}
}

// hasSession tells whether user is in the room through any session.
func (seg *Segment) hasSession(room, user uint32) (found bool) {
	seg.eachMember(room, func(r uint32) bool {
		found = seg.sessions[r].user == user
		return !found
	})
	return found
}

// Members appends the users above after who are in the room, in ascending order and
// each once, until dst is full.
func (st *Store) Members(room, after uint32, dst []uint32) []uint32 {
	if !st.seg.roomExists(room) {
		return dst
	}
	clear(st.online)
	st.seg.eachMember(room, func(r uint32) bool {
		st.markOnline(atomic.LoadUint32(&st.seg.sessionUsers[r]) &^ sessionDetachedBit)
		return true
	})
	return st.listMarked(after, dst)
}

// countMembers counts the members in a room's bitmap, and for each slot those that it serves.
func (seg *Segment) countMembers(room uint32) (total uint32, bySlot [slotsMax]uint32) {
	seg.eachMember(room, func(r uint32) bool {
		total++
		if slot := seg.sessions[r].seat(); slot >= 0 {
			bySlot[slot]++
		}
		return true
	})
	return total, bySlot
}

// recountMembers sets a room's counts from its bitmap. The caller holds the room's
// lock or repairs its holder.
func (seg *Segment) recountMembers(room uint32) {
	total, bySlot := seg.countMembers(room)
	row := &seg.rooms[room]
	for i := range bySlot {
		row.bySlot[i].Store(bySlot[i])
	}
	row.memberCount.Store(total)
}
