package shmstore

import (
	"fmt"
	"sync/atomic"
)

// A mailbox carries what concerns the sessions of one user at a slot: direct messages, and the
// fences that tell a connection that its session was taken over, or ended with the user's keys;
// and who came to the slot's rooms or left them.

// Mail is one entry of a slot's mailbox. Message is valid only until the function
// that it was handed to returns.
type Mail struct {
	Kind       EventKind // MailDirect, MailFence, MailRevoked, MailJoined or MailLeft
	SessionRow uint32
	SessionID  uint64
	Room       uint32 // MailJoined, MailLeft: FromUser came or went
	News       uint64 // MailJoined, MailLeft: its number; compare with JoinResult.News
	FromUser   uint32
	Epoch      uint32 // MailFence, MailRevoked: connections of the session with an older one are to go
	TimeNs     uint64
	Message    []byte
}

// Direct sends a message to every live session of a user, and returns how many it reached; 0 if the user is offline. It missed
// those whose slot's mailbox was full or locked. Errors: ErrMessageLength, ErrNoUser; ErrBusy if it only missed.
func (st *Store) Direct(from, to uint32, message []byte) (reached, missed int, timeNs uint64, err error) {
	if len(message) == 0 || len(message) > int(st.seg.shape.MessageBytesMax) {
		return 0, 0, 0, ErrMessageLength
	}
	if !st.seg.userExists(to) {
		return 0, 0, 0, ErrNoUser
	}
	var there [slotsMax]struct{ sessions, row uint32 }
	for r := range st.seg.sessionUsers {
		if atomic.LoadUint32(&st.seg.sessionUsers[r]) != to {
			continue
		}
		if slot := st.seg.sessions[r].slot(); slot >= 0 && slot < len(st.seg.slots) {
			there[slot].sessions++
			there[slot].row = uint32(r)
		}
	}
	for slot := range there {
		var posted bool
		var postErr error
		switch n := there[slot].sessions; n {
		case 0:
			continue
		case 1:
			posted, postErr = st.mailSession(there[slot].row, from, to, message)
		default:
			postErr = st.mailUser(slot, from, to, message)
			posted = postErr == nil
		}
		if postErr != nil {
			missed, err = missed+int(there[slot].sessions), postErr
		} else if posted {
			reached += int(there[slot].sessions)
		}
	}
	if reached > 0 {
		err = nil
	}
	return reached, missed, st.nowNs, err
}

// mailUser puts one entry into a slot's mailbox that is for all sessions of a user there: however many they are, they take the
// room of one.
func (st *Store) mailUser(slot int, from, to uint32, message []byte) error {
	return st.putMail(slot, entryHeader{
		timeNs: st.nowNs, user: from, target: to, length: uint32(len(message)), kind: mailUser,
	}, message)
}

// mailSession puts a direct message to a user into the mailbox of the slot that owns row
// r. A row is the user's from before its packed user is set until after it is cleared:
// as long as it is found set after the id was read, that id is no other user's.
func (st *Store) mailSession(r, from, to uint32, message []byte) (posted bool, err error) {
	row := &st.seg.sessions[r]
	e := entryHeader{
		seq: row.id.Load(), timeNs: st.nowNs, user: from, target: r,
		length: uint32(len(message)), kind: MailDirect,
	}
	slot := row.slot()
	if slot < 0 || slot >= len(st.seg.slots) || atomic.LoadUint32(&st.seg.sessionUsers[r]) != to {
		return false, nil // the session has ended
	}
	err = st.putMail(slot, e, message)
	return err == nil, err
}

// putMail appends an entry to a slot's mailbox and wakes the slot. The owner of a full
// one is told too: it may have a new process that does not know what it was left.
func (st *Store) putMail(slot int, e entryHeader, message []byte) error {
	return st.putMailAt(placeFirst, slot, uint64(st.seg.shape.MailboxBytes), e, message)
}

// putMailAt is putMail with the lock announced at place, into a mailbox that counts as full with so many bytes.
func (st *Store) putMailAt(place announcement, slot int, bytesMax uint64, e entryHeader, message []byte) error {
	box := &st.seg.mailboxes[slot]
	if err := st.acquire(place, mailboxLock(slot), &box.lock); err != nil {
		return err
	}
	r := st.seg.mailRing(slot)
	full := r.endOf(len(message))-box.cursor.Load() > bytesMax
	if !full {
		r.append(e, 0, message)
	}
	unlock(&box.lock)
	st.announceMail(slot)
	st.retract(place)
	if full {
		st.metrics.Add(CounterMailboxFull, 1)
		return fmt.Errorf("mailbox of slot %d is full: %w", slot, ErrBusy)
	}
	return nil
}

// announceMail tells a slot that its mailbox has something. The caller still
// announces the mailbox's lock: if it dies on the way, RepairSlot tells the slot.
func (st *Store) announceMail(slot int) {
	st.seg.slots[slot].mailDirty.Store(1)
	st.wakeSlot(slot)
}

func (seg *Segment) mailRing(slot int) ring {
	size := uint64(seg.shape.MailboxBytes)
	return ring{head: &seg.mailboxes[slot].ring, data: seg.mailRings[uint64(slot)*size : (uint64(slot)+1)*size]}
}

// DrainMail visits everything in this slot's mailbox.
func (st *Store) DrainMail(visit func(Mail)) {
	r, box := st.seg.mailRing(st.index), &st.seg.mailboxes[st.index]
	end := r.state().tail
	pos := r.resume(box.cursor.Load(), end)
	box.cursor.Store(pos)
	for pos < end {
		e, payload, next, _ := r.read(pos, st.scratch)
		switch e.kind {
		case entryFiller:
		case mailUser:
			st.eachSessionHere(e.target, func(row uint32, id uint64) {
				visit(Mail{Kind: MailDirect, SessionRow: row, SessionID: id, FromUser: e.user, TimeNs: e.timeNs, Message: payload})
			})
		default:
			visit(mailOf(&e, payload))
		}
		pos = next
		box.cursor.Store(pos)
	}
}

// eachSessionHere visits the live sessions of a user that this slot has.
func (st *Store) eachSessionHere(user uint32, visit func(row uint32, id uint64)) {
	for r := range st.seg.sessionUsers {
		if atomic.LoadUint32(&st.seg.sessionUsers[r]) == user && st.seg.sessions[r].slot() == st.index {
			visit(uint32(r), st.seg.sessions[r].id.Load())
		}
	}
}

func mailOf(e *entryHeader, payload []byte) Mail {
	m := Mail{Kind: e.kind, TimeNs: e.timeNs, Message: payload}
	switch e.kind {
	case MailJoined, MailLeft:
		m.Room, m.News, m.FromUser = e.target, e.seq, e.user
	case MailFence, MailRevoked:
		m.SessionRow, m.SessionID, m.Epoch = e.target, e.seq, e.user
	default:
		m.SessionRow, m.SessionID, m.FromUser = e.target, e.seq, e.user
	}
	return m
}
