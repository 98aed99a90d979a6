package shmstore

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"sync/atomic"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// A lock names its owner by slot and generation. A pid says nothing: it is there while the process is a zombie, and another
// process can have it afterwards, or at the same time in another namespace.

// startHolder starts a process in slot that holds user's account lock for good.
func startHolder(t *testing.T, seg *Segment, slot int, user uint32, start func(*exec.Cmd) error) *child {
	t.Helper()
	cmd := childCommand(t, seg, newEventFDs(t, seg.shape.Slots()), "hold", slot, int(user))
	defer cmd.ExtraFiles[0].Close()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := start(cmd); err != nil {
		t.Fatal(err)
	}
	c := &child{cmd: cmd, out: out}
	if _, err := bufio.NewReader(c.out).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	return c
}

// mustBeHeld tries to get at the user's money in every state of the holder's heart, and finds the lock as it was.
func mustBeHeld(t *testing.T, seg *Segment, other *Store, s Session, slot int) {
	t.Helper()
	lock := &seg.accounts[s.User].lock
	word := atomic.LoadUint32(lock) &^ lockWaiters
	if ownerSlot(word) != slot {
		t.Fatalf("the lock is slot %d's (%08x), want %d", ownerSlot(word), word, slot)
	}
	for _, heart := range []uint64{monotonicNs(), 1} {
		seg.slots[slot].heartbeatNs.Store(heart)
		if _, err := other.Withdraw(s, 1, 1); !errors.Is(err, ErrBusy) {
			t.Errorf("heart at %d: %v", heart, err)
		}
		if now := atomic.LoadUint32(lock) &^ lockWaiters; now != word {
			t.Errorf("the lock was %08x and is %08x", word, now)
		}
	}
}

func TestAZombieIsNotRobbed(t *testing.T) {
	seg := newSegment(t, smallShape())
	master := bind(t, seg, 2, nil)
	bank(t, master, 1, 100)
	s := openSession(t, master, 1)
	holder := startHolder(t, seg, 0, 1, (*exec.Cmd).Start)
	if err := holder.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	// Dead, and not reaped: WNOWAIT leaves it so.
	if err := unix.Waitid(unix.P_PID, holder.cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil); err != nil {
		t.Fatal(err)
	}
	mustBeHeld(t, seg, master, s, 0)
	if _, err := seg.Bind(0, func(int) {}); !errors.Is(err, ErrBusy) {
		t.Errorf("the slot of a zombie is bound again: %v", err)
	}
	holder.kill(t) // reaps it
	mustBeHeld(t, seg, master, s, 0)
	if report, err := master.RepairSlot(0); err != nil || report.LocksFreed != 1 {
		t.Fatalf("%v %v", report, err)
	}
	if p, err := master.Withdraw(s, 1, 1); err != nil || p.Balance != 99 {
		t.Errorf("after the repair: %+v %v", p, err)
	}
	master.CloseSession(s)
	mustVerify(t, seg)
}

// startAsPidOne starts a process that is number 1 of a namespace of its own.
func startAsPidOne(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWPID}
	return cmd.Start()
}

// onePid is a way to start holders that all have the same pid in the segment.
func onePid(t *testing.T, seg *Segment) (hold func(slot int, user uint32) *child) {
	t.Helper()
	probe := exec.Command(os.Args[0], "-test.run", "^$")
	if err := startAsPidOne(probe); err != nil {
		t.Logf("no namespace of pids to be had (%v): the rows are made to name one pid", err)
		return func(slot int, user uint32) *child {
			c := startHolder(t, seg, slot, user, (*exec.Cmd).Start)
			seg.slots[slot].pid.Store(1)
			return c
		}
	}
	if err := probe.Wait(); err != nil {
		t.Fatal(err)
	}
	return func(slot int, user uint32) *child { return startHolder(t, seg, slot, user, startAsPidOne) }
}

// TestARecycledPidOwnsNothing: three processes have the same pid, two of them one after the other in the same slot.
func TestARecycledPidOwnsNothing(t *testing.T) {
	seg := newSegment(t, smallShape())
	master := bind(t, seg, 2, nil)
	bank(t, master, 3, 100)
	first, second, third := openSession(t, master, 1), openSession(t, master, 2), openSession(t, master, 3)
	hold := onePid(t, seg)

	dead, living := hold(0, 1), hold(1, 2)
	if a, b := seg.SlotInfo(0), seg.SlotInfo(1); a.PID != b.PID {
		t.Fatalf("slot 0 has pid %d, slot 1 %d", a.PID, b.PID)
	}
	ofTheDead := seg.accounts[1].lock &^ lockWaiters
	dead.kill(t)
	mustBeHeld(t, seg, master, first, 0) // although a process of that pid lives
	if report, err := master.RepairSlot(0); err != nil || report.LocksFreed != 1 {
		t.Fatalf("%v %v", report, err)
	}
	mustBeHeld(t, seg, master, second, 1) // although a process of that pid has died

	next := hold(0, 1)
	if word := seg.accounts[1].lock &^ lockWaiters; word == ofTheDead {
		t.Errorf("the next process of slot 0 holds by the same word, %08x", word)
	}
	mustBeHeld(t, seg, master, first, 0)
	next.kill(t)
	// What looks like a lock of an earlier generation is not the dead one's to free.
	seg.accounts[3].lock = ofTheDead
	seg.slots[0].announced[placeSecond] = accountLock(3)
	if report, err := master.RepairSlot(0); err != nil || report.LocksFreed != 1 {
		t.Fatalf("%v %v", report, err)
	}
	if word := seg.accounts[3].lock; word != ofTheDead {
		t.Errorf("a lock of another generation, %08x, became %08x", ofTheDead, word)
	}
	mustBeHeld(t, seg, master, second, 1)
	seg.accounts[3].lock = 0
	living.kill(t)
	repair(t, master, 1)
	for _, s := range []Session{first, second, third} {
		if p, err := master.Withdraw(s, 1, 1); err != nil || p.Balance != 99 {
			t.Errorf("user %d: %+v %v", s.User, p, err)
		}
		master.CloseSession(s)
	}
	mustVerify(t, seg)
}
