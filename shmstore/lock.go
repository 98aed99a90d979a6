package shmstore

import (
	"fmt"
	"sync/atomic"
	"time"

	"tradechat.internal/libnet"
)

// A lock is a 32-bit word:
//
//	 31        30 … 22         21 … 0
//	┌─────────┬───────────────┬──────────────────────┐
//	│ waiters │ slot + 1      │ generation, low bits │   0: free
//	└─────────┴───────────────┴──────────────────────┘
//
// It is taken by compare-and-swap from 0 and freed by a store of 0. A waiter sets the
// waiters bit and sleeps on the word; whoever frees a word with that bit wakes one,
// and a woken waiter takes the lock with the bit set, since others may still sleep.
// A bit that is set just when the word is being freed can be lost: so a waiter sleeps
// in slices, and looks again after each.
const (
	lockWaiters        uint32 = 1 << 31
	lockGenerationBits        = 22
	lockGenerationMask uint32 = 1<<lockGenerationBits - 1
)

// lockOwner is the word of a lock that slot holds.
func lockOwner(slot int, generation uint32) uint32 {
	return uint32(slot+1)<<lockGenerationBits | generation&lockGenerationMask
}

// ownerSlot is the slot in a word that is not 0.
func ownerSlot(word uint32) int { return int(word&^lockWaiters>>lockGenerationBits) - 1 }

// lockRef names a lock in an announcement: kind in the high half, index in the low.
type lockRef uint64

const (
	lockNone lockRef = iota << 32
	lockRegistry
	lockGlobal
	lockLog
	lockAccount
	lockRoom
	lockMailbox
)

func (r lockRef) kind() lockRef { return r &^ 0xffffffff }
func (r lockRef) index() uint32 { return uint32(r) }

// String is the lock's name for people.
func (r lockRef) String() string {
	switch r.kind() {
	case lockRegistry:
		return "registry"
	case lockGlobal:
		return "all accounts"
	case lockLog:
		return "log"
	case lockAccount:
		return fmt.Sprintf("account %d", r.index())
	case lockRoom:
		return fmt.Sprintf("room %d", r.index())
	case lockMailbox:
		return fmt.Sprintf("mailbox %d", r.index())
	}
	return "none"
}

func accountLock(user uint32) lockRef { return lockAccount | lockRef(user) }
func roomLock(room uint32) lockRef    { return lockRoom | lockRef(room) }
func mailboxLock(slot int) lockRef    { return lockMailbox | lockRef(slot) }

// announcement numbers the places in which a slot announces locks. A process holds
// at most one lock of each place at a time, and takes them in this order; leaves
// (rooms, mailboxes) use the first place of accounts.
type announcement int

const (
	placeRegistry announcement = iota
	placeFirst
	placeSecond
	placeLog
	announcements
)

// lockWord is the word that ref names; nil if it names none (a damaged slot).
func (seg *Segment) lockWord(ref lockRef) *uint32 {
	i := int(ref.index())
	switch kind := ref.kind(); {
	case kind == lockRegistry:
		return &seg.control.registryLock
	case kind == lockGlobal:
		return &seg.control.globalLock
	case kind == lockLog:
		return &seg.control.logLock
	case kind == lockAccount && i < len(seg.accounts):
		return &seg.accounts[i].lock
	case kind == lockRoom && i < len(seg.rooms):
		return &seg.rooms[i].lock
	case kind == lockMailbox && i < len(seg.mailboxes):
		return &seg.mailboxes[i].lock
	}
	return nil
}

// acquire announces the lock at place and takes it, or gives up with ErrBusy.
func (st *Store) acquire(place announcement, ref lockRef, word *uint32) error {
	st.slot.announced[place] = ref
	if atomic.CompareAndSwapUint32(word, 0, st.owner) {
		return nil
	}
	return st.acquireContended(place, word)
}

// acquireContended spins, then sleeps until the deadline. It never takes a lock from
// its holder, and does not wait for one whose heart has stopped.
func (st *Store) acquireContended(place announcement, word *uint32) error {
	for range lockSpins {
		pause(lockPauses)
		if atomic.LoadUint32(word) == 0 && atomic.CompareAndSwapUint32(word, 0, st.owner) {
			return nil
		}
	}
	start := time.Now()
	err := st.sleepForLock(word, start.Add(LockWaitMax))
	st.metrics.lockWait(time.Since(start), err != nil)
	if err != nil {
		st.retract(place)
	}
	return err
}

func (st *Store) sleepForLock(word *uint32, deadline time.Time) error {
	for {
		held := atomic.LoadUint32(word)
		if held == 0 {
			if atomic.CompareAndSwapUint32(word, 0, st.owner|lockWaiters) {
				return nil
			}
			continue
		}
		// The bit is set before giving up too: a wake-up that this waiter used up
		// must not be lost to the others that sleep.
		if held&lockWaiters == 0 && !atomic.CompareAndSwapUint32(word, held, held|lockWaiters) {
			continue
		}
		left := time.Until(deadline)
		if left <= 0 || st.seg.heartAge(ownerSlot(held)) > HolderStallMax {
			return ErrBusy
		}
		// Every outcome of the wait is answered by looking at the word again.
		_ = libnet.FutexWait(word, held|lockWaiters, min(left, lockSliceMax))
	}
}

// unlock frees the lock; the announcement stays until retract.
func unlock(word *uint32) {
	waiters := atomic.LoadUint32(word)&lockWaiters != 0
	storeRelease(word)
	if waiters {
		wakeOne(word)
	}
}

func wakeOne(word *uint32) { _, _ = libnet.FutexWake(word, 1) }

// retract withdraws an announcement.
func (st *Store) retract(place announcement) { st.slot.announced[place] = lockNone }

func (st *Store) release(place announcement, word *uint32) {
	unlock(word)
	st.retract(place)
}

// lockAccounts takes the locks of a and, if it is another account, b, lower number first.
// b is 0 if there is only one.
func (st *Store) lockAccounts(a, b uint32) error {
	if st.seg.shape.LockMode == LockGlobal {
		return st.acquire(placeFirst, lockGlobal, &st.seg.control.globalLock)
	}
	if b == 0 {
		return st.acquire(placeFirst, accountLock(a), &st.seg.accounts[a].lock)
	}
	low, high := min(a, b), max(a, b)
	if err := st.acquire(placeFirst, accountLock(low), &st.seg.accounts[low].lock); err != nil {
		return err
	}
	err := st.acquire(placeSecond, accountLock(high), &st.seg.accounts[high].lock)
	if err != nil {
		st.release(placeFirst, &st.seg.accounts[low].lock)
	}
	return err
}

func (st *Store) unlockAccounts(a, b uint32) {
	if st.seg.shape.LockMode == LockGlobal {
		st.release(placeFirst, &st.seg.control.globalLock)
		return
	}
	if b == 0 {
		st.release(placeFirst, &st.seg.accounts[a].lock)
		return
	}
	st.release(placeSecond, &st.seg.accounts[max(a, b)].lock)
	st.release(placeFirst, &st.seg.accounts[min(a, b)].lock)
}

func (st *Store) lockRegistry() error {
	return st.acquire(placeRegistry, lockRegistry, &st.seg.control.registryLock)
}

func (st *Store) unlockRegistry() { st.release(placeRegistry, &st.seg.control.registryLock) }

func (st *Store) lockRoom(room uint32) error {
	return st.acquire(placeFirst, roomLock(room), &st.seg.rooms[room].lock)
}
