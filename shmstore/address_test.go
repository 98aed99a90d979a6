package shmstore

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"
)

// later has what the store counts in time be by so much further.
func later(st *Store, by time.Duration) {
	st.SetClock(func() uint64 { return sinceBootNs() + uint64(by) })
}

func fail(t *testing.T, st *Store, addr netip.Addr, name string, times int) {
	t.Helper()
	for i := range times {
		if _, ok := st.LoginAllowed(addr, []byte(name)); !ok {
			t.Fatalf("%v is refused %s after %d failures", addr, name, i)
		}
		st.LoginFailed(addr, []byte(name))
	}
}

func TestLoginFailuresAreCountedByAddressOverAllSlots(t *testing.T) {
	seg := newSegment(t, smallShape())
	one, two := bind(t, seg, 0, nil), bind(t, seg, 1, nil)
	addr, mapped := netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("::ffff:192.0.2.7")
	fail(t, one, addr, "alice", LoginFailuresMax)
	retryMs, ok := two.LoginAllowed(mapped, []byte("bob"))
	if ok || retryMs == 0 || retryMs > uint32(LoginFailureWindow/time.Millisecond)+1 {
		t.Errorf("after %d failures: allowed %v, retry after %d ms", LoginFailuresMax, ok, retryMs)
	}
	if _, ok := two.LoginAllowed(netip.MustParseAddr("192.0.2.8"), []byte("bob")); !ok {
		t.Error("another address is refused")
	}
	later(two, LoginFailureWindow)
	if _, ok := two.LoginAllowed(addr, []byte("bob")); !ok {
		t.Error("refused after the window")
	}
	two.LoginFailed(addr, []byte("bob"))
	if _, ok := two.LoginAllowed(addr, []byte("bob")); !ok {
		t.Error("the new window began with the old failures")
	}
}

// Many addresses that guess at one account are limited together. One that has not failed gets its first try all the same.
func TestLoginFailuresAreCountedByAccount(t *testing.T) {
	st := newStore(t, smallShape())
	addr := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}) }
	for i := range LoginFailuresMax {
		fail(t, st, addr(i), "alice", 1)
	}
	for i := range LoginFailuresMax {
		if _, ok := st.LoginAllowed(addr(i), []byte("alice")); ok {
			t.Fatalf("address %d goes on guessing", i)
		}
	}
	if _, ok := st.LoginAllowed(addr(0), []byte("bob")); !ok {
		t.Error("another account is closed as well")
	}
	fresh := addr(1000)
	fail(t, st, fresh, "alice", 1)
	if _, ok := st.LoginAllowed(fresh, []byte("alice")); ok {
		t.Error("a second try of an address is let in")
	}
}

// The window of an account that is tried again as soon as it opens is doubled, up to a bound; one that was quiet is as short as the first.
func TestAnAccountsWindowGrows(t *testing.T) {
	st := newStore(t, smallShape())
	addr := netip.MustParseAddr("192.0.2.7")
	passed := time.Duration(0)
	closed := func() time.Duration {
		for range LoginFailuresMax {
			st.LoginFailed(addr, []byte("alice"))
		}
		wait := st.find(st.nameKey([]byte("alice"))).fullUntil(st.clock(), LoginFailuresMax)
		return time.Duration(wait) * time.Millisecond
	}
	within := func(got, want time.Duration) bool { return got <= want+time.Millisecond && got > want-time.Second }
	for round := range 9 {
		want := LoginFailureWindow << min(round, accountGrowthMax)
		got := closed()
		if !within(got, want) {
			t.Fatalf("round %d: closed for %v, want %v", round, got, want)
		}
		passed += got
		later(st, passed)
	}
	later(st, passed+2*LoginFailureWindow<<(accountGrowthMax+1))
	if got := closed(); !within(got, LoginFailureWindow) {
		t.Errorf("after a quiet time closed for %v", got)
	}
}

func TestConnectionsAreCountedByAddress(t *testing.T) {
	seg := newSegment(t, smallShape())
	one, two, master := bind(t, seg, 0, nil), bind(t, seg, 1, nil), bind(t, seg, 2, nil)
	addr := netip.MustParseAddr("2001:db8::1")
	a, b := one.ConnectionOpened(addr, 2), two.ConnectionOpened(addr, 2)
	if a == 0 || b == 0 || one.ConnectionOpened(addr, 2) != 0 {
		t.Error("the limit of 2 was not kept")
	}
	two.ConnectionClosed(b)
	if one.ConnectionOpened(addr, 2) == 0 {
		t.Error("a closed connection still counts")
	}
	repair(t, master, 0)
	c := two.ConnectionOpened(addr, 1)
	if c == 0 {
		t.Error("the connections of a dead slot still count")
	}
	two.ConnectionClosed(c)
	two.ConnectionClosed(c)
	two.ConnectionClosed(0)
	if two.ConnectionOpened(addr, 1) == 0 || one.ConnectionOpened(addr, 0) == 0 {
		t.Error("closing twice, or no limit")
	}
}

