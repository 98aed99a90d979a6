package shmstore

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"tradechat.internal/ledger"
)

func resume(t *testing.T, st *Store, s Session) Resumed {
	t.Helper()
	r, err := st.ResumeSession(s.User, s.ID)
	if err != nil {
		t.Fatalf("resume of session %d: %v", s.ID, err)
	}
	return r
}

func TestAResumedSessionKeepsItsRoomsAndIsToldWhatItMissed(t *testing.T) {
	seg := newSegment(t, smallShape())
	a, b := bind(t, seg, 0, nil), bind(t, seg, 1, nil)
	room, other := openRoom(t, a, "lobby"), openRoom(t, a, "attic")
	alice, bob := login(t, a, "alice", 10), login(t, b, "bob", 10)
	for _, r := range []uint32{room, other} {
		join(t, a, alice, r)
		join(t, b, bob, r)
	}
	send(t, b, bob, room, "before")
	heard(a, room)
	a.SetNow(b.nowNs + 1)
	a.DetachSession(alice)
	b.SetNow(a.nowNs)
	mustVerify(t, seg)
	if seg.Online(alice.User) || a.Members(room, 0, make([]uint32, 0, 4))[0] != alice.User {
		t.Error("a detached session is online, or no member")
	}
	if reached, _, _, _ := b.Direct(bob.User, alice.User, []byte("psst")); reached != 0 {
		t.Errorf("a detached session was reached %d times", reached)
	}
	if _, err := a.Deposit(alice, 1, 5); !errors.Is(err, ErrFenced) {
		t.Errorf("a detached session deposits: %v", err)
	}
	send(t, b, bob, room, "missed 1")
	send(t, b, bob, room, "missed 2")
	got := resume(t, b, alice)
	mustVerify(t, seg)
	if got.Former != -1 || len(got.Rooms) != 2 || got.ID != alice.ID || got.Epoch == alice.Epoch {
		t.Fatalf("%+v", got)
	}
	if r := got.Rooms[0]; r.Room != room || r.GapFirst != 2 || r.GapLast != 3 {
		t.Errorf("gap %+v, want 2 … 3", r)
	}
	if r := got.Rooms[1]; r.Room != other || r.GapFirst != 0 {
		t.Errorf("gap %+v, want none", r)
	}
	if _, err := b.Deposit(got.Session, 1, 5); err != nil {
		t.Error(err)
	}
}

func TestATakenOverSessionIsFenced(t *testing.T) {
	seg := newSegment(t, smallShape())
	a, b := bind(t, seg, 0, nil), bind(t, seg, 1, nil)
	room := openRoom(t, a, "lobby")
	alice := login(t, a, "alice", 10)
	join(t, a, alice, room)
	got := resume(t, b, alice)
	mustVerify(t, seg)
	if got.Former != 0 || len(got.Rooms) != 1 {
		t.Errorf("%+v", got)
	}
	for name, err := range map[string]error{
		"deposit": second(a.Deposit(alice, 7, 1)), "join": second(a.Join(alice, room)), "leave": a.Leave(alice, room),
	} {
		if err == nil {
			t.Errorf("%s by the old connection", name)
		}
	}
	a.DetachSession(alice)
	a.CloseSession(alice)
	if !b.IsMember(got.Session, room) {
		t.Error("the old connection's end took the session out of its room")
	}
	fenced := 0
	a.DrainMail(func(m Mail) {
		if m.Kind == MailFence && m.SessionID == alice.ID && m.SessionRow == alice.Row && m.Epoch == got.Epoch && m.Epoch > alice.Epoch {
			fenced++
		}
	})
	if fenced != 1 {
		t.Errorf("%d fences", fenced)
	}
	mustVerify(t, seg)
}

func second[T any](_ T, err error) error { return err }

func TestWhatCannotBeResumed(t *testing.T) {
	seg := newSegment(t, smallShape())
	a, b := bind(t, seg, 0, nil), bind(t, seg, 1, nil)
	alice, bob := login(t, a, "alice", 10), login(t, a, "bob", 10)
	closed := openSession(t, a, alice.User)
	a.CloseSession(closed)
	expired := openSession(t, a, alice.User)
	a.DetachSession(expired)
	a.SetClock(func() uint64 { return sinceBootNs() + 2*uint64(a.sessionTTL) })
	if a.ExpireSessions() != 1 {
		t.Error("not expired")
	}
	for name, try := range map[string]struct {
		user uint32
		id   uint64
	}{
		"another user's": {bob.User, alice.ID}, "unknown": {alice.User, alice.ID ^ 1<<5}, "none": {alice.User, 0}, "no user": {0, alice.ID},
		"closed": {alice.User, closed.ID}, "expired": {alice.User, expired.ID}, "of the future": {alice.User, 1 << 60},
	} {
		if _, err := b.ResumeSession(try.user, try.id); !errors.Is(err, ErrNoSession) {
			t.Errorf("%s: %v", name, err)
		}
	}
	row := &seg.sessions[alice.Row]
	row.owner.Store(sessionDetaching.owned(0))
	if _, err := b.ResumeSession(alice.User, alice.ID); !errors.Is(err, ErrBusy) {
		t.Errorf("on a way: %v", err)
	}
	row.owner.Store(sessionEnding.owned(0))
	if _, err := b.ResumeSession(alice.User, alice.ID); !errors.Is(err, ErrNoSession) {
		t.Errorf("being ended: %v", err)
	}
	row.owner.Store(sessionLive.owned(0))
	mustVerify(t, seg)
}

