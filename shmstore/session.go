package shmstore

import (
	"fmt"
	"math/bits"
	"sync/atomic"
	"time"
)

// Session is a connection's right to act for a user. It is good as long as its row
// still has its id and epoch.
type Session struct {
	ID    uint64
	User  uint32
	Row   uint32
	Epoch uint32
}

// sessionState is the second byte of sessionRow.owner. The first has the owning slot + 1; the third, on a way, the slot + 1
// whose rooms still count the session.
//
//	free ──▶ opening ──▶ live ──▶ ending ──▶ free          LOGOUT; the end of a detached session's time
//	                      │▲  ╲
//	             detaching▼│   ╲ taken over while live
//	                detached──▶ detaching ──▶ attaching ──▶ live        a resume, by any slot
//
// Whoever makes the first compare-and-swap of such a way goes it to its end; if its process dies, the repair does.
// Rooms count a session for a slot (seat) only while it is attaching or live there: a recount under the
// room's lock is right whatever way the session is on.
type sessionState uint32

const (
	sessionOpening sessionState = iota + 1 // being filled in; nobody knows of it yet
	sessionLive
	sessionDetaching
	sessionDetached // no slot in the low byte
	sessionAttaching
	sessionEnding
)

// sessionDetachedBit is set in the packed user of a session without a connection: it is no way to reach the user.
const sessionDetachedBit uint32 = 1 << 31

func (s sessionState) owned(slot int) uint32 { return uint32(s)<<8 | uint32(slot+1) }

// onWay is the owner word of a row that slot has on a way and former served before; -1: none did.
func (s sessionState) onWay(slot, former int) uint32 { return s.owned(slot) | uint32(former+1)<<16 }

// sessionDetachedWord is the owner word of a session that waits for being resumed.
const sessionDetachedWord = uint32(sessionDetached) << 8

// ownedBy tells whether an owner word names slot.
func ownedBy(word uint32, slot int) bool { return word&0xff == uint32(slot+1) }

// stateOf is the state in an owner word.
func stateOf(word uint32) sessionState { return sessionState(word >> 8 & 0xff) }

// formerOf is the slot that served a row on a way before; -1: none, or none that can exist.
func formerOf(word uint32) int { return slotOf(word >> 16) }

// slot is the slot that owns a session row; -1 if none does, or none that can exist.
func (row *sessionRow) slot() int { return slotOf(row.owner.Load()) }

func slotOf(word uint32) int {
	if slot := int(word&0xff) - 1; slot < slotsMax {
		return slot
	}
	return -1
}

// seat is the slot for which rooms count the session; -1 if for none.
func (row *sessionRow) seat() int {
	word := row.owner.Load()
	if state := stateOf(word); state == sessionLive || state == sessionAttaching || state == sessionOpening {
		return slotOf(word)
	}
	return -1
}

// OpenSession creates a session of user, owned by this slot. If there is no room, the detached session whose time
// is over soonest is ended for it. Errors: ErrNoUser, ErrTableFull.
func (st *Store) OpenSession(user uint32) (Session, error) {
	if !st.seg.userExists(user) {
		return Session{}, ErrNoUser
	}
	id, err := st.seg.nextSessionID()
	if err != nil {
		return Session{}, err
	}
	r, err := st.claimSessionRow()
	if err != nil {
		return Session{}, err
	}
	return st.fillSession(r, user, id, 0), nil
}

// fillSession makes a claimed row a live session.
func (st *Store) fillSession(r, user uint32, id, lastReqID uint64) Session {
	row := &st.seg.sessions[r]
	s := Session{ID: id, User: user, Row: r, Epoch: row.epoch.Add(1)}
	row.user, row.lastReqID, row.sinceNs = user, lastReqID, 0
	row.refusedReqID, row.refusedPrint = 0, 0
	row.expiresNs.Store(0)
	row.id.Store(id)
	row.owner.Store(sessionLive.owned(st.index))
	atomic.StoreUint32(&st.seg.sessionUsers[r], user)
	return s
}

// claimSessionRow takes a free row, or frees one.
func (st *Store) claimSessionRow() (row uint32, err error) {
	for range evictionsMax {
		if r, ok := st.findFreeRow(); ok {
			return r, nil
		}
		if !st.evictDetached() {
			break
		}
	}
	return 0, fmt.Errorf("%w: %d sessions", ErrTableFull, st.seg.shape.SessionsMax)
}

