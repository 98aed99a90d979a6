package shmstore

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestUsersAreFoundByName(t *testing.T) {
	st := newStore(t, smallShape())
	for i := range 64 {
		name := fmt.Sprintf("user-%d.%s", i, strings.Repeat("x", i%20))
		if id := addUser(t, st, name); id != uint32(i+1) {
			t.Fatalf("user %d has id %d", i, id)
		}
		if id, ok := st.seg.FindUser([]byte(name)); !ok || id != uint32(i+1) || string(st.seg.UserName(id)) != name {
			t.Fatalf("%s: %d %v %q", name, id, ok, st.seg.UserName(id))
		}
	}
	if _, err := st.CreateUser([]byte("one-more"), [32]byte{}, [32]byte{}); !errors.Is(err, ErrTableFull) {
		t.Errorf("65th user: %v", err)
	}
	if _, ok := st.seg.FindUser([]byte("nobody")); ok {
		t.Error("found nobody")
	}
	mustVerify(t, st.seg)
}

func TestUserNamesAndDuplicates(t *testing.T) {
	st := newStore(t, smallShape())
	addUser(t, st, "alice")
	if _, err := st.CreateUser([]byte("alice"), [32]byte{}, [32]byte{}); !errors.Is(err, ErrExists) {
		t.Errorf("duplicate: %v", err)
	}
	for _, name := range []string{"", strings.Repeat("n", 33), "with space", "ünïcode", "a/b", "nul\x00"} {
		if _, err := st.CreateUser([]byte(name), [32]byte{}, [32]byte{}); !errors.Is(err, ErrName) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if longest := strings.Repeat("n", 32); addUser(t, st, longest) != 2 {
		t.Error("a name of 32 bytes")
	}
	if st.seg.UserCount() != 2 || st.seg.Head() != 2 {
		t.Errorf("%d users, %d records", st.seg.UserCount(), st.seg.Head())
	}
}

func TestKeysAreReplacedWhole(t *testing.T) {
	st := newStore(t, smallShape())
	user := addUser(t, st, "alice")
	for i := byte(3); i < 6; i++ {
		if err := st.SetUserKeys(user, [32]byte{i}, [32]byte{i + 100}); err != nil {
			t.Fatal(err)
		}
		stored, server, ok := st.seg.UserKeys(user)
		if !ok || stored[0] != i || server[0] != i+100 {
			t.Fatalf("keys %d: %v %v %v", i, stored[0], server[0], ok)
		}
	}
	if err := st.SetUserKeys(9, [32]byte{}, [32]byte{}); !errors.Is(err, ErrNoUser) {
		t.Errorf("unknown user: %v", err)
	}
	if _, _, ok := st.seg.UserKeys(9); ok {
		t.Error("keys of an unknown user")
	}
}

func TestOnlineUsersAreListedOnceInOrder(t *testing.T) {
	st := newStore(t, smallShape())
	var open []Session
	for i := range 10 {
		s := login(t, st, fmt.Sprintf("user%d", i), 0)
		open = append(open, s, openSession(t, st, s.User))
	}
	for _, user := range []uint32{3, 7} {
		for _, s := range open {
			if s.User == user {
				st.CloseSession(s)
			}
		}
		if st.seg.Online(user) {
			t.Errorf("user %d is online", user)
		}
	}
	if got := st.OnlineUsers(0, make([]uint32, 0, 99)); !slices.Equal(got, []uint32{1, 2, 4, 5, 6, 8, 9, 10}) {
		t.Errorf("all: %v", got)
	}
	if got := st.OnlineUsers(4, make([]uint32, 0, 3)); !slices.Equal(got, []uint32{5, 6, 8}) {
		t.Errorf("three after 4: %v", got)
	}
	if st.seg.Online(0) {
		t.Error("user 0 is online")
	}
}

func TestTheSessionTableFillsAndEmpties(t *testing.T) {
	shape := smallShape()
	shape.SessionsMax = 3
	st := newStore(t, shape)
	first := login(t, st, "alice", 0)
	openSession(t, st, first.User)
	openSession(t, st, first.User)
	if _, err := st.OpenSession(first.User); !errors.Is(err, ErrTableFull) {
		t.Fatalf("fourth session: %v", err)
	}
	st.CloseSession(first)
	if s := openSession(t, st, first.User); s.Row != first.Row || s.ID == first.ID {
		t.Errorf("row %d id %x, was %d %x", s.Row, s.ID, first.Row, first.ID)
	}
	if _, err := st.OpenSession(99); !errors.Is(err, ErrNoUser) {
		t.Errorf("unknown user: %v", err)
	}
}
