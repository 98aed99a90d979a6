package shmstore

import (
	"encoding/binary"
	"net/netip"
	"time"
)

// The address table counts login failures and open connections of each network
// address over all workers. It is a cache with a few ways: an address that finds no
// row is not limited, and one that has nothing to remember gives its row up.

// LoginAllowed tells whether an address may try to log in, and if not, after how many
// milliseconds it may.
func (st *Store) LoginAllowed(addr netip.Addr) (retryAfterMs uint32, ok bool) {
	row := st.findAddress(addressKey(addr))
	if row == nil || row.failures.Load() < LoginFailuresMax {
		return 0, true
	}
	end := row.windowEndNs.Load()
	if st.nowNs >= end {
		return 0, true
	}
	return uint32((end-st.nowNs)/uint64(time.Millisecond)) + 1, false
}

// LoginFailed counts a failure of the address. The first of a window starts it.
func (st *Store) LoginFailed(addr netip.Addr) {
	row := st.claimAddress(addressKey(addr))
	if row == nil {
		return
	}
	end := row.windowEndNs.Load()
	if st.nowNs >= end && row.windowEndNs.CompareAndSwap(end, st.nowNs+uint64(LoginFailureWindow)) {
		row.failures.Store(0)
	}
	row.failures.Add(1)
}

// ConnectionOpened counts a connection of the address; false, and nothing counted, if
// it has limit already. 0 is no limit.
func (st *Store) ConnectionOpened(addr netip.Addr, limit uint32) bool {
	row := st.claimAddress(addressKey(addr))
	if row == nil {
		return true
	}
	if limit != 0 && row.open() >= limit {
		return false
	}
	row.connections[st.index].Add(1)
	return true
}

// ConnectionClosed undoes ConnectionOpened.
func (st *Store) ConnectionClosed(addr netip.Addr) {
	if row := st.findAddress(addressKey(addr)); row != nil && row.connections[st.index].Load() != 0 {
		row.connections[st.index].Add(^uint32(0))
	}
}

func (row *addressRow) open() (n uint32) {
	for i := range row.connections {
		n += row.connections[i].Load()
	}
	return n
}

// addressKey is a non-zero hash of the address; IPv4 in IPv6 is IPv4.
func addressKey(addr netip.Addr) uint64 {
	b := addr.Unmap().As16()
	h := binary.BigEndian.Uint64(b[:8])*0x9e3779b97f4a7c15 ^ binary.BigEndian.Uint64(b[8:])
	h ^= h >> 32
	h *= 0xd6e8feb86659fd93
	h ^= h >> 32
	return h | 1
}

// ways visits the rows that key may lie in.
func (st *Store) ways(key uint64, visit func(*addressRow) bool) *addressRow {
	rows := st.seg.addresses
	first := key % uint64(len(rows)/addressWays) * addressWays
	for i := range uint64(addressWays) {
		if row := &rows[first+i]; visit(row) {
			return row
		}
	}
	return nil
}

func (st *Store) findAddress(key uint64) *addressRow {
	return st.ways(key, func(row *addressRow) bool { return row.key.Load() == key })
}

// claimAddress finds the address's row or takes one that remembers nothing.
func (st *Store) claimAddress(key uint64) *addressRow {
	if row := st.findAddress(key); row != nil {
		return row
	}
	return st.ways(key, func(row *addressRow) bool {
		old := row.key.Load()
		idle := old == 0 || st.nowNs >= row.windowEndNs.Load() && row.open() == 0
		if !idle || !row.key.CompareAndSwap(old, key) {
			return false
		}
		row.failures.Store(0)
		return true
	})
}

// dropConnections forgets the connections of a slot whose process is gone.
func (seg *Segment) dropConnections(slot int) {
	for i := range seg.addresses {
		seg.addresses[i].connections[slot].Store(0)
	}
}
