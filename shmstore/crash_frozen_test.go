package shmstore

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"tradechat.internal/ledger"
)

// A process need not die: it can stand still anywhere, for as long as it likes. These tests stop one between any two
// instructions of an operation while another process (this one, by slot 1) wants the same rows. Whoever needs a lock that
// the stopped one holds is told busy and changes nothing; everybody else works. Then the stopped one goes on, as if
// nothing had been; and on a copy it is killed instead, and repaired.

// rival is what the other process wants, and the locks that it needs.
type rival struct {
	name  string
	locks []lockRef
	do    func(st *Store, s Session) error
	to    uint32 // who gets 1 by it, if it is money
}

var rivals = []rival{
	depositRival("alice", alice), depositRival("bob", bob), depositRival("carol", carol),
	{
		name: "set keys", locks: []lockRef{lockRegistry, lockLog},
		do: func(st *Store, _ Session) error { return st.SetUserKeys(carol, keyOf(oldKey), keyOf(oldKey)) },
	},
	{
		name: "send", locks: []lockRef{roomLock(1)},
		do: func(st *Store, s Session) error { _, _, err := st.Send(s, 1, crashMessage); return err },
	},
	{
		name: "direct", locks: []lockRef{mailboxLock(1)},
		do: func(st *Store, _ Session) error { _, _, _, err := st.Direct(carol, bob, crashMessage); return err },
	},
}

func depositRival(name string, user uint32) rival {
	return rival{
		name: "deposit to " + name, locks: []lockRef{accountLock(user), lockGlobal, lockLog}, to: user,
		do: func(st *Store, _ Session) error { _, err := st.DepositTo(user, 1); return err },
	}
}

// frozenTally is a row of the table at the end.
type frozenTally struct {
	name                                string
	states, busy, worked, repaired, bad int
}

func TestFrozenAtEveryInstruction(t *testing.T) {
	if raceDetector() {
		t.Skip("the race detector's own instructions and memory are stepped through too; run it without -race")
	}
	all := *crashFlag == "all"
	var tallies []*frozenTally
	for n := range crashOperations {
		op := &crashOperations[n]
		if op.arrange != nil || op.unrivalled || !op.sampled && !all {
			continue
		}
		t.Run(op.name, func(t *testing.T) {
			tallies = append(tallies, freezeOperation(t, op, n, 3*time.Second))
		})
		if all && op.sampled && len(op.records) != 0 { // here each busy rival waits for LockWaitMax
			t.Run(op.name+" with a beating heart", func(t *testing.T) {
				tallies = append(tallies, freezeOperation(t, op, n, 0))
			})
		}
	}
	t.Log(frozenTable(tallies))
}

func frozenTable(tallies []*frozenTally) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\npath\tstates\trivals busy\trivals served\trepaired\tviolations\t")
	sum := frozenTally{name: "total"}
	for _, f := range tallies {
		f.write(w)
		sum.states += f.states
		sum.busy += f.busy
		sum.worked += f.worked
		sum.repaired += f.repaired
		sum.bad += f.bad
	}
	sum.write(w)
	w.Flush()
	return b.String()
}

func (f *frozenTally) write(w *tabwriter.Writer) {
	fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t\n", f.name, f.states, f.busy, f.worked, f.repaired, f.bad)
}

// freezer is one operation of slot 0, stopped everywhere.
type freezer struct {
	t       *testing.T
	op      *crashOperation
	scene   *crashScene
	bob     Session
	heart   time.Duration // how old the heartbeat of the stopped one is
	head    uint64        // when the operation began
	balance balanceChange // then, and what the rivals have added
	tally   frozenTally
}

func freezeOperation(t *testing.T, op *crashOperation, n int, heart time.Duration) *frozenTally {
	shape := smallShape()
	shape.LockMode, shape.RoomRingBytes = op.lockMode, 1<<15 // so that no rival waits for a reader
	scene := newSceneOf(t, shape)
	child := traceChild(t, scene, "crash-frozen", 0, n)
	defer child.end()
	child.runToStop()
	scene.settle()
	before := takeBefore(scene.seg)
	f := &freezer{
		t: t, op: op, scene: scene, bob: sessionOfSlot(scene.seg, 1), heart: heart, head: before.head,
		balance: before.balances, tally: frozenTally{name: fmt.Sprintf("%s, heart %v", op.name, heart)},
	}
	child.eachInstruction(func(_ *crashImage, where string, known bool) {
		if !known {
			f.tally.states++
			f.rivalry(where)
			f.killed(where)
			child.changed() // what the rivals did is not the child's
		}
	})
	child.finish()
	f.finished(&before)
	return &f.tally
}

func (f *freezer) bad(where, format string, args ...any) {
	f.t.Helper()
	f.tally.bad++
	f.t.Errorf("stopped %s: %s", where, fmt.Sprintf(format, args...))
}

