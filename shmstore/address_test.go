package shmstore

import (
	"net/netip"
	"testing"
	"time"
)

func TestLoginFailuresAreCountedByAddressOverAllSlots(t *testing.T) {
	seg := newSegment(t, smallShape())
	one, two := bind(t, seg, 0, nil), bind(t, seg, 1, nil)
	addr, mapped := netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("::ffff:192.0.2.7")
	for i := range LoginFailuresMax {
		if _, ok := one.LoginAllowed(addr); !ok {
			t.Fatalf("refused after %d failures", i)
		}
		one.LoginFailed(addr)
	}
	retryMs, ok := two.LoginAllowed(mapped)
	if ok || retryMs == 0 || retryMs > uint32(LoginFailureWindow/time.Millisecond)+1 {
		t.Errorf("after %d failures: allowed %v, retry after %d ms", LoginFailuresMax, ok, retryMs)
	}
	if _, ok := two.LoginAllowed(netip.MustParseAddr("192.0.2.8")); !ok {
		t.Error("another address is refused")
	}
	two.SetNow(one.nowNs + uint64(LoginFailureWindow))
	if _, ok := two.LoginAllowed(addr); !ok {
		t.Error("refused after the window")
	}
	two.LoginFailed(addr)
	if _, ok := two.LoginAllowed(addr); !ok {
		t.Error("the new window began with the old failures")
	}
}

func TestConnectionsAreCountedByAddress(t *testing.T) {
	seg := newSegment(t, smallShape())
	one, two, master := bind(t, seg, 0, nil), bind(t, seg, 1, nil), bind(t, seg, 2, nil)
	addr := netip.MustParseAddr("2001:db8::1")
	if !one.ConnectionOpened(addr, 2) || !two.ConnectionOpened(addr, 2) || one.ConnectionOpened(addr, 2) {
		t.Error("the limit of 2 was not kept")
	}
	two.ConnectionClosed(addr)
	if !one.ConnectionOpened(addr, 2) {
		t.Error("a closed connection still counts")
	}
	repair(t, master, 0)
	if !two.ConnectionOpened(addr, 1) {
		t.Error("the connections of a dead slot still count")
	}
	two.ConnectionClosed(addr)
	two.ConnectionClosed(addr)
	if !two.ConnectionOpened(addr, 1) || !one.ConnectionOpened(addr, 0) {
		t.Error("closing twice, or no limit")
	}
}

func TestAFullAddressTableLimitsNobody(t *testing.T) {
	st := newStore(t, smallShape())
	for i := range 1 << 13 {
		addr := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		if !st.ConnectionOpened(addr, 1) {
			t.Fatalf("address %d is refused its first connection", i)
		}
		st.ConnectionClosed(addr)
	}
}

func TestASecondRowForAnAddressIsGivenUp(t *testing.T) {
	seg := newSegment(t, smallShape())
	one, two := bind(t, seg, 0, nil), bind(t, seg, 1, nil)
	addr := netip.MustParseAddr("192.0.2.7")
	key := addressKey(addr)
	if !one.ConnectionOpened(addr, 0) {
		t.Fatal("refused")
	}
	mine := two.takeAddress(key) // as if it had looked before slot 0 took a row
	if first := two.findAddress(key); mine == nil || mine == first {
		t.Fatal("there are no two rows")
	}
	if two.keepAddress(key, mine) || mine.key.Load() != 0 {
		t.Error("the second row was kept")
	}
	if two.ConnectionOpened(addr, 1) {
		t.Error("slot 1 does not see the connection of slot 0")
	}
}

// sameWays are n other addresses that share addr's rows.
func sameWays(addr netip.Addr, n int) (found []netip.Addr) {
	set := func(a netip.Addr) uint64 { return addressKey(a) % (addressRows / addressWays) }
	for a := netip.MustParseAddr("10.0.0.0"); len(found) < n; a = a.Next() {
		if set(a) == set(addr) {
			found = append(found, a)
		}
	}
	return found
}

func TestAConnectionWithoutARowIsNotTakenOffALaterOne(t *testing.T) {
	st := newStore(t, smallShape())
	addr := netip.MustParseAddr("192.0.2.7")
	others := sameWays(addr, addressWays)
	for _, other := range others {
		st.ConnectionOpened(other, 0)
	}
	if !st.ConnectionOpened(addr, 1) || st.findAddress(addressKey(addr)) != nil {
		t.Fatal("the address has a row, or was refused without one")
	}
	st.ConnectionClosed(others[0])
	if !st.ConnectionOpened(addr, 1) {
		t.Fatal("refused with a row that counts nothing")
	}
	st.ConnectionClosed(addr)
	if st.ConnectionOpened(addr, 1) {
		t.Error("closing the connection that was not counted was taken off the one that was")
	}
	st.ConnectionClosed(addr)
	if !st.ConnectionOpened(addr, 1) {
		t.Error("the closed connection still counts")
	}
}
