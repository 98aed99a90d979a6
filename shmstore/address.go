package shmstore

import (
	"crypto/sha256"
	"encoding/binary"
	"net/netip"
	"time"
)

// The address table counts open connections and failed logins of each network address, and failed logins to each account, over all workers.
//
//	bucket   [row][row][row][row][row][row][row][shared]     a key's row is one of the first seven
//
// A row that remembers nothing, no open connection and no window that still runs, may be taken. Where there is none, the bucket's last row
// counts for all that find no other: no room means limited together, never unlimited. The hash is keyed with a secret of the segment, so nobody
// can choose whom to share with.
//
// An IPv6 address counts as its /64, which is what one subscriber has; IPv4 in IPv6 is IPv4.

// counted says in which row a connection is counted; 0: in none, it was refused.
type counted = uint32

// LoginAllowed tells whether a login of an account may be tried from an address, and if not, after how many milliseconds it may. An account
// whose window is full is closed to addresses that have failed themselves: from any other the first try is let in, so that nobody can
// lock a user out who knows the password.
func (st *Store) LoginAllowed(addr netip.Addr, name []byte) (retryAfterMs uint32, ok bool) {
	now := st.clock()
	own := st.findOrShared(st.addressKey(addr))
	if wait := own.fullUntil(now, LoginFailuresMax); wait != 0 {
		return wait, false
	}
	if own.failedNow(now) {
		if wait := st.findOrShared(st.nameKey(name)).fullUntil(now, LoginFailuresMax); wait != 0 {
			return wait, false
		}
	}
	return 0, true
}

// LoginFailed counts a failure of the address and of the account. The windows of an account double while it is tried again and again.
func (st *Store) LoginFailed(addr netip.Addr, name []byte) {
	now := st.clock()
	st.claim(st.addressKey(addr)).fail(now, 0)
	st.claim(st.nameKey(name)).fail(now, accountGrowthMax)
}

// fullUntil is 0, or for how many milliseconds no more failures are let in.
func (row *addressRow) fullUntil(now uint64, most uint32) (waitMs uint32) {
	end := row.windowEndNs.Load()
	if now >= end || row.failures.Load() < most {
		return 0
	}
	return uint32((end-now)/uint64(time.Millisecond)) + 1
}

// failedNow tells whether the window that runs has a failure.
func (row *addressRow) failedNow(now uint64) bool {
	return now < row.windowEndNs.Load() && row.failures.Load() != 0
}

// fail counts one failure. The first after a window begins the next one: twice as long, up to growthMax times, if the last was full and
// is hardly over; of the least length otherwise.
func (row *addressRow) fail(now uint64, growthMax uint32) {
	end, growth := row.windowEndNs.Load(), row.growth.Load()
	if now >= end {
		if growth++; row.failures.Load() < LoginFailuresMax || now-end > uint64(LoginFailureWindow)<<growth {
			growth = 0
		}
		growth = min(growth, growthMax)
		if row.windowEndNs.CompareAndSwap(end, now+uint64(LoginFailureWindow)<<growth) {
			row.failures.Store(0)
			row.growth.Store(growth)
		}
	}
	row.failures.Add(1)
}

// ConnectionOpened counts a connection of the address; 0, and nothing counted, if it has limit already. A limit of 0 is none. What it returns
// is for ConnectionClosed.
func (st *Store) ConnectionOpened(addr netip.Addr, limit uint32) counted {
	key := st.addressKey(addr)
	row := st.claim(key)
	for {
		if limit != 0 && row.open() >= limit {
			return 0
		}
		row.connections[st.index].Add(1)
		if current := row.key.Load(); current == key || row == st.shared(key) {
			return st.number(key, row)
		}
		row.connections[st.index].Add(^uint32(0)) // it had seemed idle, and was taken for another address
		row = st.claim(key)
	}
}

// ConnectionClosed undoes ConnectionOpened.
func (st *Store) ConnectionClosed(in counted) {
	if in == 0 {
		return
	}
	if row := &st.seg.addresses[in-1]; row.connections[st.index].Load() != 0 { // a repair of the slot has forgotten them
		row.connections[st.index].Add(^uint32(0))
	}
}

