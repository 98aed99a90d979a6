package shmstore

import (
	"errors"
	"strings"
	"testing"
)

// TestVerifyFindsWhatIsWrong changes one thing that no function of the package would,
// and expects Verify to name it.
func TestVerifyFindsWhatIsWrong(t *testing.T) {
	cases := []struct {
		name   string
		damage func(seg *Segment)
		want   string
	}{
		{"nothing", func(*Segment) {}, ""},
		{"a cent more", func(seg *Segment) { seg.accounts[1].balance++ }, "sum of balances"},
		{"a cent moved", func(seg *Segment) { seg.accounts[1].balance++; seg.accounts[2].balance-- }, "the log says"},
		{"less than nothing", func(seg *Segment) { seg.accounts[2].balance -= 1000; seg.accounts[1].balance += 1000 }, "has balance -"},
		{"deposits", func(seg *Segment) { seg.accounts[1].deposited++ }, "deposits"},
		{"row behind the log", func(seg *Segment) { seg.accounts[1].lastSeq-- }, "the log says"},
		{"supply in a record", func(seg *Segment) { seg.recordSlot(4).supplyAfter++ }, "record 4: supply"},
		{"balance in a record", func(seg *Segment) { seg.recordSlot(5).subjectBalance++ }, "record 5: user"},
		{"amount in a record", func(seg *Segment) { seg.recordSlot(5).amount++ }, "record 5: user"},
		{"previous seq", func(seg *Segment) { seg.recordSlot(5).subjectPrev = 1 }, "record 5: user"},
		{"hole", func(seg *Segment) { seg.recordSlot(4).seq = 77 }, "record 4 has seq 77"},
		{"time", func(seg *Segment) { seg.recordSlot(5).timeNs = 1 }, "time goes back"},
		{"kind", func(seg *Segment) { seg.recordSlot(5).kind = 99 }, "unknown kind"},
		{"account lock", func(seg *Segment) { seg.accounts[1].lock = lockOwner(0, 1) }, "held by slot 0"},
		{"log lock", func(seg *Segment) { seg.control.logLock = lockOwner(1, 1) }, "held by slot 1"},
		{"room lock", func(seg *Segment) { seg.rooms[1].lock = lockOwner(1, 1) }, "held by slot 1"},
		{"pending", func(seg *Segment) { seg.slots[1].pendingSeq = 3 }, "slot 1 has record 3 pending"},
		{"name index", func(seg *Segment) { clear(seg.userIndex) }, "not found by name"},
		{"member count", func(seg *Segment) { seg.rooms[1].memberCount.Add(1) }, "counts 2 members, its bitmap 1"},
		{"members by slot", func(seg *Segment) { seg.rooms[1].bySlot[1].Add(1) }, "of slot 1"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			st := newStore(t, smallShape())
			alice, bob := login(t, st, "alice", 100), login(t, st, "bob", 100)
			if _, err := st.Transfer(alice, 1, bob.User, 10); err != nil {
				t.Fatal(err)
			}
			join(t, st, alice, openRoom(t, st, "lobby"))
			c.damage(st.seg)
			got := strings.Join(st.seg.VerifyQuiescent().Problems, "\n")
			if (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
				t.Errorf("found %q, want %q", got, c.want)
			}
		})
	}
}

func TestVerifyWhileOthersWork(t *testing.T) {
	seg := newSegment(t, smallShape())
	st, other := bind(t, seg, 0, nil), bind(t, seg, 1, nil)
	login(t, other, "alice", 100)
	r, err := st.Verify()
	if err != nil || !r.OK() || r.Supply != 100 || r.Deposits != 100 || r.Users != 1 || !strings.Contains(r.String(), "audit ok") {
		t.Errorf("%v %v", r, err)
	}
	other.slot.pendingSeq = seg.Head()
	if _, err := st.Verify(); !errors.Is(err, ErrBusy) {
		t.Errorf("with a record that is not applied: %v", err)
	}
	other.slot.pendingSeq = 0
	seg.accounts[1].balance++
	if r, err := st.Verify(); err != nil || r.OK() || !strings.Contains(r.String(), "FAILED") {
		t.Errorf("with a cent too much: %v %v", r, err)
	}
}
