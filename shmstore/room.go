package shmstore

import (
	"fmt"

	"tradechat.internal/ledger"
)

// RoomInfo is a look at a room.
type RoomInfo struct {
	ID      uint32
	Members uint32 // sessions
	LastSeq uint64 // room_seq of its newest message
	Name    []byte // in shared memory; never changes
}

// OpenRoom finds a room by name or creates it. Errors: ErrName, ErrTableFull, ErrBusy.
func (st *Store) OpenRoom(name []byte) (room uint32, created bool, err error) {
	if !ledger.ValidName(name) {
		return 0, false, ErrName
	}
	if room := st.seg.findRoom(name); room != 0 {
		return room, false, nil
	}
	if err := st.lockRegistry(); err != nil {
		return 0, false, err
	}
	room, created, err = st.openRoomLocked(name)
	st.unlockRegistry()
	return room, created, err
}

func (st *Store) openRoomLocked(name []byte) (room uint32, created bool, err error) {
	if room := st.seg.findRoom(name); room != 0 {
		return room, false, nil
	}
	room = st.seg.RoomCount() + 1
	if room > st.seg.shape.RoomsMax {
		return 0, false, fmt.Errorf("%w: %d rooms", ErrTableFull, st.seg.shape.RoomsMax)
	}
	if err := st.commitName(ledger.KindRoomCreate, room, ledger.PadName(name), ledger.Keys{}); err != nil {
		return 0, false, err
	}
	return room, true, nil
}

// applyRoom sets a room's row. The count is raised last: it makes the room exist.
func (seg *Segment) applyRoom(rec *ledger.NameRecord) {
	row := &seg.rooms[rec.Subject]
	row.name = rec.Name
	row.seq = rec.Seq
	if seg.control.roomCount.Load() < rec.Subject {
		seg.control.roomCount.Store(rec.Subject)
	}
}

// findRoom compares every room's name; 0 if there is none. Rooms are few.
func (seg *Segment) findRoom(name []byte) uint32 {
	for room := uint32(1); room <= seg.RoomCount(); room++ {
		if string(seg.rooms[room].name.Text()) == string(name) {
			return room
		}
	}
	return 0
}

// RoomCount is the number of rooms; their ids are 1 … RoomCount. It stays in the table
// even if the segment is damaged.
func (seg *Segment) RoomCount() uint32 {
	return min(seg.control.roomCount.Load(), seg.shape.RoomsMax)
}

func (seg *Segment) roomExists(room uint32) bool { return room != 0 && room <= seg.RoomCount() }

// Room looks at a room; false if it does not exist.
func (seg *Segment) Room(room uint32) (RoomInfo, bool) {
	if !seg.roomExists(room) {
		return RoomInfo{}, false
	}
	row := &seg.rooms[room]
	return RoomInfo{
		ID: room, Members: row.memberCount.Load(),
		LastSeq: seg.roomRing(room).state().lastSeq, Name: row.name.Text(),
	}, true
}

func (seg *Segment) roomRing(room uint32) ring {
	size := uint64(seg.shape.RoomRingBytes)
	return ring{head: &seg.rooms[room].ring, data: seg.roomRings[uint64(room)*size : (uint64(room)+1)*size]}
}

// Event is something that happened in a room. Message is valid only until the
// function that it was handed to returns.
type Event struct {
	Pos     uint64 // in the room's ring; compare with JoinResult.FromPos
	First   uint64 // EventGap: room_seq of the first lost message; Seq is the last one's
	Seq     uint64 // room_seq of the message
	TimeNs  uint64
	Kind    EventKind // EventMessage or EventGap
	User    uint32
	Message []byte
}