func (row *addressRow) open() (n uint32) {
	for i := range row.connections {
		n += row.connections[i].Load()
	}
	return n
}

// addressKey and nameKey are non-zero keyed hashes.
func (st *Store) addressKey(addr netip.Addr) uint64 {
	b := addr.Unmap().As16()
	if addr.Is6() && !addr.Is4In6() {
		clear(b[8:])
	}
	return st.key('a', b[:])
}

func (st *Store) nameKey(name []byte) uint64 {
	return st.key('n', name[:min(len(name), nameKeyBytesMax)])
}

func (st *Store) key(domain byte, of []byte) uint64 {
	var text [len(st.seg.control.addressSecret) + 1 + nameKeyBytesMax]byte
	n := copy(text[:], st.seg.control.addressSecret[:])
	text[n] = domain
	n += 1 + copy(text[n+1:], of)
	sum := sha256.Sum256(text[:n])
	return binary.LittleEndian.Uint64(sum[:]) | 1
}

// bucket is the rows that key may lie in, the shared one last.
func (st *Store) bucket(key uint64) []addressRow {
	first := st.bucketStart(key)
	return st.seg.addresses[first : first+addressWays]
}

func (st *Store) bucketStart(key uint64) uint64 {
	return key >> 1 % (uint64(len(st.seg.addresses)) / addressWays) * addressWays
}

func (st *Store) shared(key uint64) *addressRow { return &st.bucket(key)[addressWays-1] }

// number is the place in the table, from 1, of a row of the key's bucket.
func (st *Store) number(key uint64, row *addressRow) counted {
	bucket, i := st.bucket(key), 0
	for &bucket[i] != row {
		i++
	}
	return counted(st.bucketStart(key)) + counted(i) + 1
}

// find is the key's own row, nil if it has none.
func (st *Store) find(key uint64) *addressRow {
	own := st.bucket(key)[:addressWays-1]
	for i := range own {
		if own[i].key.Load() == key {
			return &own[i]
		}
	}
	return nil
}

// findOrShared is the row that counts for the key now. One that has none, though there is room, has nothing to be held against it.
func (st *Store) findOrShared(key uint64) *addressRow {
	if row := st.find(key); row != nil {
		return row
	}
	own := st.bucket(key)[:addressWays-1]
	for i := range own {
		if own[i].idle(st.clock()) {
			return &nothing
		}
	}
	return st.shared(key)
}

// nothing is the row of those who have done nothing.
var nothing addressRow

func (row *addressRow) idle(now uint64) bool {
	return row.open() == 0 && now >= row.windowEndNs.Load()
}

// claim finds the key's row, or takes one that remembers nothing, or the shared one. Two slots may each take one for the same key: whoever
// then sees another one gives its own up and looks again.
func (st *Store) claim(key uint64) *addressRow {
	for range addressWays {
		if row := st.find(key); row != nil {
			return row
		}
		mine := st.take(key)
		if mine == nil {
			break
		}
		if st.keep(key, mine) {
			return mine
		}
	}
	return st.shared(key)
}

// keep gives mine up if another row is the key's too.
func (st *Store) keep(key uint64, mine *addressRow) bool {
	own := st.bucket(key)[:addressWays-1]
	for i := range own {
		if row := &own[i]; row != mine && row.key.Load() == key {
			mine.key.CompareAndSwap(key, 0)
			return false
		}
	}
	return true
}

// take makes a row that remembers nothing the key's.
func (st *Store) take(key uint64) *addressRow {
	own, now := st.bucket(key)[:addressWays-1], st.clock()
	for i := range own {
		row := &own[i]
		old := row.key.Load()
		if (old == 0 || row.idle(now)) && row.key.CompareAndSwap(old, key) {
			row.failures.Store(0)
			row.growth.Store(0)
			return row
		}
	}
	return nil
}

// dropConnections forgets the connections of a slot whose process is gone.
func (seg *Segment) dropConnections(slot int) {
	for i := range seg.addresses {
		seg.addresses[i].connections[slot].Store(0)
	}
}
