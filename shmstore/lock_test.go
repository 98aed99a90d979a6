package shmstore

import (
	"slices"
	"testing"
)

// What a slot holds is named while it is held, and only its own is.
func TestLocksHeldAreNamed(t *testing.T) {
	for _, c := range []struct {
		mode     LockMode
		accounts []string
	}{{LockPerAccount, []string{"account 2", "account 5"}}, {LockGlobal, []string{"all accounts"}}} {
		shape := smallShape()
		shape.LockMode = c.mode
		st := newStore(t, shape)
		other := bind(t, st.seg, 1, nil)
		want := func(names ...string) {
			t.Helper()
			if got := st.seg.LocksHeld(st.index); !slices.Equal(got, names) {
				t.Errorf("%v: slot %d holds %q, want %q", c.mode, st.index, got, names)
			}
			if got := st.seg.LocksHeld(other.index); got != nil {
				t.Errorf("%v: the other slot holds %q", c.mode, got)
			}
		}
		want()
		if err := st.lockAccounts(5, 2); err != nil {
			t.Fatal(err)
		}
		want(c.accounts...)
		if err := st.lockRegistry(); err != nil {
			t.Fatal(err)
		}
		want(append([]string{"registry"}, c.accounts...)...)
		st.unlockRegistry()
		st.unlockAccounts(5, 2)
		if err := st.lockRoom(1); err != nil {
			t.Fatal(err)
		}
		want("room 1")
		st.release(placeFirst, &st.seg.rooms[1].lock)
		want()
	}
}