// Send appends a message to a room that the session is a member of, and tells every
// slot with members to drain it. Errors: ErrMessageLength, ErrNoRoom, ErrNotMember,
// ErrOwnBacklog, ErrBusy.
func (st *Store) Send(s Session, room uint32, message []byte) (seq, timeNs uint64, err error) {
	if len(message) == 0 || len(message) > int(st.seg.shape.MessageBytesMax) {
		return 0, 0, ErrMessageLength
	}
	if !st.seg.roomExists(room) {
		return 0, 0, ErrNoRoom
	}
	if !st.seg.isMember(room, s.Row) || !st.sessionCurrent(s) {
		return 0, 0, ErrNotMember
	}
	if err := st.lockRoom(room); err != nil {
		return 0, 0, err
	}
	seq, timeNs, err = st.appendRoom(room, s.User, message)
	unlock(&st.seg.rooms[room].lock)
	if err == nil {
		st.announceRoom(room)
	}
	st.retract(placeFirst)
	return seq, timeNs, err
}

// appendRoom writes a message into a room's ring. The caller holds the room's lock. A room's times never decrease.
func (st *Store) appendRoom(room, user uint32, message []byte) (seq, timeNs uint64, err error) {
	r := st.seg.roomRing(room)
	end := r.endOf(len(message))
	if err := st.checkReaders(room, end-min(end, uint64(len(r.data)))); err != nil {
		return 0, 0, err
	}
	before := r.state()
	seq, timeNs = before.lastSeq+1, max(st.nowNs, before.lastTimeNs)
	r.append(entryHeader{seq: seq, timeNs: timeNs, user: user, kind: EventMessage, length: uint32(len(message))}, seq, message)
	return seq, timeNs, nil
}

// checkReaders sees to it that no slot that is alive still has to drain what lies
// before oldest. A slot whose heart has stopped is not waited for: its members will
// be told of the gap.
func (st *Store) checkReaders(room uint32, oldest uint64) error {
	row := &st.seg.rooms[room]
	for i := range st.seg.slots {
		if row.bySlot[i].Load() == 0 || st.seg.cursor(i, room).pos.Load() >= oldest {
			continue
		}
		if i == st.index {
			return ErrOwnBacklog
		}
		if st.seg.heartAge(i) < ReaderStallMax {
			st.metrics.Add(CounterRoomBacklogs, 1)
			return fmt.Errorf("room %d: slot %d has not caught up: %w", room, i, ErrBusy)
		}
	}
	return nil
}

func (seg *Segment) cursor(slot int, room uint32) *cursor {
	return &seg.cursors[uint64(slot)*(uint64(seg.shape.RoomsMax)+1)+uint64(room)]
}

// RoomHistory visits up to limit messages with a room_seq below before (0: the
// newest), oldest first, as far as the ring holds them. What is overwritten before its
// turn comes is left out; for the newest it then looks again, so that the last visited
// is never older than the newest at the call. Errors: ErrNoRoom.
func (st *Store) RoomHistory(room uint32, before uint64, limit int, visit func(Event)) error {
	if !st.seg.roomExists(room) {
		return ErrNoRoom
	}
	r, pos, next, left := st.seg.roomRing(room), uint64(0), uint64(1), uint64(limit)
	for range historyPassesMax {
		oldest, end := r.head.firstPos.Load(), r.state()
		top := end.lastSeq + 1
		if before != 0 {
			top = min(top, before)
		}
		next = max(next, top-min(top, left))
		for pos < end.tail {
			pos = st.scan(r, pos, end.tail, func(e Event) {
				if e.Kind == EventMessage && e.Seq >= next && e.Seq < top {
					visit(e)
					next = e.Seq + 1
					left--
				}
			})
		}
		if top == before || next >= top || r.head.firstPos.Load() == oldest {
			break
		}
	}
	return nil
}

// scan visits the entries from pos, or the oldest after it, to end and returns the
// position it reached: end, or that of an entry that was overwritten meanwhile.
func (st *Store) scan(r ring, pos, end uint64, visit func(Event)) (reached uint64) {
	for pos = r.resume(pos, end); pos < end; {
		e, payload, next, ok := r.read(pos, st.scratch)
		if !ok {
			return pos
		}
		if e.kind != entryFiller {
			visit(Event{Pos: pos, Seq: e.seq, TimeNs: e.timeNs, Kind: e.kind, User: e.user, Message: payload})
		}
		pos = next
	}
	return end
}
