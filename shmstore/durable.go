package shmstore

import (
	"bytes"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"tradechat.internal/ledger"
	"tradechat.internal/libnet"
)

// The log writer follows the log, writes it to disk and publishes how far it has come:
//
//	records   1 ………………… durable ═══════════════ head
//	          kept whatever happens   ring only: must not be overwritten, nor promised
//
// A worker whose answer promises record seq says so in its slot (awaits) and is woken by its eventfd
// once durable ≥ seq. The log writer sleeps on journalIdle while there is nothing to write; whoever has
// committed wakes it (NudgeLogWriter), once for many commits. Each side announces before it looks: an
// atomic store, which on amd64 is a full fence, lies between, so that one of the two sees the other.
//
// A journal that failed is final for the segment's run: nothing more is committed (ErrReadOnly), and what
// lies between durable and head is neither promised nor shown.

// JournalState says what stands behind the log.
type JournalState uint32

const (
	// JournalAbsent: no process follows the log; what is committed counts as durable.
	JournalAbsent JournalState = iota
	JournalRunning
	JournalFailed
)

func (s JournalState) String() string {
	switch s {
	case JournalRunning:
		return "running"
	case JournalFailed:
		return "failed"
	}
	return "absent"
}

// ErrLogOverwritten says that records which were asked for are not in the ring any more.
var ErrLogOverwritten = errors.New("the log's ring does not reach back so far")

// JournalState is the state of the journal, and why it failed if it did.
func (seg *Segment) JournalState() (state JournalState, failure string) {
	state = JournalState(seg.control.journal.Load())
	if state == JournalFailed {
		failure = string(bytes.TrimRight(seg.control.failure[:], "\x00"))
	}
	return state, failure
}

// ReadOnly tells whether the journal has failed.
func (seg *Segment) ReadOnly() bool {
	return JournalState(seg.control.journal.Load()) == JournalFailed
}

// Durable is the seq up to which all records have what the durability mode promises.
func (seg *Segment) Durable() uint64 {
	if JournalState(seg.control.journal.Load()) == JournalAbsent {
		return seg.Head()
	}
	return seg.control.durable.Load()
}

// UseJournal makes commits wait for the journal from now on: records 1 … durable are on disk. The log writer calls
// it once it is ready, before the first worker starts or as the successor of one that died.
func (seg *Segment) UseJournal(durable uint64) {
	seg.control.durable.Store(durable)
	seg.control.journal.Store(uint32(JournalRunning))
}

// FailJournal makes the segment read-only until UseJournal of a later run; the first reason stays. Who awaits
// something is woken: it will not come.
func (st *Store) FailJournal(reason string) {
	c := st.seg.control
	if st.seg.ReadOnly() {
		return
	}
	c.failure = [len(c.failure)]byte{}
	copy(c.failure[:], reason)
	c.journal.Store(uint32(JournalFailed))
	st.wakeAwaiting(^uint64(0))
}

// PublishDurable says that records 1 … seq are safe, and wakes who waits for one of them.
func (st *Store) PublishDurable(seq uint64) {
	st.seg.control.durable.Store(seq)
	st.wakeAwaiting(seq)
}

func (st *Store) wakeAwaiting(seq uint64) {
	c := st.seg.control
	atomic.AddUint32(&c.durableTick, 1)
	if c.durableWaits.Load() != 0 {
		_, _ = libnet.FutexWake(&c.durableTick, slotsMax)
	}
	for i := range st.seg.slots {
		awaits := &st.seg.slots[i].awaits
		if want := awaits.Load(); want != 0 && want <= seq && awaits.CompareAndSwap(want, 0) {
			st.wake(i)
		}
	}
}

// ReadLog copies committed records from after+1 on into dst, which has room for two and more, and returns how many there were. A
// user and its opening deposit are never parted: what is written to disk together is kept or lost together. Errors:
// ErrLogOverwritten.
func (seg *Segment) ReadLog(after uint64, dst []ledger.Record) (n int, err error) {
	head := seg.Head()
	for n = 0; n < len(dst) && after+uint64(n) < head; n++ {
		dst[n] = *seg.recordSlot(after + uint64(n) + 1)
	}
	if end := seg.Head() + recordsPerCommitMax; n != 0 && after+1+uint64(seg.shape.LogRecords) <= end {
		return 0, fmt.Errorf("record %d: %w: it begins after %d", after+1, ErrLogOverwritten, end-uint64(seg.shape.LogRecords))
	}
	if n > 1 && n == len(dst) && dst[n-1].OpensWithDeposit() {
		n--
	}
	return n, nil
}

