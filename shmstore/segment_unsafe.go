package shmstore

import (
	"unsafe"

	"tradechat.internal/ledger"
)

// tables are the segment's regions as Go slices over the mapping. They hold no
// pointer into the Go heap, and the mapping outlives them.
type tables struct {
	super        *superblock
	control      *control
	slots        []slotRow
	metricNames  *metricNames
	metrics      []metricsRow
	dirty        []uint64
	accounts     []accountRow
	users        []userRow
	userIndex    []uint32
	sessions     []sessionRow
	sessionUsers []uint32
	log          []ledger.Record
	rooms        []roomRow
	members      []uint64
	cursors      []cursor
	roomRings    []byte
	mailboxes    []mailboxRow
	mailRings    []byte
	addresses    []addressRow
}

func asPrefix(mem []byte) *prefix { return (*prefix)(unsafe.Pointer(&mem[0])) }

func asSuperblock(mem []byte) *superblock { return (*superblock)(unsafe.Pointer(&mem[0])) }

// view is region r of mem as rows of T.
func view[T any](mem []byte, plan plan, r region) []T {
	var row T
	part := mem[plan.offset[r] : plan.offset[r]+plan.bytes[r]]
	return unsafe.Slice((*T)(unsafe.Pointer(&part[0])), plan.bytes[r]/uint64(unsafe.Sizeof(row)))
}

func mapTables(mem []byte, p plan) tables {
	return tables{
		super:        asSuperblock(mem),
		control:      &view[control](mem, p, regionControl)[0],
		slots:        view[slotRow](mem, p, regionSlots),
		metricNames:  &view[metricNames](mem, p, regionMetricNames)[0],
		metrics:      view[metricsRow](mem, p, regionMetrics),
		dirty:        view[uint64](mem, p, regionDirty),
		accounts:     view[accountRow](mem, p, regionAccounts),
		users:        view[userRow](mem, p, regionUsers),
		userIndex:    view[uint32](mem, p, regionUserIndex),
		sessions:     view[sessionRow](mem, p, regionSessions),
		sessionUsers: view[uint32](mem, p, regionSessionUsers),
		log:          view[ledger.Record](mem, p, regionLog),
		rooms:        view[roomRow](mem, p, regionRooms),
		members:      view[uint64](mem, p, regionMembers),
		cursors:      view[cursor](mem, p, regionCursors),
		roomRings:    view[byte](mem, p, regionRoomRings),
		mailboxes:    view[mailboxRow](mem, p, regionMailboxes),
		mailRings:    view[byte](mem, p, regionMailboxRings),
		addresses:    view[addressRow](mem, p, regionAddresses),
	}
}

// entryAt reads the entry header at off of a ring's bytes. off is a multiple of entryBytes.
func entryAt(ring []byte, off uint64) *entryHeader {
	return (*entryHeader)(unsafe.Pointer(&ring[off : off+entryBytes][0]))
}

func sizeOf[T any]() uint64 {
	var row T
	return uint64(unsafe.Sizeof(row))
}
