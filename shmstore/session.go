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

// A session id is the log's head at the session's creation and, below it, random bits.
const sessionRandomBits = 20

// sessionStart is the head at which a session began: no posting of it is older.
func sessionStart(id uint64) uint64 { return id >> sessionRandomBits }

// sessionState is above the low byte of sessionRow.owner.
type sessionState uint32

const (
	sessionClaimed sessionState = iota + 1 // being filled in or emptied
	sessionLive
)

func (s sessionState) owned(slot int) uint32 { return uint32(s)<<8 | uint32(slot+1) }

// ownedBy tells whether an owner word names slot.
func ownedBy(word uint32, slot int) bool { return word&0xff == uint32(slot+1) }

// OpenSession creates a session of user, owned by this slot. Errors: ErrNoUser, ErrTableFull.
func (st *Store) OpenSession(user uint32) (Session, error) {
	if !st.seg.userExists(user) {
		return Session{}, ErrNoUser
	}
	r, ok := st.claimSessionRow()
	if !ok {
		return Session{}, fmt.Errorf("%w: %d sessions", ErrTableFull, st.seg.shape.SessionsMax)
	}
	row := &st.seg.sessions[r]
	s := Session{User: user, Row: r, Epoch: row.epoch.Add(1)}
	s.ID = st.seg.Head()<<sessionRandomBits | st.randomBits(sessionRandomBits)
	if s.ID == 0 {
		s.ID = 1 // 0 asks for a new session on the wire
	}
	row.user = user
	row.lastReqID = 0
	row.id.Store(s.ID)
	row.owner.Store(sessionLive.owned(st.index))
	atomic.StoreUint32(&st.seg.sessionUsers[r], user)
	return s, nil
}

// claimSessionRow takes a free row, going on where the last search ended.
func (st *Store) claimSessionRow() (row uint32, ok bool) {
	n := uint32(len(st.seg.sessions))
	for range n {
		r := st.nextRow % n
		st.nextRow = r + 1
		owner := &st.seg.sessions[r].owner
		if owner.Load() == 0 && owner.CompareAndSwap(0, sessionClaimed.owned(st.index)) {
			return r, true
		}
	}
	return 0, false
}

// CloseSession ends a session: no request of it takes effect any more, and it leaves
// its rooms. What a busy lock holds up is finished by a later Beat. A session that is
// closed already is left alone: its row may be another's.
func (st *Store) CloseSession(s Session) {
	if !st.sessionCurrent(s) {
		return
	}
	st.seg.sessions[s.Row].epoch.Add(1)
	st.retiring = append(st.retiring, s.Row)
	st.retireSessions()
}

// retireSessions tries once to free each row of a closed session. Those that a lock
// keeps busy go to the end of the queue; once LockWaitMax is spent the rest waits for the
// next call, so that the heart goes on beating.
func (st *Store) retireSessions() {
	if len(st.retiring) == 0 {
		return
	}
	deadline := time.Now().Add(LockWaitMax)
	for range len(st.retiring) {
		row := st.retiring[0]
		st.retiring = st.retiring[1:]
		if st.retireSessionRow(row) == nil {
			continue
		}
		st.retiring = append(st.retiring, row)
		if time.Now().After(deadline) {
			return
		}
	}
}

// retireSessionRow frees a row that this slot, or a dead one that it repairs, owns.
// The epoch fences what is in flight; taking the account's lock once waits it out.
func (st *Store) retireSessionRow(r uint32) error {
	row := &st.seg.sessions[r]
	row.epoch.Add(1)
	if user := row.user; st.seg.userExists(user) {
		if err := st.lockAccounts(user, 0); err != nil {
			return err
		}
		st.unlockAccounts(user, 0)
	}
	if err := st.leaveAllRooms(r); err != nil {
		return err
	}
	atomic.StoreUint32(&st.seg.sessionUsers[r], 0)
	row.id.Store(0)
	row.owner.Store(0)
	return nil
}

// sessionCurrent tells whether s may still act. It is exact under the user's
// account lock. The zero Session is none, though a row that was never used looks like it.
func (st *Store) sessionCurrent(s Session) bool {
	row := &st.seg.sessions[s.Row]
	return s.ID != 0 && row.epoch.Load() == s.Epoch && row.id.Load() == s.ID
}

// LastReqID is the highest req_id of a money request that the session had applied.
func (st *Store) LastReqID(s Session) uint64 { return st.seg.sessions[s.Row].lastReqID }

// Online tells whether user has a session.
func (seg *Segment) Online(user uint32) bool {
	for i := range seg.sessionUsers {
		if atomic.LoadUint32(&seg.sessionUsers[i]) == user {
			return user != 0
		}
	}
	return false
}

// OnlineUsers appends the users above after that have a session, in ascending order
// and each once, until dst is full.
func (st *Store) OnlineUsers(after uint32, dst []uint32) []uint32 {
	clear(st.online)
	for i := range st.seg.sessionUsers {
		st.markOnline(atomic.LoadUint32(&st.seg.sessionUsers[i]))
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
