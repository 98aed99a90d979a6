package shmstore

import (
	"fmt"
	"sync/atomic"
	"time"
)

// A session outlives its connection. It is detached when that ends, or when its worker dies, and any slot can
// attach it to a new one. Which messages its rooms had meanwhile is told by time: a room's times never decrease, and
// detaching makes them pass now (detachRooms), so that what was delivered lies before sinceNs and what was
// not lies at or after it.

// Resumed is a session that this slot has taken over.
type Resumed struct {
	Session
	Former int // the slot whose connection had it; -1: none
	Rooms  []ResumedRoom
}

// ResumedRoom is a room that the session is in.
type ResumedRoom struct {
	Room     uint32
	FromPos  uint64 // deliver only events at or after this position
	News     uint64 // and only those joins and leaves that are told under a higher number
	GapFirst uint64 // room_seqs of the messages that no connection of the session was sent; 0: none
	GapLast  uint64
}

// ResumeSession takes over a session of user. What its old connection had in flight is committed or will be refused
// (ErrFenced), and its slot is told to end it. After a restart from disk a session that the segment does not know is made
// again from the log. Errors: ErrNoSession; ErrBusy if another process is just doing something with it.
func (st *Store) ResumeSession(user uint32, id uint64) (Resumed, error) {
	r, found := st.seg.findSession(user, id)
	if !found {
		return st.recreateSession(user, id)
	}
	row := &st.seg.sessions[r]
	word := row.owner.Load()
	switch state := stateOf(word); {
	case state == sessionEnding && row.id.Load() == id: // whoever ends it, it is over
		return Resumed{}, ErrNoSession
	case state != sessionLive && state != sessionDetached || row.id.Load() != id:
		return Resumed{}, fmt.Errorf("session %d changes hands: %w", id, ErrBusy)
	}
	if !st.beginWay(r, word, sessionDetaching) {
		return Resumed{}, fmt.Errorf("session %d changes hands: %w", id, ErrBusy)
	}
	resumed, err := st.takeOver(r, slotOf(word))
	if err != nil {
		st.goOn(r) // it stays detached
		return Resumed{}, err
	}
	st.metrics.Add(CounterSessionsResumed, 1)
	return resumed, nil
}

// takeOver brings a row that this slot has on the way from detaching to live.
func (st *Store) takeOver(r uint32, former int) (Resumed, error) {
	row := &st.seg.sessions[r]
	if err := st.waitOutAccount(row.user); err != nil {
		return Resumed{}, err
	}
	if err := st.waitOutRoom(former); err != nil {
		return Resumed{}, err
	}
	if err := st.detachRooms(r); err != nil {
		return Resumed{}, err
	}
	row.owner.Store(sessionAttaching.owned(st.index))
	rooms, err := st.attachRooms(r)
	if err != nil {
		row.owner.Store(sessionDetaching.onWay(st.index, st.index))
		return Resumed{}, err
	}
	s := Session{ID: row.id.Load(), User: row.user, Row: r, Epoch: row.epoch.Load()}
	row.sinceNs = 0
	row.expiresNs.Store(0)
	atomic.StoreUint32(&st.seg.sessionUsers[r], row.user)
	row.owner.Store(sessionLive.owned(st.index))
	if former >= 0 && former != st.index {
		// A full mailbox is no harm: whatever the old connection asks for is refused, and ends it too.
		_ = st.putMail(former, entryHeader{kind: MailFence, seq: s.ID, target: r, user: s.Epoch, timeNs: st.nowNs}, nil)
	}
	return Resumed{Session: s, Former: former, Rooms: rooms}, nil
}

// findSession finds a user's session that has or had a connection.
func (seg *Segment) findSession(user uint32, id uint64) (row uint32, found bool) {
	for r := range seg.sessionUsers {
		if atomic.LoadUint32(&seg.sessionUsers[r])&^sessionDetachedBit == user && seg.sessions[r].id.Load() == id {
			return uint32(r), user != 0 && id != 0
		}
	}
	return 0, false
}

// waitOutRoom waits until a slot has left the room's lock that it is in. It looked at the session's epoch after
// it had announced that lock: if it saw the old one, it is still announced here.
func (st *Store) waitOutRoom(slot int) error {
	if slot < 0 || slot == st.index {
		return nil
	}
	ref := lockRef(atomic.LoadUint64((*uint64)(&st.seg.slots[slot].announced[placeFirst])))
	if ref.kind() != lockRoom || !st.seg.roomExists(ref.index()) {
		return nil
	}
	if err := st.lockRoom(ref.index()); err != nil {
		return err
	}
	st.release(placeFirst, &st.seg.rooms[ref.index()].lock)
	return nil
}