// rivalry lets each rival have a try.
func (f *freezer) rivalry(where string) {
	f.t.Helper()
	st := f.scene.watcher
	st.SetNow(uint64(time.Now().UnixNano()))
	for i := range rivals {
		f.scene.seg.slots[0].heartbeatNs.Store(monotonicNs() - uint64(f.heart))
		held, head, r := f.held(), f.scene.seg.Head(), &rivals[i]
		wantBusy := slices.ContainsFunc(r.locks, func(ref lockRef) bool { return held[ref] != 0 })
		err := r.do(st, f.bob)
		switch {
		case wantBusy && !errors.Is(err, ErrBusy) || !wantBusy && err != nil:
			f.bad(where, "%s: %v; the stopped one holds %x", r.name, err, held)
		case wantBusy && f.scene.seg.Head() != head:
			f.bad(where, "%s is told busy, and has committed a record", r.name)
		case wantBusy:
			f.tally.busy++
		default:
			f.tally.worked++
			f.balance[r.to]++
		}
		for ref, word := range held {
			if now := *f.scene.seg.lockWord(ref) &^ lockWaiters; now != word {
				f.bad(where, "%s: lock %x was %08x and is %08x", r.name, uint64(ref), word, now)
			}
		}
	}
	f.read(where)
	_ = drain(st, f.bob)
}

// read looks at what is seen without a lock: it is whole at any time, and what exists can be found.
func (f *freezer) read(where string) {
	f.t.Helper()
	seg := f.scene.seg
	for user := uint32(1); user <= seg.UserCount(); user++ {
		if found, _ := seg.FindUser(seg.UserName(user)); found != user {
			f.bad(where, "user %d exists, and its name %q is user %d's", user, seg.UserName(user), found)
		}
		if stored, server, _ := seg.UserKeys(user); stored != server || stored == ([32]byte{}) {
			f.bad(where, "user %d has the keys %x %x", user, stored[:4], server[:4])
		}
	}
	for room := uint32(1); room <= seg.RoomCount(); room++ {
		if info, _ := seg.Room(room); len(info.Name) == 0 || seg.findRoom(info.Name) != room {
			f.bad(where, "room %d exists, and its name %q is room %d's", room, info.Name, seg.findRoom(info.Name))
		}
	}
	last := uint64(0)
	_ = f.scene.watcher.RoomHistory(1, 0, 1000, func(e Event) {
		whole := bytes.Equal(e.Message, crashMessage) || bytes.Equal(e.Message, crashLongMessage) || bytes.Equal(e.Message, crashPadding)
		if !whole || last != 0 && e.Seq != last+1 {
			f.bad(where, "message %d after %d is %q", e.Seq, last, e.Message)
		}
		last = e.Seq
	})
	if info, _ := seg.Room(1); last != info.LastSeq {
		f.bad(where, "the history ends with message %d, the newest is %d", last, info.LastSeq)
	}
}

// held are the locks that the stopped process has, and their words.
func (f *freezer) held() map[lockRef]uint32 {
	held, seg := make(map[lockRef]uint32), f.scene.seg
	for _, ref := range []lockRef{
		lockRegistry, lockGlobal, lockLog, accountLock(alice), accountLock(bob), accountLock(carol),
		roomLock(1), roomLock(2), mailboxLock(0), mailboxLock(1),
	} {
		if word := *seg.lockWord(ref) &^ lockWaiters; word != 0 {
			held[ref] = word
			if ownerSlot(word) != 0 {
				f.bad("anywhere", "lock %x is slot %d's", uint64(ref), ownerSlot(word))
			}
		}
	}
	return held
}

// expected are the balances: those of before, the rivals' deposits, and the operation as far as it is committed.
func (f *freezer) expected(seg *Segment) balanceChange {
	want, committed := f.balance, 0
	want[0] = 0 // who gets what is no money
	for seq := f.head + 1; seq <= seg.Head() && committed < len(f.op.records); seq++ {
		if rec := seg.recordSlot(seq); rec.Slot == 0 {
			for user, by := range f.op.records[committed] {
				want[user] += by
			}
			committed++
		}
	}
	return want
}

// killed kills the stopped one on a copy, and repairs it.
func (f *freezer) killed(where string) {
	f.t.Helper()
	v := &verdict{seg: (&crashImage{seg: f.scene.seg}).clone().seg}
	want := f.expected(v.seg)
	watcher, err := repairByMaster.do(v)
	v.must("repair", err)
	v.checkWhole()
	if got := balancesIn(v.seg); got != want {
		v.bad("balances %v, want %v", got, want)
	}
	if err == nil {
		_, err = watcher.DepositTo(alice, 1)
		v.must("deposit to alice", err)
	}
	f.tally.repaired++
	for _, problem := range v.problems {
		f.bad(where, "and killed, and repaired: %s", problem)
	}
}

// finished: the operation has come to its end as if nobody had been there.
func (f *freezer) finished(before *crashBefore) {
	f.t.Helper()
	seg := f.scene.seg
	for _, problem := range seg.VerifyQuiescent().Problems {
		f.bad("nowhere", "%s", problem)
	}
	if got, want := balancesIn(seg), f.expected(seg); got != want {
		f.bad("nowhere", "balances %v, want %v", got, want)
	}
	written := 0
	for seq := f.head + 1; seq <= seg.Head(); seq++ {
		if rec := seg.recordSlot(seq); rec.Slot == 0 && rec.Kind != ledger.KindNone {
			written++
		}
	}
	if written != len(f.op.records) {
		f.bad("nowhere", "it wrote %d records, want %d", written, len(f.op.records))
	}
	if !f.op.committed(before, seg) {
		f.bad("nowhere", "it came to its end and has no effect")
	}
}