// findFreeRow goes on where the last search ended.
func (st *Store) findFreeRow() (row uint32, ok bool) {
	n := uint32(len(st.seg.sessions))
	for range n {
		r := st.nextRow % n
		st.nextRow = r + 1
		owner := &st.seg.sessions[r].owner
		if owner.Load() == 0 && owner.CompareAndSwap(0, sessionOpening.owned(st.index)) {
			return r, true
		}
	}
	return 0, false
}

// evictDetached ends the detached session whose time is over soonest; false if there is none.
func (st *Store) evictDetached() bool {
	soonest, found := uint32(0), false
	for r := range st.seg.sessions {
		row := &st.seg.sessions[r]
		if row.owner.Load() != sessionDetachedWord {
			continue
		}
		if !found || row.expiresNs.Load() < st.seg.sessions[soonest].expiresNs.Load() {
			soonest, found = uint32(r), true
		}
	}
	if found && st.beginWay(soonest, sessionDetachedWord, sessionEnding) {
		st.metrics.Add(CounterSessionsEvicted, 1)
		st.goOn(soonest)
	}
	return found
}

// ExpireSessions ends the detached sessions whose time is over, and returns how many. The master calls it.
func (st *Store) ExpireSessions() (ended int) {
	now := st.clock()
	for r := range st.seg.sessions {
		row := &st.seg.sessions[r]
		if row.owner.Load() != sessionDetachedWord || now < row.expiresNs.Load() {
			continue
		}
		if st.beginWay(uint32(r), sessionDetachedWord, sessionEnding) {
			st.goOn(uint32(r))
			ended++
		}
	}
	return ended
}

// CloseSession ends a session: no request of it takes effect any more, and it leaves its rooms. What a busy
// lock holds up is finished by a later Beat. A session that is closed already, or was taken over, is left alone.
func (st *Store) CloseSession(s Session) { st.leaveSession(s, sessionEnding) }

// DetachSession lets go of a session whose connection has ended: it keeps its rooms, and can be resumed until
// the time that SetSessionTTL gives it is over. Otherwise like CloseSession.
func (st *Store) DetachSession(s Session) { st.leaveSession(s, sessionDetaching) }

func (st *Store) leaveSession(s Session, way sessionState) {
	if st.sessionCurrent(s) && st.beginWay(s.Row, sessionLive.owned(st.index), way) {
		st.goOn(s.Row)
	}
}

// beginWay takes a row that is in one state for the way to another: nobody else touches it until that is over. The epoch
// fences what is in flight.
func (st *Store) beginWay(r, from uint32, way sessionState) bool {
	row := &st.seg.sessions[r]
	if !row.owner.CompareAndSwap(from, way.onWay(st.index, slotOf(from))) {
		return false
	}
	row.epoch.Add(1)
	return true
}

// goOn queues a row that is on a way and does what can be done now.
func (st *Store) goOn(r uint32) {
	st.retiring = append(st.retiring, r)
	st.retireSessions()
}

// retireSessions tries once to bring each row on a way to its end. Those that a lock keeps busy go to the end of the
// queue; once LockWaitMax is spent the rest waits for the next call, so that the heart goes on beating.
func (st *Store) retireSessions() {
	if len(st.retiring) == 0 {
		return
	}
	deadline := time.Now().Add(LockWaitMax)
	for range len(st.retiring) {
		row := st.retiring[0]
		st.retiring = st.retiring[1:]
		if st.finishWay(row) == nil {
			continue
		}
		st.retiring = append(st.retiring, row)
		if time.Now().After(deadline) {
			return
		}
	}
}

// finishWay ends or detaches a row that this slot has on a way. ErrBusy: call again; every step may be done twice.
func (st *Store) finishWay(r uint32) error {
	row := &st.seg.sessions[r]
	if err := st.waitOutAccount(row.user); err != nil {
		return err
	}
	if word := row.owner.Load(); stateOf(word) == sessionEnding {
		if err := st.waitOutRoom(formerOf(word)); err != nil {
			return err
		}
		return st.endRow(r)
	}
	if err := st.detachRooms(r); err != nil {
		return err
	}
	row.expiresNs.Store(st.clock() + uint64(st.sessionTTL))
	atomic.StoreUint32(&st.seg.sessionUsers[r], row.user|sessionDetachedBit)
	row.owner.Store(sessionDetachedWord)
	return nil
}

// waitOutAccount takes and drops the user's account lock: a request that saw the epoch before has ended then.
func (st *Store) waitOutAccount(user uint32) error {
	if !st.seg.userExists(user) {
		return nil
	}
	if err := st.lockAccounts(user, 0); err != nil {
		return err
	}
	st.unlockAccounts(user, 0)
	return nil
}