// AwaitRecords sleeps until there are records above after, or until the timeout. Only the log writer calls it.
func (st *Store) AwaitRecords(after uint64, timeout time.Duration) {
	idle := &st.seg.control.journalIdle
	atomic.StoreUint32(idle, 1)
	if st.seg.Head() <= after {
		// Every outcome of the wait is answered by looking at the head again.
		_ = libnet.FutexWait(idle, 1, timeout)
	}
	atomic.StoreUint32(idle, 0)
}

// NudgeLogWriter wakes the log writer if it sleeps. Call it when something was committed, once for many commits,
// and after Await.
func (st *Store) NudgeLogWriter() {
	idle := &st.seg.control.journalIdle
	// The swap is the fence between the commit and the look at idle.
	atomic.SwapUint32(&st.fence, 1)
	if atomic.LoadUint32(idle) == 1 {
		st.seg.WakeLogWriter()
	}
}

// WakeLogWriter wakes the log writer if it sleeps, from any goroutine, for a reason that is not in the log.
func (seg *Segment) WakeLogWriter() {
	idle := &seg.control.journalIdle
	if atomic.CompareAndSwapUint32(idle, 1, 0) {
		_, _ = libnet.FutexWake(idle, 1)
	}
}

// Await has this slot's eventfd written once record seq is durable or the journal has failed; true if it is durable
// already. Only the latest seq counts: a caller with several waits for the lowest.
func (st *Store) Await(seq uint64) (durable bool) {
	st.slot.awaits.Store(seq)
	if st.seg.Durable() < seq && !st.seg.ReadOnly() {
		return false
	}
	st.slot.awaits.Store(0)
	return st.seg.Durable() >= seq
}

// AwaitDurable waits, outside an event loop, until record seq is durable. Any goroutine may. Errors: ErrReadOnly if it will not be
// any more; ErrBusy after the timeout.
func (seg *Segment) AwaitDurable(seq uint64, timeout time.Duration) error {
	c := seg.control
	deadline := time.Now().Add(timeout)
	c.durableWaits.Add(1)
	defer c.durableWaits.Add(^uint32(0))
	for {
		tick := atomic.LoadUint32(&c.durableTick)
		switch left := time.Until(deadline); {
		case seg.Durable() >= seq:
			return nil
		case seg.ReadOnly():
			return fmt.Errorf("record %d is not on disk: %w", seq, ErrReadOnly)
		case left <= 0:
			return fmt.Errorf("record %d is not on disk after %v: %w", seq, timeout, ErrBusy)
		default:
			_ = libnet.FutexWait(&c.durableTick, tick, min(left, awaitSliceMax))
		}
	}
}

// UserSeq is the newest record that created user or set its keys; 0 if there is no such user.
func (seg *Segment) UserSeq(user uint32) uint64 {
	if !seg.userExists(user) {
		return 0
	}
	return atomic.LoadUint64(&seg.users[user].keysSeq)
}

// RoomSeq is the record that created room; 0 if there is none.
func (seg *Segment) RoomSeq(room uint32) uint64 {
	if !seg.roomExists(room) {
		return 0
	}
	return atomic.LoadUint64(&seg.rooms[room].seq)
}

// DurableBalance is what user has by the durable records alone, and the newest of them that names the account as far
// as the ring tells (0: none, or no longer known). Errors: ErrNoUser, ErrBusy.
func (st *Store) DurableBalance(user uint32) (balance int64, lastSeq uint64, err error) {
	balance, lastSeq, err = st.Balance(user)
	durable := st.seg.Durable()
	var rec ledger.Record
	for err == nil && lastSeq > durable {
		if !st.seg.loadRecord(lastSeq, &rec) || !rec.Names(user) {
			return 0, 0, fmt.Errorf("record %d: %w", lastSeq, ErrDamaged)
		}
		balance, lastSeq = rec.BalanceOf(user)-rec.DeltaOf(user), rec.PrevOf(user)
	}
	return balance, lastSeq, err
}
