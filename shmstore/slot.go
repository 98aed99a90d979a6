package shmstore

import (
	"fmt"
	"math"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
	"tradechat.internal/ledger"
)

// SlotState says whether a process is bound to a slot.
type SlotState uint32

const (
	SlotFree    SlotState = iota // never bound, stopped cleanly, or repaired
	SlotRunning                  // bound; if its process is gone, to be repaired
)

func (s SlotState) String() string {
	if s == SlotRunning {
		return "running"
	}
	return "free"
}

// SlotInfo is a look at a slot from outside.
type SlotInfo struct {
	State      SlotState
	PID        int
	Generation uint32        // how often the slot was bound
	HeartAge   time.Duration // since the last heartbeat
	Started    time.Time
}

// Unfinished is what a slot's process is in the middle of: how many locks it holds, and the record
// that it has committed and not applied to all rows yet, 0 if none. It is true while the process stands still.
func (seg *Segment) Unfinished(i int) (locks int, committedSeq uint64) {
	if seq := seg.slots[i].pendingSeq; seq != 0 && seq <= seg.Head() {
		committedSeq = seq
	}
	return len(seg.LocksHeld(i)), committedSeq
}

// LocksHeld names the locks that a slot's process holds: "account 17", "log". It is exact while the process stands still;
// of one that runs it is a glance.
func (seg *Segment) LocksHeld(i int) (names []string) {
	row := &seg.slots[i]
	owner := lockOwner(i, row.generation.Load())
	for _, ref := range row.announced {
		if word := seg.lockWord(ref); word != nil && atomic.LoadUint32(word)&^lockWaiters == owner {
			names = append(names, ref.String())
		}
	}
	return names
}

// Store changes the segment on behalf of one slot. Its methods must not be called
// from two goroutines at once.
type Store struct {
	seg     *Segment
	slot    *slotRow
	metrics *Metrics
	index   int
	owner   uint32 // the word of a lock that this slot holds
	nowNs   uint64
	wall    func() uint64 // the wall clock, for when nowNs may be stale
	clock   func() uint64 // what lifetimes are counted by: sinceBootNs
	wake    func(slot int)
	scratch []byte        // one ring entry's bytes
	walked  ledger.Record // the record at which a walk along a chain is
	online  []uint64      // bitmap over users, for listing them in order
	fence   uint32        // swapped for the fence that a swap is
	nextRow uint32        // where the search for a free session row goes on

	retiring []uint32 // rows on a way to their end, or to being detached, that a lock keeps busy

	sessionTTL time.Duration
}

// Bind makes this process the one of slot i: a new generation. wake(s) is called when
// slot s was armed and has something to drain; it must make s's event loop turn.
func (seg *Segment) Bind(i int, wake func(slot int)) (*Store, error) {
	st, err := seg.newStore(i, wake)
	if err != nil {
		return nil, err
	}
	if state := SlotState(st.slot.state.Load()); state != SlotFree {
		return nil, fmt.Errorf("slot %d of process %d is %v: %w", i, st.slot.pid.Load(), state, ErrBusy)
	}
	st.begin()
	return st, nil
}

// newStore is a store that does not own its slot yet.
func (seg *Segment) newStore(i int, wake func(slot int)) (*Store, error) {
	if i < 0 || i >= seg.shape.Slots() {
		return nil, fmt.Errorf("%w: slot %d of %d", ErrShape, i, seg.shape.Slots())
	}
	return &Store{
		seg: seg, slot: &seg.slots[i], index: i,
		metrics:    &Metrics{row: &seg.metrics[i]},
		wake:       wake,
		scratch:    make([]byte, max(seg.shape.RoomRingBytes, seg.shape.MailboxBytes)/messagesPerRingMin),
		online:     make([]uint64, uint64(seg.shape.UsersMax)/64+1),
		nextRow:    uint32(i) * (seg.shape.SessionsMax / uint32(seg.shape.Slots())),
		nowNs:      wallNs(),
		wall:       wallNs,
		clock:      sinceBootNs,
		sessionTTL: SessionTTLDefault,
	}, nil
}

