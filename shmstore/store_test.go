package shmstore

import (
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"
)

var segmentNumber atomic.Uint32

// smallShape is quick to make and reaches its limits in a test.
func smallShape() Shape {
	return Shape{
		Workers: 2, UsersMax: 64, SessionsMax: 128, RoomsMax: 4, LogRecords: 1 << 10,
		RoomRingBytes: 1 << 12, MailboxBytes: 1 << 12, MessageBytesMax: 512,
	}
}

// newSegment creates a segment that the test's end removes.
func newSegment(t testing.TB, shape Shape) *Segment {
	t.Helper()
	name := fmt.Sprintf("tradechat-test-%d-%d", os.Getpid(), segmentNumber.Add(1))
	seg, err := Create(name, shape, Origin{Realm: [16]byte{1, 2, 3}, Folder: t.Name()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := seg.Unlink(); err != nil {
			t.Error(err)
		}
		if err := seg.Close(); err != nil {
			t.Error(err)
		}
	})
	return seg
}

// bind binds a slot whose wake-ups are counted in woken.
func bind(t testing.TB, seg *Segment, slot int, woken *[slotsMax]int) *Store {
	t.Helper()
	st, err := seg.Bind(slot, func(s int) {
		if woken != nil {
			woken[s]++
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	st.SetNow(uint64(time.Now().UnixNano()))
	return st
}

// newStore is a store on a segment of its own.
func newStore(t testing.TB, shape Shape) *Store {
	t.Helper()
	return bind(t, newSegment(t, shape), 0, nil)
}

func addUser(t testing.TB, st *Store, name string) uint32 {
	t.Helper()
	user, err := st.CreateUser([]byte(name), [32]byte{1}, [32]byte{2})
	if err != nil {
		t.Fatalf("create user %s: %v", name, err)
	}
	return user
}

// login adds a user with an opening deposit and opens a session.
func login(t testing.TB, st *Store, name string, opening uint64) Session {
	t.Helper()
	user := addUser(t, st, name)
	if opening != 0 {
		if _, err := st.DepositTo(user, opening); err != nil {
			t.Fatal(err)
		}
	}
	return openSession(t, st, user)
}

func openSession(t testing.TB, st *Store, user uint32) Session {
	t.Helper()
	s, err := st.OpenSession(user)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func balanceOf(t testing.TB, st *Store, user uint32) int64 {
	t.Helper()
	balance, _, err := st.Balance(user)
	if err != nil {
		t.Fatal(err)
	}
	return balance
}

// mustVerify checks the whole segment, which nobody may be changing.
func mustVerify(t testing.TB, seg *Segment) *VerifyReport {
	t.Helper()
	r := seg.VerifyQuiescent()
	for _, p := range r.Problems {
		t.Error(p)
	}
	return r
}