// endRow takes a row out of its rooms and frees it.
func (st *Store) endRow(r uint32) error {
	row := &st.seg.sessions[r]
	if err := st.leaveAllRooms(r); err != nil {
		return err
	}
	atomic.StoreUint32(&st.seg.sessionUsers[r], 0)
	row.id.Store(0)
	row.owner.Store(0)
	return nil
}

// EndSessions ends all sessions of a user, wherever they are: their connections are told to go, and no request of them takes
// effect once it has returned. ErrBusy: some may be left, call again.
func (st *Store) EndSessions(user uint32) error {
	if !st.seg.userExists(user) {
		return ErrNoUser
	}
	if err := st.lockAccounts(user, 0); err != nil {
		return err
	}
	st.seg.accounts[user].settled = 1
	st.unlockAccounts(user, 0)
	var left error
	for r := range st.seg.sessionUsers {
		if atomic.LoadUint32(&st.seg.sessionUsers[r])&^sessionDetachedBit != user {
			continue
		}
		if err := st.revoke(uint32(r)); err != nil {
			left = err
		}
	}
	return left
}

// revoke ends one session. Its slot is told first: once the row has ended nobody knows any more which slot it was.
func (st *Store) revoke(r uint32) error {
	row := &st.seg.sessions[r]
	id, word := row.id.Load(), row.owner.Load()
	switch stateOf(word) {
	case sessionEnding:
		return nil
	case sessionLive:
		if slot := slotOf(word); slot >= 0 && slot != st.index {
			e := entryHeader{kind: MailRevoked, seq: id, target: r, user: ^uint32(0), timeNs: st.nowNs}
			if err := st.putMail(slot, e, nil); err != nil {
				return err
			}
		}
	case sessionDetached:
	default:
		return fmt.Errorf("session %d changes hands: %w", id, ErrBusy)
	}
	if !st.beginWay(r, word, sessionEnding) {
		return fmt.Errorf("session %d changes hands: %w", id, ErrBusy)
	}
	st.goOn(r)
	return nil
}

// SetSessionTTL says how long a detached session can be resumed.
func (st *Store) SetSessionTTL(d time.Duration) { st.sessionTTL = d }

// Current tells whether s may still act, as far as that can be told without the user's account lock: it may have been
// taken over by the time the answer is used. What must not happen then is refused under a lock.
func (st *Store) Current(s Session) bool { return st.sessionCurrent(s) }

// sessionCurrent tells whether s may still act. It is exact under the user's
// account lock. The zero Session is none, though a row that was never used looks like it.
func (st *Store) sessionCurrent(s Session) bool {
	row := &st.seg.sessions[s.Row]
	return s.ID != 0 && row.epoch.Load() == s.Epoch && row.id.Load() == s.ID
}

// LastReqID is the highest req_id of a money request that the session had applied.
func (st *Store) LastReqID(s Session) uint64 { return st.seg.sessions[s.Row].lastReqID }

// Online tells whether user has a session with a connection.
func (seg *Segment) Online(user uint32) bool {
	for i := range seg.sessionUsers {
		if atomic.LoadUint32(&seg.sessionUsers[i]) == user {
			return user != 0
		}
	}
	return false
}

// OnlineUsers appends the users above after that have a session with a connection, in ascending order
// and each once, until dst is full.
func (st *Store) OnlineUsers(after uint32, dst []uint32) []uint32 {
	clear(st.online)
	for i := range st.seg.sessionUsers {
		if user := atomic.LoadUint32(&st.seg.sessionUsers[i]); user&sessionDetachedBit == 0 {
			st.markOnline(user)
		}
	}
	return st.listMarked(after, dst)
}

func (st *Store) markOnline(user uint32) {
	if w := int(user / 64); user != 0 && w < len(st.online) {
		st.online[w] |= 1 << (user % 64)
	}
}

// listMarked appends the marked users above after.
func (st *Store) listMarked(after uint32, dst []uint32) []uint32 {
	for w := int(after / 64); w < len(st.online); w++ {
		word := st.online[w]
		if w == int(after/64) {
			word &^= 1<<(after%64+1) - 1
		}
		for ; word != 0; word &= word - 1 {
			if len(dst) == cap(dst) {
				return dst
			}
			dst = append(dst, uint32(w*64+bits.TrailingZeros64(word)))
		}
	}
	return dst
}