// begin makes the slot this process's, in a new generation.
func (st *Store) begin() {
	row := st.slot
	st.owner = lockOwner(st.index, row.generation.Add(1))
	st.metrics.connectionsLost()
	st.forgetDeliveries()
	row.pid.Store(uint32(os.Getpid()))
	row.startedNs.Store(st.nowNs)
	st.Beat()
	row.armed.Store(1)
	row.state.Store(uint32(SlotRunning))
}

// forgetDeliveries empties the mailbox and the dirty bitmap: what is in them was for
// connections that are gone.
func (st *Store) forgetDeliveries() {
	st.seg.mailboxes[st.index].cursor.Store(st.seg.mailRing(st.index).state().tail)
	st.slot.mailDirty.Store(0)
	st.slot.awaits.Store(0)
	words := st.seg.dirtyWords(st.index)
	for w := range words {
		atomic.StoreUint64(&words[w], 0)
	}
}

// Close gives the slot back. Sessions that are still open are the caller's to close
// first; if a lock keeps some from being freed, the slot stays as it is, for a repair.
func (st *Store) Close() {
	if len(st.retiring) == 0 {
		st.slot.state.Store(uint32(SlotFree))
	}
}

// Segment is what the store changes.
func (st *Store) Segment() *Segment { return st.seg }

// Slot is the store's slot number.
func (st *Store) Slot() int { return st.index }

// SetNow sets the time that what follows is dated with, in nanoseconds since the Unix epoch. Event
// loops read the clock once a turn. Nothing lives or waits by it: a wall clock may be set.
func (st *Store) SetNow(unixNs uint64) { st.nowNs = unixNs }

// Beat shows that this process is alive, and finishes what busy locks held up. Call
// it every 100 ms or more often.
func (st *Store) Beat() {
	st.slot.heartbeatNs.Store(monotonicNs())
	st.retireSessions()
}

// Metrics are this slot's counters.
func (st *Store) Metrics() *Metrics { return st.metrics }

// SlotInfo looks at slot i.
func (seg *Segment) SlotInfo(i int) SlotInfo {
	row := &seg.slots[i]
	return SlotInfo{
		State: SlotState(row.state.Load()), PID: int(row.pid.Load()), Generation: row.generation.Load(),
		HeartAge: seg.heartAge(i), Started: time.Unix(0, int64(row.startedNs.Load())),
	}
}

// heartAge is the time since slot i's last heartbeat; without end for no slot.
func (seg *Segment) heartAge(i int) time.Duration {
	if i < 0 || i >= len(seg.slots) {
		return math.MaxInt64
	}
	beat := seg.slots[i].heartbeatNs.Load()
	now := monotonicNs()
	if beat > now {
		return 0
	}
	return time.Duration(now - beat)
}

// wallNs is CLOCK_REALTIME. It dates, and no more.
func wallNs() uint64 { return uint64(time.Now().UnixNano()) }

// SetClock replaces the clock by which lifetimes are counted, for tests that let them pass. It is in nanoseconds, and only goes on.
func (st *Store) SetClock(clock func() uint64) { st.clock = clock }

// monotonicNs is CLOCK_MONOTONIC, which all processes of a machine share: hearts beat by it, and stand still with a machine that sleeps.
func monotonicNs() uint64 { return clockNs(unix.CLOCK_MONOTONIC) }

// sinceBootNs is CLOCK_BOOTTIME, which goes on while the machine sleeps. A segment does not outlive a boot (tmpfs(5)), so what it says in
// this clock is true as long as there is a segment.
func sinceBootNs() uint64 { return clockNs(unix.CLOCK_BOOTTIME) }

func clockNs(clock int32) uint64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(clock, &ts); err != nil {
		panic(fmt.Sprintf("shmstore: clock %d: %v", clock, err))
	}
	return uint64(ts.Nano())
}
