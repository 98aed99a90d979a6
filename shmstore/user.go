package shmstore

import (
	"bytes"
	"fmt"
	"sync/atomic"

	"tradechat.internal/ledger"
)

// CreateUser registers a name with the server's half of its login keys. Errors:
// ErrName, ErrExists, ErrTableFull, ErrBusy.
func (st *Store) CreateUser(name []byte, storedKey, serverKey [32]byte) (user uint32, err error) {
	return st.CreateUserWith(name, storedKey, serverKey, 0)
}

// CreateUserWith is CreateUser with an opening deposit, 0 for none: both are there, or neither. Errors: those of
// CreateUser, ErrInvalidAmount, ErrBalanceLimit.
func (st *Store) CreateUserWith(name []byte, storedKey, serverKey [32]byte, opening uint64) (user uint32, err error) {
	if !ledger.ValidName(name) {
		return 0, ErrName
	}
	if opening > AmountMax {
		return 0, ErrInvalidAmount
	}
	if err := st.lockRegistry(); err != nil {
		return 0, err
	}
	user, err = st.createUserLocked(name, ledger.Keys{Stored: storedKey, Server: serverKey}, opening)
	st.unlockRegistry()
	return user, err
}

func (st *Store) createUserLocked(name []byte, keys ledger.Keys, opening uint64) (uint32, error) {
	if _, taken := st.seg.FindUser(name); taken {
		return 0, fmt.Errorf("user %q: %w", name, ErrExists)
	}
	user := st.seg.UserCount() + 1
	if user > st.seg.shape.UsersMax {
		return 0, fmt.Errorf("%w: %d users", ErrTableFull, st.seg.shape.UsersMax)
	}
	var err error
	if opening != 0 {
		err = st.commitUserWith(user, ledger.PadName(name), keys, opening)
	} else {
		err = st.commitName(ledger.KindUserCreate, user, ledger.PadName(name), keys)
	}
	if err != nil {
		return 0, err
	}
	return user, nil
}

// commitUserWith commits a user and its opening deposit at once. Nobody can name the user before, but between the two being
// applied somebody can: so its account is locked.
func (st *Store) commitUserWith(user uint32, name ledger.Name, keys ledger.Keys, opening uint64) error {
	if err := st.lockAccounts(user, 0); err != nil {
		return err
	}
	defer st.unlockAccounts(user, 0)
	rec, err := st.openRecord(0, 0)
	if err != nil {
		return err
	}
	if err := st.checkPlace(rec.Seq+1, opening); err != nil {
		st.release(placeLog, &st.seg.control.logLock)
		return err
	}
	named := rec.AsName()
	named.Kind, named.Subject, named.Leg = ledger.KindUserCreate, user, ledger.LegOpening
	named.Name, named.Keys = name, keys
	deposit := st.seg.recordSlot(rec.Seq + 1)
	*deposit = ledger.Record{Kind: ledger.KindDeposit, Legs: 1, Subject: user, Amount: opening, SubjectBalance: int64(opening), SubjectTotal: opening}
	st.beginRecord(deposit, rec.Seq+1, rec.SupplyAfter+opening)
	st.commitUpTo(rec, deposit)
	return nil
}

// SetUserKeys replaces a user's login keys. Errors: ErrNoUser, ErrBusy.
func (st *Store) SetUserKeys(user uint32, storedKey, serverKey [32]byte) error {
	if !st.seg.userExists(user) {
		return ErrNoUser
	}
	if err := st.lockRegistry(); err != nil {
		return err
	}
	err := st.commitName(ledger.KindUserKeys, user, st.seg.users[user].name, ledger.Keys{Stored: storedKey, Server: serverKey})
	st.unlockRegistry()
	return err
}

// applyUser sets a user's row. The count is raised last: it makes the user exist. Cut
// short between the flip of active and keysSeq it is done again: both pairs then hold
// the record's keys.
func (seg *Segment) applyUser(rec *ledger.NameRecord) {
	row := &seg.users[rec.Subject]
	if row.keysSeq < rec.Seq {
		next := row.active.Load() + 1
		row.keys[next&1] = rec.Keys
		row.active.Store(next)
		row.keysSeq = rec.Seq
	}
	if rec.Kind == ledger.KindUserCreate && row.seq < rec.Seq {
		row.name = rec.Name
		seg.indexUser(rec.Subject)
		row.seq = rec.Seq
	}
	if seg.control.userCount.Load() < rec.Subject {
		seg.control.userCount.Store(rec.Subject)
	}
}

// indexUser enters a user into the name index, once. The caller holds the registry
// lock or repairs its holder.
func (seg *Segment) indexUser(user uint32) {
	name := seg.UserName(user)
	mask, hash := uint64(len(seg.userIndex)-1), nameHash(name)
	for probe := range uint64(len(seg.userIndex)) {
		bucket := &seg.userIndex[(hash+probe)&mask]
		switch atomic.LoadUint32(bucket) {
		case user:
			return
		case 0:
			atomic.StoreUint32(bucket, user)
			return
		}
	}
}

// FindUser looks a name up. It takes no lock.
func (seg *Segment) FindUser(name []byte) (user uint32, found bool) {
	if len(name) == 0 || len(name) > NameBytesMax {
		return 0, false
	}
	mask, hash := uint64(len(seg.userIndex)-1), nameHash(name)
	for probe := range uint64(len(seg.userIndex)) {
		user := atomic.LoadUint32(&seg.userIndex[(hash+probe)&mask])
		if user == 0 {
			break
		}
		if bytes.Equal(seg.UserName(user), name) {
			return user, seg.userExists(user)
		}
	}
	return 0, false
}

// nameHash is FNV-1a: every process, of any build, must find the same bucket.
func nameHash(name []byte) uint64 {
	h := uint64(14695981039346656037)
	for _, b := range name {
		h = (h ^ uint64(b)) * 1099511628211
	}
	return h ^ h>>32
}

func (seg *Segment) userExists(user uint32) bool {
	return user != 0 && user <= seg.UserCount()
}

// UserCount is the number of users; their ids are 1 … UserCount. It stays in the table
// even if the segment is damaged.
func (seg *Segment) UserCount() uint32 {
	return min(seg.control.userCount.Load(), seg.shape.UsersMax)
}

// UserName is a user's name, in shared memory: it never changes, and must not be
// changed. It is empty for a user that does not exist.
func (seg *Segment) UserName(user uint32) []byte {
	if int(user) >= len(seg.users) {
		return nil
	}
	return seg.users[user].name.Text()
}

// UserKeys is the server's half of a user's login keys. active only grows, so keys that
// were replaced twice during the copy are seen to have been.
func (seg *Segment) UserKeys(user uint32) (storedKey, serverKey [32]byte, ok bool) {
	if !seg.userExists(user) {
		return storedKey, serverKey, false
	}
	row := &seg.users[user]
	for {
		active := row.active.Load()
		keys := row.keys[active&1]
		if row.active.Load() == active {
			return keys.Stored, keys.Server, true
		}
	}
}