func TestAFullTableEndsTheDetachedSessionThatEndsSoonest(t *testing.T) {
	shape := smallShape()
	shape.SessionsMax = 3
	st := newStore(t, shape)
	alice := addUser(t, st, "alice")
	first, second, live := openSession(t, st, alice), openSession(t, st, alice), openSession(t, st, alice)
	if _, err := st.OpenSession(alice); !errors.Is(err, ErrTableFull) {
		t.Errorf("a full table: %v", err)
	}
	st.DetachSession(second)
	st.SetNow(st.nowNs + uint64(time.Second))
	st.DetachSession(first)
	openSession(t, st, alice)
	if _, err := st.ResumeSession(alice, second.ID); !errors.Is(err, ErrNoSession) {
		t.Errorf("the one that ends soonest: %v", err)
	}
	resume(t, st, first)
	if !st.sessionCurrent(live) {
		t.Error("a live session was ended")
	}
	mustVerify(t, st.seg)
}

// TestALateRequestIsKnownAfterTheRingHasTurned: the walk for a req_id ends at an earlier one of the session.
func TestALateRequestIsKnownAfterTheRingHasTurned(t *testing.T) {
	shape := smallShape()
	shape.LogRecords = logRecordsMin
	st := newStore(t, shape)
	alice, bob := login(t, st, "alice", 1), login(t, st, "bob", 1000)
	if _, err := st.Withdraw(alice, 1, 5); !errors.Is(err, ErrInsufficientFunds) {
		t.Fatal(err)
	}
	for range 2 * logRecordsMin {
		must(t, second(st.Deposit(bob, st.LastReqID(bob)+1, 1)))
	}
	must(t, second(st.Deposit(alice, 2, 100)))
	must(t, second(st.Deposit(alice, 4, 100)))
	late, err := st.Withdraw(alice, 3, 5) // was refused, or lost: it is executed now
	if err != nil || late.Replayed {
		t.Fatal(late, err)
	}
	if again, err := st.Withdraw(alice, 3, 5); err != nil || !again.Replayed || again.Seq != late.Seq {
		t.Errorf("%+v %v", again, err)
	}
	if again, err := st.Deposit(alice, 4, 100); err != nil || !again.Replayed {
		t.Errorf("%+v %v", again, err)
	}
	if outcome, _, err := st.TxnStatus(alice.User, alice.ID, 5); err != nil || outcome != OutcomePending {
		t.Errorf("of a request that never came: %v %v", outcome, err)
	}
	if first, err := st.Withdraw(alice, 1, 5); err != nil || first.Replayed { // the walk ends where the session began
		t.Errorf("the request that was refused: %+v %v", first, err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestSessionsAreRecreatedFromTheLog: what a restart from disk knows of a session is what it had applied.
func TestSessionsAreRecreatedFromTheLog(t *testing.T) {
	old := newStore(t, smallShape())
	openRoom(t, old, "lobby")
	alice, bob := login(t, old, "alice", 100), login(t, old, "bob", 100)
	must(t, second(old.Deposit(alice, 3, 5)))
	posted, err := old.Transfer(alice, 9, bob.User, 5)
	must(t, err)
	fold, records := foldOf(t, old.seg)
	seg := newSegment(t, smallShape())
	must(t, seg.BeginSessions(1))
	must(t, seg.Restore(fold, records))
	a, b := bind(t, seg, 0, nil), bind(t, seg, 1, nil)
	mustVerify(t, seg)
	got := resume(t, a, alice)
	if got.ID != alice.ID || a.LastReqID(got.Session) != 9 || got.Former != -1 {
		t.Fatalf("%+v, last req_id %d", got, a.LastReqID(got.Session))
	}
	if again, err := a.Transfer(got.Session, 9, bob.User, 5); err != nil || !again.Replayed || again.Seq != posted.Seq {
		t.Errorf("%+v %v", again, err)
	}
	if _, err := a.Transfer(got.Session, 9, bob.User, 6); !errors.Is(err, ErrRetryMismatch) {
		t.Error(err)
	}
	if moved := resume(t, b, alice); moved.Former != 0 {
		t.Errorf("%+v", moved)
	}
	if none := resume(t, b, bob); b.LastReqID(none.Session) != 0 {
		t.Errorf("bob's last req_id is %d", b.LastReqID(none.Session))
	}
	if _, err := b.ResumeSession(alice.User, alice.ID+1<<30); !errors.Is(err, ErrNoSession) {
		t.Errorf("a session of the future: %v", err)
	}
	b.SetClock(func() uint64 { return sinceBootNs() + 2*uint64(b.sessionTTL) })
	if _, err := b.ResumeSession(alice.User, alice.ID^1); !errors.Is(err, ErrNoSession) {
		t.Errorf("long after the restart: %v", err)
	}
	mustVerify(t, seg)
}

// TestEndSessionsEndsThemAll: live ones here and elsewhere, detached ones, and those that only the log knows.
func TestEndSessionsEndsThemAll(t *testing.T) {
	seg := newSegment(t, smallShape())
	a, b := bind(t, seg, 0, nil), bind(t, seg, 1, nil)
	master := bind(t, seg, smallShape().MasterSlot(), nil)
	room := openRoom(t, a, "lobby")
	live := login(t, a, "alice", 100)
	other, detached := openSession(t, b, live.User), openSession(t, b, live.User)
	for _, s := range []struct {
		st *Store
		s  Session
	}{{a, live}, {b, other}, {b, detached}} {
		must(t, second(s.st.Join(s.s, room)))
	}
	b.DetachSession(detached)
	must(t, master.EndSessions(live.User))
	if _, err := a.Withdraw(live, 1, 1); !errors.Is(err, ErrFenced) {
		t.Errorf("a request of before: %v", err)
	}
	for _, s := range []Session{live, other, detached} {
		if _, err := b.ResumeSession(s.User, s.ID); !errors.Is(err, ErrNoSession) {
			t.Errorf("%x is resumed: %v", s.ID, err)
		}
	}
	for i, st := range []*Store{a, b} {
		var told []Mail
		st.DrainMail(func(m Mail) {
			if m.Kind == MailRevoked {
				told = append(told, m)
			}
		})
		if want := []Session{live, other}[i]; len(told) != 1 || told[0].Kind != MailRevoked || told[0].SessionID != want.ID || told[0].Epoch <= want.Epoch {
			t.Errorf("slot %d was told %+v", i, told)
		}
	}
	if info, _ := seg.Room(room); info.Members != 0 {
		t.Errorf("%d members", info.Members)
	}
	mustVerify(t, seg)
}

// foldOf folds a whole log, as the journal does.
func foldOf(t *testing.T, seg *Segment) (*ledger.Fold, []ledger.Record) {
	t.Helper()
	records := make([]ledger.Record, seg.Head())
	n, err := seg.ReadLog(0, records)
	if err != nil || n != len(records) {
		t.Fatal(n, err)
	}
	fold := ledger.NewFold()
	for i := range records {
		must(t, fold.Apply(&records[i]))
	}
	return fold, records
}

// TestSessionsMoveAtRandom: three slots open, detach, take over, expire, join, send and die; everything stays whole.
func TestSessionsMoveAtRandom(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	shape := smallShape()
	shape.SessionsMax = 12
	shape.Workers = 3
	seg := newSegment(t, shape)
	master := bind(t, seg, shape.MasterSlot(), nil)
	rooms := []uint32{openRoom(t, master, "lobby"), openRoom(t, master, "attic")}
	var stores [3]*Store
	for slot := range stores {
		stores[slot] = bind(t, seg, slot, nil)
	}
	users := []uint32{addUser(t, master, "alice"), addUser(t, master, "bob"), addUser(t, master, "carol")}
	known := map[uint64]Session{} // the newest right to each session
	owner := map[uint64]int{}
	for range 3000 {
		slot := random.IntN(3)
		st := stores[slot]
		var s Session
		for _, s = range known {
			break
		}
		at, live := owner[s.ID]
		switch random.IntN(10) {
		case 0, 1:
			if got, err := st.OpenSession(users[random.IntN(3)]); err == nil {
				known[got.ID], owner[got.ID] = got, slot
			}
		case 2:
			if live {
				stores[at].DetachSession(s)
				delete(owner, s.ID)
			}
		case 3:
			if live {
				stores[at].CloseSession(s)
				delete(owner, s.ID)
				delete(known, s.ID)
			}
		case 4, 5:
			got, err := st.ResumeSession(s.User, s.ID)
			if err == nil {
				known[s.ID], owner[s.ID] = got.Session, slot
			} else if live {
				t.Fatalf("a live session cannot be taken over: %v", err)
			}
		case 6:
			if live {
				must(t, second(stores[at].Join(s, rooms[random.IntN(2)])))
			}
		case 7:
			if live {
				_ = stores[at].Leave(s, rooms[random.IntN(2)])
			}
		case 8:
			if live {
				_, _, _ = stores[at].Send(s, rooms[random.IntN(2)], []byte("hi"))
			}
			heard(st, rooms[0])
			heard(st, rooms[1])
		case 9:
			if random.IntN(4) == 0 { // killed and repaired
				repair(t, master, slot)
				stores[slot] = bind(t, seg, slot, nil)
				for id, at := range owner {
					if at == slot {
						delete(owner, id)
					}
				}
			}
		}
		for id, at := range owner {
			if !stores[at].sessionCurrent(known[id]) {
				t.Fatalf("slot %d has lost session %d", at, id)
			}
		}
	}
	mustVerify(t, seg)
}
