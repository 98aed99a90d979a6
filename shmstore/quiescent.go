package shmstore

import "sync/atomic"

// VerifyQuiescent checks a segment that no process is changing: besides the ledger,
// that no lock is held, nothing is pending, rows that nobody owns are empty, every
// room's counts are its bitmap's, and the rings lead from their oldest entry to the tail.
func (seg *Segment) VerifyQuiescent() *VerifyReport {
	if err := seg.checkCounts(); err != nil {
		r := &VerifyReport{Head: seg.Head()}
		r.problem("%v", err)
		return r
	}
	b := newBooks(seg.UserCount())
	seg.copyBooks(b)
	r := seg.verifyBooks(b)
	if c := seg.control; c.supply != b.supply {
		r.problem("the next record would follow supply %d, not %d", c.supply, b.supply)
	}
	seg.verifyLocks(r)
	for i := range seg.slots {
		if seq := seg.slots[i].pendingSeq; seq != 0 {
			r.problem("slot %d has record %d pending", i, seq)
		}
	}
	seg.verifySessions(r)
	for room := uint32(1); room <= seg.RoomCount(); room++ {
		seg.verifyMembers(r, room)
		seg.verifyRoomRing(r, room)
	}
	for slot := range seg.mailboxes {
		seg.verifyMailbox(r, slot)
	}
	return r
}

func (seg *Segment) verifyLocks(r *VerifyReport) {
	check := func(ref lockRef) {
		if word := atomic.LoadUint32(seg.lockWord(ref)); word != 0 {
			r.problem("lock %x is held by slot %d (%08x)", uint64(ref), ownerSlot(word), word)
		}
	}
	check(lockRegistry)
	check(lockGlobal)
	check(lockLog)
	for user := range seg.accounts {
		check(accountLock(uint32(user)))
	}
	for room := range seg.rooms {
		check(roomLock(uint32(room)))
	}
	for slot := range seg.mailboxes {
		check(mailboxLock(slot))
	}
}

func (seg *Segment) verifySessions(r *VerifyReport) {
	for i := range seg.sessions {
		row, user := &seg.sessions[i], atomic.LoadUint32(&seg.sessionUsers[i])
		owner, id := row.owner.Load(), row.id.Load()
		switch {
		case owner == 0 && (id != 0 || user != 0):
			r.problem("session row %d is free and has id %d, user %d", i, id, user)
		case owner != 0 && owner != sessionDetachedWord && (stateOf(owner) != sessionLive || row.slot() < 0 || row.slot() >= len(seg.slots)):
			r.problem("session row %d has owner %08x", i, owner)
		case user&^sessionDetachedBit > r.Users || (user&sessionDetachedBit != 0) != (owner == sessionDetachedWord):
			r.problem("session row %d has user %d of %d", i, user, r.Users)
		}
	}
}

func (seg *Segment) verifyMembers(r *VerifyReport, room uint32) {
	row, words := &seg.rooms[room], seg.memberWords(room)
	if used := seg.shape.SessionsMax % 64; used != 0 && words[len(words)-1]>>used != 0 {
		r.problem("room %d has members beyond the sessions", room)
	}
	seg.eachMember(room, func(s uint32) bool {
		if seg.sessions[s].owner.Load() == 0 {
			r.problem("room %d has member %d, which is free", room, s)
		}
		return true
	})
	total, bySlot := seg.countMembers(room)
	if n := row.memberCount.Load(); n != total {
		r.problem("room %d counts %d members, its bitmap %d", room, n, total)
	}
	for i := range bySlot {
		if n := row.bySlot[i].Load(); n != bySlot[i] {
			r.problem("room %d counts %d members of slot %d, its bitmap %d", room, n, i, bySlot[i])
		}
	}
}

// verifyRoomRing checks the ring and, at its end, the cursors of slots with members.
// One before the oldest entry is no damage: its slot stood still and will tell a gap.
func (seg *Segment) verifyRoomRing(r *VerifyReport, room uint32) {
	ring := seg.roomRing(room)
	if !ring.whole() {
		r.problem("room %d: its ring is damaged", room)
	}
	tail := ring.state().tail
	for i := range seg.slots {
		pos := seg.cursor(i, room).pos.Load()
		if seg.rooms[room].bySlot[i].Load() != 0 && (pos > tail || pos%entryBytes != 0) {
			r.problem("room %d: slot %d has drained up to %d of %d", room, i, pos, tail)
		}
	}
}

func (seg *Segment) verifyMailbox(r *VerifyReport, slot int) {
	ring, pos := seg.mailRing(slot), seg.mailboxes[slot].cursor.Load()
	if !ring.whole() {
		r.problem("mailbox of slot %d: its ring is damaged", slot)
	}
	if tail := ring.state().tail; pos < ring.head.firstPos.Load() || pos > tail || pos%entryBytes != 0 {
		r.problem("mailbox of slot %d: drained up to %d of %d", slot, pos, tail)
	}
}
