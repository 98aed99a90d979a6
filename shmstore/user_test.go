package shmstore

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"tradechat.internal/ledger"
)

// TestAUserAndItsOpeningDepositAreOne: if the deposit cannot be made there is no user.
func TestAUserAndItsOpeningDepositAreOne(t *testing.T) {
	st := newStore(t, smallShape())
	rich, err := st.CreateUserWith([]byte("rich"), [32]byte{1}, [32]byte{2}, AmountMax-10)
	must(t, err)
	head := st.seg.Head()
	for name, refused := range map[string]struct {
		opening uint64
		want    error
	}{"more than the supply can hold": {11, ErrBalanceLimit}, "no amount": {AmountMax + 1, ErrInvalidAmount}} {
		if _, err := st.CreateUserWith([]byte("bob"), [32]byte{1}, [32]byte{2}, refused.opening); !errors.Is(err, refused.want) {
			t.Errorf("%s: %v, want %v", name, err, refused.want)
		}
	}
	if _, found := st.seg.FindUser([]byte("bob")); found || st.seg.Head() != head {
		t.Errorf("bob is a user: %v; %d new records", found, st.seg.Head()-head)
	}
	bob, err := st.CreateUserWith([]byte("bob"), [32]byte{1}, [32]byte{2}, 10)
	must(t, err)
	if got := balanceOf(t, st, bob); got != 10 {
		t.Errorf("bob has %d, want 10", got)
	}
	if got := balanceOf(t, st, rich); got != AmountMax-10 {
		t.Errorf("rich has %d", got)
	}
	foldOf(t, st.seg)
	mustVerify(t, st.seg)
}

// TestAUserAndItsOpeningDepositAreReadTogether: the journal is never given the one without the other.
func TestAUserAndItsOpeningDepositAreReadTogether(t *testing.T) {
	st := newStore(t, smallShape())
	for _, name := range []string{"a", "b", "c"} {
		if _, err := st.CreateUserWith([]byte(name), [32]byte{1}, [32]byte{2}, 5); err != nil {
			t.Fatal(err)
		}
	}
	for after := uint64(0); after < st.seg.Head(); {
		group := make([]ledger.Record, 3)
		n, err := st.seg.ReadLog(after, group)
		if err != nil || n != 2 || !group[0].OpensWithDeposit() || group[1].Kind != ledger.KindDeposit {
			t.Fatalf("after %d: %d records, %v: %v, %v", after, n, err, group[0].Kind, group[1].Kind)
		}
		after += uint64(n)
	}
}

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

func TestAClosedSessionIsClosedOnce(t *testing.T) {
	seg := newSegment(t, smallShape())
	st, other := bind(t, seg, 0, nil), bind(t, seg, 1, nil)
	alice := login(t, st, "alice", 10)
	other.slot.heartbeatNs.Store(0) // its locks are not waited for
	if err := other.lockAccounts(alice.User, 0); err != nil {
		t.Fatal(err)
	}
	st.CloseSession(alice)
	st.CloseSession(alice)
	if len(st.retiring) != 1 {
		t.Errorf("rows %v are to be freed", st.retiring)
	}
	other.unlockAccounts(alice.User, 0)
	st.Beat()
	again := openSession(t, st, alice.User)
	st.CloseSession(alice)
	if !st.sessionCurrent(again) {
		t.Error("closing a closed session ended another")
	}
}

func TestTheZeroSessionIsNone(t *testing.T) {
	st := newStore(t, smallShape())
	room := openRoom(t, st, "lobby")
	addUser(t, st, "alice")
	var none Session
	st.CloseSession(none)
	if epoch := st.seg.sessions[0].epoch.Load(); epoch != 0 {
		t.Errorf("closing it raised epoch 0 to %d", epoch)
	}
	if _, err := st.Join(none, room); !errors.Is(err, ErrFenced) {
		t.Errorf("joining: %v", err)
	}
}

func TestABusyRowHoldsNoOtherUp(t *testing.T) {
	seg := newSegment(t, smallShape())
	st, other := bind(t, seg, 0, nil), bind(t, seg, 1, nil)
	alice, bob := login(t, st, "alice", 0), login(t, st, "bob", 0)
	other.slot.heartbeatNs.Store(0) // its locks are not waited for
	if err := other.lockAccounts(alice.User, bob.User); err != nil {
		t.Fatal(err)
	}
	st.CloseSession(alice)
	st.CloseSession(bob)
	other.release(placeFirst, &seg.accounts[alice.User].lock)
	st.Beat()
	if seg.Online(alice.User) || !seg.Online(bob.User) || !slices.Equal(st.retiring, []uint32{bob.Row}) {
		t.Errorf("rows %v are to be freed, want bob's %d", st.retiring, bob.Row)
	}
	other.release(placeSecond, &seg.accounts[bob.User].lock)
	st.Beat()
	if seg.Online(bob.User) {
		t.Error("bob is online")
	}
}

// TestReplacedKeysAreNoticed: a reader that copies a pair of keys compares active before
// and after, so active must never come back to a value that it had.
func TestReplacedKeysAreNoticed(t *testing.T) {
	st := newStore(t, smallShape())
	user := addUser(t, st, "alice")
	row := &st.seg.users[user]
	seen := map[uint32]bool{row.active.Load(): true}
	for i := range byte(5) {
		if err := st.SetUserKeys(user, [32]byte{i}, [32]byte{i}); err != nil {
			t.Fatal(err)
		}
		if active := row.active.Load(); seen[active] {
			t.Errorf("active is %d again", active)
		}
		seen[row.active.Load()] = true
	}
}

func TestKeysThatAreAppliedTwiceAreTheRecords(t *testing.T) {
	st := newStore(t, smallShape())
	user := addUser(t, st, "alice")
	if err := st.SetUserKeys(user, [32]byte{7}, [32]byte{8}); err != nil {
		t.Fatal(err)
	}
	rec := st.seg.recordSlot(st.seg.Head())
	st.seg.users[user].keysSeq = 0 // killed after the flip
	st.seg.apply(rec)
	if stored, server, ok := st.seg.UserKeys(user); !ok || stored[0] != 7 || server[0] != 8 {
		t.Errorf("%v %v %v", stored[0], server[0], ok)
	}
}

func TestAUserThatWasNotMadeHasNoNumber(t *testing.T) {
	seg := newSegment(t, smallShape())
	st, other := bind(t, seg, 0, nil), bind(t, seg, 1, nil)
	other.slot.heartbeatNs.Store(0) // its locks are not waited for
	if err := other.acquire(placeLog, lockLog, &seg.control.logLock); err != nil {
		t.Fatal(err)
	}
	if user, err := st.CreateUser([]byte("alice"), [32]byte{}, [32]byte{}); !errors.Is(err, ErrBusy) || user != 0 {
		t.Errorf("user %d, %v", user, err)
	}
	other.release(placeLog, &seg.control.logLock)
}