// detachRooms takes a row that is on a way out of the counts of the slot that served it, and finds the time from which
// on messages were not delivered. It may be done again: the earliest time stays.
func (st *Store) detachRooms(r uint32) error {
	row := &st.seg.sessions[r]
	former := formerOf(row.owner.Load())
	if former < 0 {
		return nil
	}
	since := row.sinceNs
	for room := uint32(1); room <= st.seg.RoomCount(); room++ {
		if !st.seg.isMember(room, r) {
			continue
		}
		if err := st.lockRoom(room); err != nil {
			return err
		}
		at := st.undeliveredFrom(room, former)
		st.seg.recountMembers(room)
		st.release(placeFirst, &st.seg.rooms[room].lock)
		if since == 0 || at < since {
			since = at
		}
	}
	row.sinceNs = since
	row.owner.Store(sessionDetaching.owned(st.index))
	return nil
}

// undeliveredFrom is the time of the first message that a slot has not drained, or of any that will come. The caller holds
// the room's lock.
func (st *Store) undeliveredFrom(room uint32, slot int) uint64 {
	r, c := st.seg.roomRing(room), st.seg.cursor(slot, room)
	end := r.state()
	if seq := c.seq.Load(); seq < end.lastSeq {
		if first, found := st.firstMessage(r, end.tail, func(e *entryHeader) bool { return e.seq > seq }); found {
			return first.timeNs
		}
	}
	since := max(st.nowNs, end.lastTimeNs+1)
	end.lastTimeNs = since
	r.publish(end)
	return since
}

// firstMessage is the oldest message in a ring that is wanted.
func (st *Store) firstMessage(r ring, tail uint64, wanted func(*entryHeader) bool) (e entryHeader, found bool) {
	for pos := r.resume(0, tail); pos < tail; {
		e, _, next, ok := r.read(pos, nil)
		if ok && e.kind == EventMessage && wanted(&e) {
			return e, true
		}
		pos = next
	}
	return e, false
}

// attachRooms makes this slot serve the row's rooms.
func (st *Store) attachRooms(r uint32) (rooms []ResumedRoom, err error) {
	since := st.seg.sessions[r].sinceNs
	for room := uint32(1); room <= st.seg.RoomCount(); room++ {
		if !st.seg.isMember(room, r) {
			continue
		}
		if err := st.lockRoom(room); err != nil {
			return nil, err
		}
		rooms = append(rooms, st.attachRoom(room, since))
		st.release(placeFirst, &st.seg.rooms[room].lock)
	}
	return rooms, nil
}

// attachRoom counts the room's members anew, the attaching row as this slot's, and finds what it has missed.
func (st *Store) attachRoom(room uint32, since uint64) ResumedRoom {
	ring := st.seg.roomRing(room)
	end := ring.state()
	if st.seg.rooms[room].bySlot[st.index].Load() == 0 {
		st.moveCursor(room, end)
	}
	st.seg.recountMembers(room)
	at := ResumedRoom{Room: room, FromPos: end.tail, News: st.seg.rooms[room].news}
	if first, found := st.firstMessage(ring, end.tail, func(e *entryHeader) bool { return e.timeNs >= since }); found && since != 0 {
		at.GapFirst, at.GapLast = first.seq, end.lastSeq
	}
	return at
}

// recreateSession makes a session anew that is older than the segment: the log knows whether it had anything applied.
// The user's account lock keeps two slots from making it twice.
func (st *Store) recreateSession(user uint32, id uint64) (Resumed, error) {
	boot := st.seg.control.bootHead
	age := time.Duration(st.clock() - st.seg.control.madeNs)
	if !st.seg.userExists(user) || boot == 0 || id == 0 || sessionEpoch(id) >= st.seg.control.sessionEpoch ||
		st.seg.sessionStart(id) > boot || age > st.sessionTTL {
		return Resumed{}, ErrNoSession
	}
	if err := st.lockAccounts(user, 0); err != nil {
		return Resumed{}, err
	}
	defer st.unlockAccounts(user, 0)
	if _, found := st.seg.findSession(user, id); found {
		return Resumed{}, fmt.Errorf("session %d changes hands: %w", id, ErrBusy)
	}
	if st.seg.accounts[user].settled != 0 { // somebody was told what it had not had applied
		return Resumed{}, ErrNoSession
	}
	last, known := st.lastReqIDInLog(user, id)
	if !known {
		return Resumed{}, ErrNoSession
	}
	r, ok := st.findFreeRow()
	if !ok {
		return Resumed{}, fmt.Errorf("%w: %d sessions", ErrTableFull, st.seg.shape.SessionsMax)
	}
	st.metrics.Add(CounterSessionsResumed, 1)
	return Resumed{Session: st.fillSession(r, user, id, last), Former: -1}, nil
}