// One subscriber has a /64 of addresses, which are one.
func TestASubnetOfIPv6IsOneAddress(t *testing.T) {
	st := newStore(t, smallShape())
	for i := range 20 {
		text := netip.MustParseAddr("2001:db8:1:2::").As16()
		binary.BigEndian.PutUint64(text[8:], uint64(i)<<40+uint64(i))
		if counted := st.ConnectionOpened(netip.AddrFrom16(text), 3); (counted != 0) != (i < 3) {
			t.Errorf("address %d of the /64: counted in row %d", i, counted)
		}
	}
	if st.ConnectionOpened(netip.MustParseAddr("2001:db8:1:3::1"), 3) == 0 {
		t.Error("another /64 is refused")
	}
	if st.ConnectionOpened(netip.MustParseAddr("192.0.2.1"), 1) == 0 || st.ConnectionOpened(netip.MustParseAddr("192.0.2.2"), 1) == 0 {
		t.Error("IPv4 addresses are taken for one")
	}
}

// A table that is full limits all who find no row, together: 60 connections of one address at a limit of 3 are not let in because others
// have filled its bucket, and guesses go on being counted.
func TestAFullTableLimits(t *testing.T) {
	st := newStore(t, smallShape())
	for i := range len(st.seg.addresses) * 8 {
		st.ConnectionOpened(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 0)
	}
	late := netip.MustParseAddr("192.0.2.7")
	if st.find(st.addressKey(late)) != nil || st.claim(st.addressKey(late)) != st.shared(st.addressKey(late)) {
		t.Fatal("there is room for an address")
	}
	for i := range 60 {
		if st.ConnectionOpened(late, 3) != 0 {
			t.Fatalf("connection %d is let in", i)
		}
	}
	tries := 0
	for ; tries < 1000; tries++ {
		if _, ok := st.LoginAllowed(late, []byte("alice")); !ok {
			break
		}
		st.LoginFailed(late, []byte("alice"))
	}
	if tries > LoginFailuresMax {
		t.Errorf("%d guesses are let in", tries)
	}
}

// A connection is taken off the row that it was counted in, whatever row its address has by then.
func TestAConnectionIsTakenOffItsRow(t *testing.T) {
	st := newStore(t, smallShape())
	addr := netip.MustParseAddr("192.0.2.7")
	var others []counted
	for a := netip.MustParseAddr("10.0.0.0"); len(others) < addressWays-1; a = a.Next() {
		if st.shared(st.addressKey(a)) == st.shared(st.addressKey(addr)) {
			others = append(others, st.ConnectionOpened(a, 0))
		}
	}
	together := st.ConnectionOpened(addr, 1)
	if together == 0 || st.find(st.addressKey(addr)) != nil {
		t.Fatal("the address has a row, or was refused without one")
	}
	st.ConnectionClosed(others[0])
	own := st.ConnectionOpened(addr, 1)
	if own == 0 || own == together {
		t.Fatalf("rows %d and %d", own, together)
	}
	st.ConnectionClosed(together)
	if st.ConnectionOpened(addr, 1) != 0 {
		t.Error("the connection in the shared row was taken off the address's own")
	}
	st.ConnectionClosed(own)
	if st.ConnectionOpened(addr, 1) == 0 {
		t.Error("the closed connection still counts")
	}
}

func TestASecondRowForAnAddressIsGivenUp(t *testing.T) {
	seg := newSegment(t, smallShape())
	one, two := bind(t, seg, 0, nil), bind(t, seg, 1, nil)
	addr := netip.MustParseAddr("192.0.2.7")
	key := one.addressKey(addr)
	if key != two.addressKey(addr) {
		t.Fatal("two processes have different keys")
	}
	if one.ConnectionOpened(addr, 0) == 0 {
		t.Fatal("refused")
	}
	mine := two.take(key) // as if it had looked before slot 0 took a row
	if first := two.find(key); mine == nil || mine == first {
		t.Fatal("there are no two rows")
	}
	if two.keep(key, mine) || mine.key.Load() != 0 {
		t.Error("the second row was kept")
	}
	if two.ConnectionOpened(addr, 1) != 0 {
		t.Error("slot 1 does not see the connection of slot 0")
	}
}

// Nobody can choose whom to share a bucket with: it is another one in every segment.
func TestTheHashIsKeyed(t *testing.T) {
	a, b := newStore(t, smallShape()), newStore(t, smallShape())
	addr := netip.MustParseAddr("192.0.2.7")
	if a.addressKey(addr) == b.addressKey(addr) || a.nameKey([]byte("alice")) == b.nameKey([]byte("alice")) {
		t.Error("two segments have the same hash")
	}
	if a.nameKey([]byte("alice")) == a.nameKey([]byte("alicf")) || a.nameKey([]byte("alice"))&1 == 0 {
		t.Error("names share a hash, or it can be 0")
	}
}
