package shmstore

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// heard collects what a slot drains from a room.
func heard(st *Store, room uint32) (events []Event) {
	st.DrainRoom(room, func(e Event) {
		e.Message = bytes.Clone(e.Message)
		events = append(events, e)
	})
	return events
}

func messagesOf(events []Event) (texts []string) {
	for _, e := range events {
		if e.Kind == EventMessage {
			texts = append(texts, fmt.Sprintf("%d:%s", e.Seq, e.Message))
		}
	}
	return texts
}

func openRoom(t testing.TB, st *Store, name string) uint32 {
	t.Helper()
	room, _, err := st.OpenRoom([]byte(name))
	if err != nil {
		t.Fatal(err)
	}
	return room
}

func join(t testing.TB, st *Store, s Session, room uint32) JoinResult {
	t.Helper()
	j, err := st.Join(s, room)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func send(t testing.TB, st *Store, s Session, room uint32, text string) uint64 {
	t.Helper()
	seq, _, err := st.Send(s, room, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

func TestEverySlotHearsEveryMessageOnceInOrder(t *testing.T) {
	seg := newSegment(t, smallShape())
	var woken [slotsMax]int
	here, there := bind(t, seg, 0, &woken), bind(t, seg, 1, &woken)
	room := openRoom(t, here, "lobby")
	alice, bob := login(t, here, "alice", 0), login(t, here, "bob", 0)
	bob = openSession(t, there, bob.User)
	join(t, here, alice, room)
	join(t, there, bob, room)
	here.TakeDirty(nil)
	there.TakeDirty(nil)
	woken = [slotsMax]int{}
	send(t, here, alice, room, "one")
	send(t, here, alice, room, "two")
	send(t, there, bob, room, "three")
	if woken[0] != 1 || woken[1] != 1 {
		t.Errorf("wake-ups %v: an armed slot is woken once until it looks", woken[:2])
	}
	want := []string{"1:one", "2:two", "3:three"}
	for _, st := range []*Store{here, there} {
		rooms, mail := st.TakeDirty(nil)
		if !slices.Equal(rooms, []uint32{room}) || mail {
			t.Errorf("slot %d: dirty %v, mail %v", st.index, rooms, mail)
		}
		if got := messagesOf(heard(st, room)); !slices.Equal(got, want) {
			t.Errorf("slot %d heard %v", st.index, got)
		}
		if rooms, _ := st.TakeDirty(nil); len(rooms) != 0 || len(heard(st, room)) != 0 {
			t.Errorf("slot %d: something is left", st.index)
		}
	}
	send(t, here, alice, room, "four")
	if woken[0] != 2 || woken[1] != 2 {
		t.Errorf("wake-ups %v after both had looked", woken[:2])
	}
}

func TestJoinedAndLeftAreToldOnceAUser(t *testing.T) {
	st := newStore(t, smallShape())
	room := openRoom(t, st, "lobby")
	alice := login(t, st, "alice", 0)
	bob := login(t, st, "bob", 0)
	bobToo := openSession(t, st, bob.User)
	join(t, st, alice, room)
	own := join(t, st, bob, room)
	join(t, st, bobToo, room)
	if again := join(t, st, bob, room); !again.Already || again.Members != 3 {
		t.Errorf("joining twice: %+v", again)
	}
	st.CloseSession(bob)
	if err := st.Leave(bobToo, room); err != nil {
		t.Fatal(err)
	}
	var got []string
	st.DrainMail(func(m Mail) {
		got = append(got, fmt.Sprintf("%d:%d", m.Kind, m.FromUser))
		if m.Kind == MailJoined && m.FromUser == bob.User && m.News > own.News {
			t.Error("bob would hear of his own joining")
		}
	})
	want := []string{"2:1", "2:2", "3:2"}
	if !slices.Equal(got, want) {
		t.Errorf("events %v, want %v", got, want)
	}
	if err := st.Leave(bobToo, room); !errors.Is(err, ErrNotMember) {
		t.Errorf("leaving twice: %v", err)
	}
	if info, ok := st.seg.Room(room); !ok || info.Members != 1 || string(info.Name) != "lobby" {
		t.Errorf("room %+v %v", info, ok)
	}
	mustVerify(t, st.seg)
}

func TestRoomErrors(t *testing.T) {
	st := newStore(t, smallShape())
	room := openRoom(t, st, "lobby")
	s := login(t, st, "alice", 0)
	check := func(name string, err, want error) {
		t.Helper()
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
	_, _, err := st.Send(s, room, []byte("x"))
	check("send without joining", err, ErrNotMember)
	_, _, err = st.Send(s, 9, []byte("x"))
	check("send to no room", err, ErrNoRoom)
	_, err = st.Join(s, 0)
	check("join room 0", err, ErrNoRoom)
	check("leave no room", st.Leave(s, 4), ErrNoRoom)
	check("history of no room", st.RoomHistory(4, 0, 1, func(Event) {}), ErrNoRoom)
	join(t, st, s, room)
	_, _, err = st.Send(s, room, nil)
	check("empty message", err, ErrMessageLength)
	_, _, err = st.Send(s, room, make([]byte, 513))
	check("long message", err, ErrMessageLength)
	_, _, err = st.OpenRoom([]byte("no spaces"))
	check("room name", err, ErrName)
	for i := range 3 {
		openRoom(t, st, fmt.Sprintf("room%d", i))
	}
	_, _, err = st.OpenRoom([]byte("one-more"))
	check("fifth room", err, ErrTableFull)
	if again, created, err := st.OpenRoom([]byte("room1")); err != nil || created || again != 3 {
		t.Errorf("opening again: %d %v %v", again, created, err)
	}
}

// TestRingAgainstAModel appends messages of random lengths through many turns of the
// ring, drains now and then, and compares with a list; the ring's oldest part is
// compared through the history.
func TestRingAgainstAModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		st := newStore(t, smallShape())
		room := openRoom(t, st, "lobby")
		s := login(t, st, "alice", 0)
		join(t, st, s, room)
		heard(st, room)
		var sent, got []string
		drain := func() { got = append(got, messagesOf(heard(st, room))...) }
		for i := range rapid.IntRange(1, 120).Draw(rt, "messages") {
			text := string(bytes.Repeat([]byte{byte('a' + i%26)}, rapid.IntRange(1, 512).Draw(rt, "length")))
			seq, _, err := st.Send(s, room, []byte(text))
			if errors.Is(err, ErrOwnBacklog) {
				drain()
				seq, _, err = st.Send(s, room, []byte(text))
			}
			if err != nil || seq != uint64(i+1) {
				rt.Fatalf("message %d: seq %d, %v", i+1, seq, err)
			}
			sent = append(sent, fmt.Sprintf("%d:%s", seq, text))
			if rapid.IntRange(0, 9).Draw(rt, "drain") == 0 {
				drain()
			}
		}
		drain()
		if !slices.Equal(sent, got) {
			rt.Fatalf("drained %d messages, sent %d", len(got), len(sent))
		}
		limit := rapid.IntRange(1, 20).Draw(rt, "limit")
		before := rapid.Uint64Range(0, uint64(len(sent)+2)).Draw(rt, "before")
		var kept []string
		if err := st.RoomHistory(room, before, limit, func(e Event) {
			kept = append(kept, fmt.Sprintf("%d:%s", e.Seq, e.Message))
		}); err != nil {
			rt.Fatal(err)
		}
		end := len(sent)
		if before != 0 {
			end = min(end, int(before)-1)
		}
		if len(kept) > limit || len(kept) > 0 && !slices.Equal(kept, sent[end-len(kept):end]) {
			rt.Fatalf("history before %d: %d messages", before, len(kept))
		}
		if before == 0 && len(kept) == 0 {
			rt.Fatal("the newest message is not in the history")
		}
	})
}

func TestASlowSlotHoldsWritersUpUntilItsHeartStops(t *testing.T) {
	seg := newSegment(t, smallShape())
	st, slow := bind(t, seg, 0, nil), bind(t, seg, 1, nil)
	room := openRoom(t, st, "lobby")
	alice := login(t, st, "alice", 0)
	bob := openSession(t, slow, addUser(t, st, "bob"))
	join(t, st, alice, room)
	join(t, slow, bob, room)
	message := make([]byte, 500)
	fill := func() (sent int, err error) {
		for range 20 {
			heard(st, room)
			slow.Beat()
			if _, _, err = st.Send(alice, room, message); err != nil {
				return sent, err
			}
			sent++
		}
		return sent, nil
	}
	if _, err := fill(); !errors.Is(err, ErrBusy) {
		t.Fatalf("a slot that lags: %v", err)
	}
	first := seg.roomRing(room).state().lastSeq
	slow.slot.heartbeatNs.Store(monotonicNs() - uint64(2*ReaderStallMax))
	for range 20 {
		heard(st, room)
		if _, _, err := st.Send(alice, room, message); err != nil {
			t.Fatalf("a slot whose heart has stopped: %v", err)
		}
	}
	events := heard(slow, room)
	gap := events[0]
	if gap.Kind != EventGap || gap.First != 1 || gap.Seq < first {
		t.Fatalf("first event after the stall: %+v", gap)
	}
	if next := events[1]; next.Kind != EventMessage || next.Seq != gap.Seq+1 {
		t.Errorf("after the gap up to %d comes %+v", gap.Seq, next)
	}
	if last := events[len(events)-1]; last.Seq != first+20 {
		t.Errorf("last message %d, want %d", last.Seq, first+20)
	}
}

func TestMembersAreListedOnceInOrder(t *testing.T) {
	st := newStore(t, smallShape())
	room := openRoom(t, st, "lobby")
	for i := range 6 {
		s := login(t, st, fmt.Sprintf("user%d", i), 0)
		if i != 2 {
			join(t, st, s, room)
			join(t, st, openSession(t, st, s.User), room)
		}
	}
	if got := st.Members(room, 0, make([]uint32, 0, 9)); !slices.Equal(got, []uint32{1, 2, 4, 5, 6}) {
		t.Errorf("members %v", got)
	}
	if got := st.Members(room, 2, make([]uint32, 0, 2)); !slices.Equal(got, []uint32{4, 5}) {
		t.Errorf("two after 2: %v", got)
	}
}

func TestDirectMessagesReachEverySession(t *testing.T) {
	seg := newSegment(t, smallShape())
	var woken [slotsMax]int
	here, there := bind(t, seg, 0, &woken), bind(t, seg, 1, &woken)
	alice, bob := login(t, here, "alice", 0), login(t, here, "bob", 0)
	bobToo := openSession(t, there, bob.User)
	reached, _, _, err := here.Direct(alice.User, bob.User, []byte("hi"))
	if err != nil || reached != 2 || woken[0] != 1 || woken[1] != 1 {
		t.Fatalf("reached %d, %v, woken %v", reached, err, woken[:2])
	}
	for st, want := range map[*Store]Session{here: bob, there: bobToo} {
		if _, mail := st.TakeDirty(nil); !mail {
			t.Errorf("slot %d has no mail", st.index)
		}
		var got []Mail
		st.DrainMail(func(m Mail) { got = append(got, m); got[0].Message = bytes.Clone(m.Message) })
		if len(got) != 1 || got[0].SessionID != want.ID || got[0].SessionRow != want.Row ||
			got[0].FromUser != alice.User || string(got[0].Message) != "hi" || got[0].Kind != MailDirect {
			t.Errorf("slot %d: %+v", st.index, got)
		}
	}
	offline := addUser(t, here, "carol")
	if reached, _, _, err := here.Direct(alice.User, offline, []byte("hi")); err != nil || reached != 0 {
		t.Errorf("offline: %d %v", reached, err)
	}
	if _, _, _, err := here.Direct(alice.User, 60, []byte("hi")); !errors.Is(err, ErrNoUser) {
		t.Errorf("unknown: %v", err)
	}
}

func TestAFullMailboxIsBusyAndLosesNothing(t *testing.T) {
	st := newStore(t, smallShape())
	alice, bob := login(t, st, "alice", 0), login(t, st, "bob", 0)
	sent := 0
	var err error
	for ; err == nil && sent < 1000; sent++ {
		_, _, _, err = st.Direct(alice.User, bob.User, []byte("message"))
	}
	if !errors.Is(err, ErrBusy) {
		t.Fatal(err)
	}
	got := 0
	st.DrainMail(func(Mail) { got++ })
	if got != sent-1 {
		t.Errorf("%d messages drained, %d accepted", got, sent-1)
	}
	if _, _, _, err := st.Direct(alice.User, bob.User, []byte("again")); err != nil {
		t.Errorf("after the drain: %v", err)
	}
}

func TestRoomTimesAreTheClocks(t *testing.T) {
	st := newStore(t, smallShape())
	room := openRoom(t, st, "lobby")
	s := login(t, st, "alice", 0)
	join(t, st, s, room)
	at := uint64(time.Date(2030, 1, 2, 3, 4, 5, 6, time.UTC).UnixNano())
	st.SetNow(at)
	if _, timeNs, err := st.Send(s, room, []byte("x")); err != nil || timeNs != at {
		t.Errorf("time %d, %v", timeNs, err)
	}
}

// TestHistoryGoesOnAfterWhatIsOverwritten sends more messages while the first of a page
// is visited, so that those after it are overwritten before their turn.
func TestHistoryGoesOnAfterWhatIsOverwritten(t *testing.T) {
	seg := newSegment(t, smallShape())
	st, reader := bind(t, seg, 0, nil), bind(t, seg, 1, nil)
	room := openRoom(t, st, "lobby")
	s := login(t, st, "alice", 0)
	join(t, st, s, room)
	talk := func(n int) {
		for range n {
			heard(st, room)
			send(t, st, s, room, "hello")
		}
	}
	talk(100)
	const limit = 50 // of the 64 that the ring holds
	for _, page := range []struct{ back, more int }{
		{0, 20},  // the newest; some are overwritten
		{0, 200}, // all of them
		{5, 20},  // those below the newest five
	} {
		newest, before := seg.roomRing(room).state().lastSeq, uint64(0)
		if page.back != 0 {
			before = newest + 1 - uint64(page.back)
			newest = before - 1
		}
		var seqs []uint64
		if err := reader.RoomHistory(room, before, limit, func(e Event) {
			if seqs = append(seqs, e.Seq); len(seqs) == 1 {
				talk(page.more)
			}
		}); err != nil {
			t.Fatal(err)
		}
		last := seqs[len(seqs)-1]
		if last < newest || before != 0 && last != newest || !slices.IsSorted(seqs) || len(seqs) > limit {
			t.Errorf("page %+v: %v, want %d as the last", page, seqs, newest)
		}
	}
}

func TestTheOwnerOfAFullMailboxIsToldAgain(t *testing.T) {
	seg := newSegment(t, smallShape())
	st, owner := bind(t, seg, 0, nil), bind(t, seg, 1, nil)
	alice := login(t, st, "alice", 0)
	bob := openSession(t, owner, addUser(t, st, "bob"))
	var err error
	for err == nil {
		_, _, _, err = st.Direct(alice.User, bob.User, make([]byte, 100))
	}
	if _, mail := owner.TakeDirty(nil); !mail {
		t.Fatal("not told of the first message")
	}
	if _, _, _, err := st.Direct(alice.User, bob.User, make([]byte, 100)); !errors.Is(err, ErrBusy) {
		t.Fatal(err)
	}
	if _, mail := owner.TakeDirty(nil); !mail {
		t.Error("the mailbox is full and its owner does not know")
	}
}

func TestADirectMessageIsNotForTheNextUserOfTheRow(t *testing.T) {
	shape := smallShape()
	shape.SessionsMax = 2
	seg := newSegment(t, shape)
	st, owner := bind(t, seg, 0, nil), bind(t, seg, 1, nil)
	alice := login(t, st, "alice", 0)
	bob := openSession(t, owner, addUser(t, st, "bob"))
	owner.CloseSession(bob) // after slot 0 has found bob in the row
	carol := openSession(t, owner, addUser(t, st, "carol"))
	if carol.Row != bob.Row {
		t.Fatalf("rows %d and %d", bob.Row, carol.Row)
	}
	posted, err := st.mailSession(bob.Row, alice.User, bob.User, []byte("for bob"))
	if posted || err != nil {
		t.Errorf("posted %v, %v", posted, err)
	}
	owner.DrainMail(func(m Mail) { t.Errorf("session %x gets %q", m.SessionID, m.Message) })
}

func TestJoinsOfLargeRoomsAreNotTold(t *testing.T) {
	shape := smallShape()
	shape.UsersMax, shape.SessionsMax = announcedRoomEventMembersMax+9, announcedRoomEventMembersMax+9
	st := newStore(t, shape)
	room := openRoom(t, st, "lobby")
	told, left := 0, 0
	drain := func() {
		st.DrainMail(func(m Mail) {
			switch m.Kind {
			case MailJoined:
				told++
			case MailLeft:
				left++
			}
		})
	}
	var sessions []Session
	for i := range announcedRoomEventMembersMax + 5 {
		s := openSession(t, st, addUser(t, st, fmt.Sprintf("user%d", i)))
		join(t, st, s, room)
		drain()
		sessions = append(sessions, s)
	}
	for _, s := range sessions {
		st.CloseSession(s)
		drain()
	}
	if told != announcedRoomEventMembersMax || left != announcedRoomEventMembersMax { // the last one leaves nobody behind
		t.Errorf("%d joins and %d leaves were told", told, left)
	}
}

// TestADirectMessageSaysWhomItMissed: a user's sessions at one slot take the room of one entry; where that is not to be had,
// they are counted.
func TestADirectMessageSaysWhomItMissed(t *testing.T) {
	seg := newSegment(t, smallShape())
	here, there := bind(t, seg, 0, nil), bind(t, seg, 1, nil)
	alice := login(t, here, "alice", 0)
	bob := addUser(t, here, "bob")
	const each = 30
	for range each {
		openSession(t, here, bob)
		openSession(t, there, bob)
	}
	message := make([]byte, 500)
	heard := func(st *Store) (n int) {
		st.DrainMail(func(m Mail) {
			if m.Kind == MailDirect && m.FromUser == alice.User && len(m.Message) == len(message) {
				n++
			}
		})
		return n
	}
	reached, missed, _, err := here.Direct(alice.User, bob, message)
	if err != nil || reached != 2*each || missed != 0 {
		t.Errorf("reached %d, missed %d, %v", reached, missed, err)
	}
	if a, b := heard(here), heard(there); a != each || b != each {
		t.Errorf("%d and %d sessions heard it", a, b)
	}
	for err == nil && missed == 0 { // the other slot does not look
		reached, missed, _, err = here.Direct(alice.User, bob, message)
		heard(here)
	}
	if err != nil || reached != each || missed != each {
		t.Errorf("with one mailbox full: reached %d, missed %d, %v", reached, missed, err)
	}
	mustVerify(t, seg)
}

// TestJoinsTakeNothingFromTheHistory: a room's messages stay, however many come and go.
func TestJoinsTakeNothingFromTheHistory(t *testing.T) {
	st := newStore(t, smallShape())
	room := openRoom(t, st, "lobby")
	alice, bob := login(t, st, "alice", 0), login(t, st, "bob", 0)
	join(t, st, alice, room)
	const messages = 20
	for range messages {
		send(t, st, alice, room, "stays")
	}
	heard(st, room)
	for range 10_000 {
		join(t, st, bob, room)
		must(t, st.Leave(bob, room))
	}
	kept := 0
	must(t, st.RoomHistory(room, 0, messages, func(e Event) {
		if string(e.Message) == "stays" {
			kept++
		}
	}))
	if kept != messages {
		t.Errorf("%d of %d messages are kept", kept, messages)
	}
	if reached, missed, _, err := st.Direct(alice.User, bob.User, []byte("hi")); err != nil || reached != 1 || missed != 0 {
		t.Errorf("a direct message after them: reached %d, missed %d, %v", reached, missed, err)
	}
	mustVerify(t, st.seg)
}
