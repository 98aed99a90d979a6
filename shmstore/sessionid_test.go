package shmstore

import (
	"errors"
	"testing"
)

// TestAMillionLoginsAtAStandingHeadPayOnce: while no money moves no two sessions get one id, over a repair, a revival and a
// restart from disk, and the one session that has paid gets its own recorded answer.
func TestAMillionLoginsAtAStandingHeadPayOnce(t *testing.T) {
	seg := newSegment(t, smallShape())
	must(t, seg.BeginSessions(1))
	st := bind(t, seg, 0, nil)
	alice, bob := login(t, st, "alice", 100), addUser(t, st, "bob")
	paid, err := st.Transfer(alice, 1, bob, 100)
	must(t, err)
	must(t, second(st.DepositTo(alice.User, 100)))
	st.DetachSession(alice)
	seen := map[uint64]bool{alice.ID: true}
	logins := func(st *Store, n int) {
		t.Helper()
		for range n {
			s := openSession(t, st, alice.User)
			if seen[s.ID] {
				t.Fatalf("two sessions have id %x, after %d logins", s.ID, len(seen))
			}
			seen[s.ID] = true
			st.CloseSession(s)
		}
	}
	paysOnce := func(st *Store) {
		t.Helper()
		got, err := st.ResumeSession(alice.User, alice.ID)
		must(t, err)
		if again, err := st.Transfer(got.Session, 1, bob, 100); err != nil || !again.Replayed || again.Seq != paid.Seq {
			t.Errorf("again: %+v, %v; the first was %+v", again, err, paid)
		}
		if balance := balanceOf(t, st, bob); balance != 100 {
			t.Errorf("bob has %d, want 100", balance)
		}
		st.DetachSession(got.Session)
	}
	logins(st, 700_000)
	paysOnce(st)
	master := bind(t, seg, smallShape().MasterSlot(), nil)
	repair(t, master, 0)
	logins(bind(t, seg, 0, nil), 100_000)
	paysOnce(master)

	fold, records := foldOf(t, seg)
	cold := newSegment(t, smallShape())
	must(t, cold.BeginSessions(2))
	must(t, cold.Restore(fold, records))
	st = bind(t, cold, 1, nil)
	logins(st, 300_000)
	paysOnce(st)
	mustVerify(t, cold)
}

// TestTheStartOfASessionIsNeverLate: whatever the head is, the start that an id tells of is at or before it, and near.
func TestTheStartOfASessionIsNeverLate(t *testing.T) {
	for bit := range 57 {
		for _, head := range []uint64{1<<bit - 1, 1 << bit, 1<<bit + 1, 1<<bit + 1<<bit/3} {
			start := headOf(headCode(head))
			if start > head || head-start > head>>sessionMantissaBits {
				t.Errorf("head %d: start %d", head, start)
			}
			if headCode(head+1) < headCode(head) {
				t.Errorf("head %d has a higher code than %d", head, head+1)
			}
		}
	}
	if top := headOf(headCode(1<<63 - 1)); top > 1<<63-1 {
		t.Errorf("start %d", top)
	}
}

// TestMoreLoginsThanSerials: beyond the serials of one head a session's own postings are still found.
func TestMoreLoginsThanSerials(t *testing.T) {
	st := newStore(t, smallShape())
	alice := addUser(t, st, "alice")
	var s Session
	for range 2 << sessionSerialBits {
		s = openSession(t, st, alice)
		st.CloseSession(s)
		if start := st.seg.sessionStart(s.ID); start > st.seg.Head() {
			t.Fatalf("session %x starts at %d, the head is %d", s.ID, start, st.seg.Head())
		}
	}
	s = openSession(t, st, alice)
	first, err := st.Deposit(s, 2, 5)
	must(t, err)
	must(t, second(st.Deposit(s, 3, 5)))
	if again, err := st.Deposit(s, 2, 5); err != nil || !again.Replayed || again.Seq != first.Seq {
		t.Errorf("again: %+v, %v", again, err)
	}
}

// TestASessionThatEndedStaysEnded: an id of this segment's own epoch is never made anew, though the head has not moved since.
func TestASessionThatEndedStaysEnded(t *testing.T) {
	old := newSegment(t, smallShape())
	before := bind(t, old, 0, nil)
	alice := login(t, before, "alice", 100)
	fold, records := foldOf(t, old)
	seg := newSegment(t, smallShape())
	must(t, seg.BeginSessions(1))
	must(t, seg.Restore(fold, records))
	st := bind(t, seg, 0, nil)
	s := openSession(t, st, alice.User)
	st.CloseSession(s)
	if _, err := st.ResumeSession(alice.User, s.ID); !errors.Is(err, ErrNoSession) {
		t.Errorf("a session that was logged out: %v", err)
	}
	if _, err := st.ResumeSession(alice.User, alice.ID); err != nil {
		t.Errorf("a session of before the restart: %v", err)
	}
	if err := seg.BeginSessions(SessionEpochMax + 1); !errors.Is(err, ErrShape) {
		t.Errorf("an epoch that no id has room for: %v", err)
	}
}
