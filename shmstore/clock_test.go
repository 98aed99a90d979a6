package shmstore

import (
	"testing"
	"time"
)

// One start with a wrong clock does not date the records of later ones; and sessions live by another clock.
func TestAWrongWallClockPasses(t *testing.T) {
	st := newStore(t, smallShape())
	alice := login(t, st, "alice", 100)
	now := uint64(time.Now().UnixNano())
	date := func(at uint64) uint64 {
		t.Helper()
		st.SetNow(at)
		st.wall = func() uint64 { return at }
		if _, err := st.DepositTo(alice.User, 1); err != nil {
			t.Fatal(err)
		}
		return st.seg.recordSlot(st.seg.Head()).TimeNs
	}
	in2099 := now + uint64(73*365*24*time.Hour)
	for _, step := range []struct {
		at, want, setBack uint64
	}{
		{now, now, 0}, {in2099, in2099, 0}, {in2099 - uint64(time.Millisecond), in2099, 0}, {now + 1, now + 1, 1}, {now, now + 1, 1}, {now + 2, now + 2, 1},
	} {
		if got := date(step.at); got != step.want || st.seg.Count(CounterClockSetBack) != step.setBack {
			t.Errorf("at %d the record has time %d, want %d; set back %d times", step.at, got, step.want, st.seg.Count(CounterClockSetBack))
		}
	}
	mustVerify(t, st.seg)
	for _, by := range []time.Duration{time.Hour, -time.Hour} {
		s := openSession(t, st, alice.User)
		st.DetachSession(s)
		st.SetNow(now + uint64(by))
		if n := st.ExpireSessions(); n != 0 {
			t.Errorf("wall clock %v: %d sessions expire", by, n)
		}
		expireAll(t, st, 1)
	}
}

// A process that stood still within a turn has the time at which the turn began. The wall clock was not set back.
func TestAStaleTimeIsNoClockThatWasSetBack(t *testing.T) {
	seg := newSegment(t, smallShape())
	stopped, other := bind(t, seg, 0, nil), bind(t, seg, 1, nil)
	alice := login(t, stopped, "alice", 100)
	turn := uint64(time.Now().UnixNano())
	resumed := turn + uint64(3*time.Second)
	stopped.SetNow(turn)
	stopped.wall = func() uint64 { return resumed }
	other.SetNow(turn + uint64(2*time.Second))
	for _, st := range []*Store{other, stopped} {
		if _, err := st.DepositTo(alice.User, 1); err != nil {
			t.Fatal(err)
		}
	}
	if at := seg.recordSlot(seg.Head()).TimeNs; at != resumed || seg.Count(CounterClockSetBack) != 0 {
		t.Errorf("the record's time is %d, want %d; the clock was set back %d times", at, resumed, seg.Count(CounterClockSetBack))
	}
	mustVerify(t, seg)
}
