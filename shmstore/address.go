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
// it has limit already. 0 is no limit. ConnectionClosed is for those that were let in.
func (st *Store) ConnectionOpened(addr netip.Addr, limit uint32) bool {
	key := addressKey(addr)
	row := st.claimAddress(key)
	if row != nil && limit != 0 && row.open() >= limit {
		return false
	}
	if row == nil || !st.countConnection(row, key) {
		st.rowless.opened(key)
	}
	return true
}

// countConnection counts in row unless that has seemed idle and was taken for another
// address since it was found.
func (st *Store) countConnection(row *addressRow, key uint64) bool {
	row.connections[st.index].Add(1)
	if row.key.Load() == key {
		return true
	}
	row.connections[st.index].Add(^uint32(0))
	return false
}

// ConnectionClosed undoes ConnectionOpened.
func (st *Store) ConnectionClosed(addr netip.Addr) {
	key := addressKey(addr)
	if st.rowless.closed(key) {
		return
	}
	if row := st.findAddress(key); row != nil && row.connections[st.index].Load() != 0 {
		row.connections[st.index].Add(^uint32(0))
	}
}

// rowlessConnections are a store's connections, by address, for which the table had no
// row, so that their closing is not taken off a row that the address gets later. They
// are in the memory of the store's process.
type rowlessConnections map[uint64]uint32

func (c rowlessConnections) opened(key uint64) { c[key]++ }

// closed is false if the address has none.
func (c rowlessConnections) closed(key uint64) bool {
	switch c[key] {
	case 0:
		return false
	case 1:
		delete(c, key)
	default:
		c[key]--
	}
	return true
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

// claimAddress finds the address's row or takes one that remembers nothing. Two slots
// may each take one for the same address: whoever then sees another one gives its own
// up and looks again.
func (st *Store) claimAddress(key uint64) *addressRow {
	for range addressWays {
		if row := st.findAddress(key); row != nil {
			return row
		}
		mine := st.takeAddress(key)
		if mine == nil {
			return nil
		}
		if st.keepAddress(key, mine) {
			return mine
		}
	}
	return nil
}

// keepAddress gives mine up if another row is the address's too.
func (st *Store) keepAddress(key uint64, mine *addressRow) bool {
	other := st.ways(key, func(row *addressRow) bool { return row != mine && row.key.Load() == key })
	if other != nil {
		mine.key.CompareAndSwap(key, 0)
	}
	return other == nil
}

// takeAddress makes a row that remembers nothing the address's.
func (st *Store) takeAddress(key uint64) *addressRow {
	return st.ways(key, func(row *addressRow) bool {
		old := row.key.Load()
		idle := row.open() == 0 && (old == 0 || st.nowNs >= row.windowEndNs.Load())
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
