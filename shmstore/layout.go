package shmstore

import (
	"sync/atomic"

	"tradechat.internal/ledger"
)

// This file alone defines what lies in the segment. Sizes and offsets are asserted
// in layout_unsafe.go; a change of any structure changes the layout hash, and a
// change of meaning that leaves the structures as they are raises layoutVersion.

const (
	segmentMagic  uint64 = 0x4e53_5348_4d53_4547 // "NSSHMSEG"
	layoutVersion uint32 = 3

	prefixBytes      = 480
	prefixVersion    = 3 // the first layout version that has the prefix
	superblockBytes  = 4096
	controlBytes     = 4096
	slotRowBytes     = 192
	metricNamesBytes = (countersMax + latenciesMax) * metricNameBytes
	accountRowBytes  = 64
	userRowBytes     = 192
	sessionRowBytes  = 64
	roomRowBytes     = 448
	mailboxRowBytes  = 128
	addressRowBytes  = 320
	cursorBytes      = 16
	entryBytes       = 32
	regionAlign      = 4096
)

// prefix begins the superblock. It is the same in every layout from version 3 on, so that each build can tell what a segment
// of another one holds. Its fields never change their place, their size or their meaning; layout_unsafe.go asserts that.
type prefix struct {
	magic         uint64
	version       uint32 // of the layout
	ready         uint32 // stored last; a segment without it was never finished
	layoutHash    uint64
	segmentBytes  uint64
	createdUnixNs uint64
	headAt        uint64    // offset of the log's head, a uint64
	durableAt     uint64    // offset of the durable seq, a uint64: records above it are in the segment only
	stateAt       uint64    // offset of the journal's state, a uint32: 2 says that what is on disk may be damaged
	journal       [16]byte  // identity of the journal that the segment belongs to
	realmSalt     [16]byte  // of the login keys
	build         [128]byte // version and commit of the build that made it, zero-padded
	owner         [256]byte // data folder at the latest start, zero-padded: for messages
}

// superblock is at offset 0.
type superblock struct {
	prefix
	workers         uint32
	usersMax        uint32
	sessionsMax     uint32
	roomsMax        uint32
	logRecords      uint32
	roomRingBytes   uint32
	mailboxBytes    uint32
	messageBytesMax uint32
	lockMode        uint32
	_               uint32
	regionOffset    [regionCount]uint64
}

// region numbers the parts of the segment, in the order in which they lie.
type region int

const (
	regionControl region = iota
	regionSlots
	regionMetricNames
	regionMetrics
	regionDirty
	regionAccounts
	regionUsers
	regionUserIndex
	regionSessions
	regionSessionUsers
	regionLog
	regionRooms
	regionMembers
	regionCursors
	regionRoomRings
	regionMailboxes
	regionMailboxRings
	regionAddresses
	regionCount
)

// control holds the words that every process contends for, a cache line each.
type control struct {
	registryLock uint32
	_            [60]byte
	globalLock   uint32
	_            [60]byte
	logLock      uint32 // and what it protects, so that a commit moves one line between processors
	_            uint32
	head         published // the commit point: records 1 … head exist
	supply       uint64    // record head's, and its time: derived, set anew by a repair
	timeNs       uint64
	floor        uint64        // records 1 … floor are known to be durable and applied
	logFirst     uint64        // no record before it was ever in the ring; 0: all were
	bootHead     uint64        // the head with which the segment was made: 0, or the journal's
	madeNs       uint64        // when that was, CLOCK_BOOTTIME
	userCount    atomic.Uint32 // ids 1 … userCount exist
	roomCount    atomic.Uint32 // ids 1 … roomCount exist
	_            [56]byte
	durable      atomic.Uint64 // records 1 … durable have what the durability mode promises
	journal      atomic.Uint32 // JournalState
	durableTick  uint32        // futex: raised with durable, for who waits outside an event loop
	durableWaits atomic.Uint32 // how many sleep on it
	journalIdle  uint32        // futex: 1 while the log writer sleeps until the head passes durable
	unguarded    atomic.Uint32 // 1: the next start would not find the segment, so answers wait for the journal in every mode
	_            [36]byte
	failure      [256]byte // why journal is JournalFailed, zero-padded

	sessionEpoch  uint64        // of all sessions that begin in this segment
	sessionSerial atomic.Uint64 // head and serial of the newest session id; it only grows
	sessionPlain  atomic.Uint64 // serial of the newest id that holds no head
	addressSecret [16]byte      // keys the hash of addresses and names, so that nobody can choose who shares a bucket
	_             [24]byte
}

// slotRow is a process's presence. The second line is written for every lock, the
// third by whoever wakes the slot.
type slotRow struct {
	state       atomic.Uint32 // SlotState
	pid         atomic.Uint32
	generation  atomic.Uint32
	_           uint32
	heartbeatNs atomic.Uint64 // CLOCK_MONOTONIC
	startedNs   atomic.Uint64 // CLOCK_REALTIME
	_           [32]byte

	announced  [announcements]lockRef
	pendingSeq uint64
	_          [24]byte

	armed     atomic.Uint32 // 1: the slot wants its eventfd written at the next event
	mailDirty atomic.Uint32
	awaits    atomic.Uint64 // the slot wants its eventfd written once durable is this; 0: it awaits nothing
	_         [48]byte
}

// accountRow is the fold of the log for one user. lastSeq is stored last.
type accountRow struct {
	lock      uint32
	settled   uint32 // 1: no session of an earlier segment is made anew for this user
	balance   int64
	lastSeq   uint64 // the newest record that names this account
	deposited uint64 // sum of its deposits
	withdrawn uint64 // sum of its withdrawals
	_         [24]byte
}

// userRow: the name never changes. Keys are replaced by writing the idle pair and
// then flipping active, so that a reader never sees half of each.
type userRow struct {
	name    ledger.Name
	seq     uint64        // the record that created it
	keysSeq uint64        // the record that set its keys
	active  atomic.Uint32 // index of the pair of keys in force
	_       uint32
	keys    [2]ledger.Keys
	_       [8]byte
}

// sessionRow: owner is 0 when the row is free; it is taken by compare-and-swap.
type sessionRow struct {
	owner     atomic.Uint32 // slot+1 | sessionState<<8 | slot+1 of who served it before<<16
	epoch     atomic.Uint32 // raised whenever the row changes hands
	user      uint32
	_         uint32
	id        atomic.Uint64 // sessionid.go
	lastReqID uint64        // highest applied, under the user's account lock
	expiresNs atomic.Uint64 // detached: when it ends, CLOCK_BOOTTIME
	sinceNs   uint64        // detached: messages of its rooms from then on were not delivered

	refusedReqID uint64             // of its newest money request that was refused, under the user's account lock
	refusedPrint ledger.Fingerprint // that request's contents; 0: none was
}

// ringHead controls a byte ring. state[version&1] is in force; a writer fills the
// other and then raises version, so a killed writer leaves the ring as it was.
type ringHead struct {
	firstPos atomic.Uint64 // entries before it are or may be overwritten
	version  atomic.Uint64
	state    [2]ringState
}

type ringState struct {
	tail       uint64 // position after the newest entry; positions only grow
	lastSeq    uint64 // room_seq of the newest message
	lastTimeNs uint64 // no later entry has an earlier time
}

// entryHeader precedes an entry's bytes in a ring. Entries start at multiples of 32.
type entryHeader struct {
	seq    uint64 // room: room_seq of this or, for an event, of the latest message; mail: session id
	timeNs uint64
	user   uint32 // who sent, joined or left
	target uint32 // mail: session row
	length uint32 // of the bytes that follow
	kind   EventKind
}

type roomRow struct {
	lock        uint32
	memberCount atomic.Uint32
	seq         uint64 // the record that created it
	name        ledger.Name
	news        uint64 // how many joins and leaves were told, under its lock
	_           [8]byte
	ring        ringHead
	bySlot      [slotsMax + 14]atomic.Uint32 // members per slot
}

// cursor is how far a slot has drained a room.
type cursor struct {
	pos atomic.Uint64
	seq atomic.Uint64 // room_seq of the last message drained
}

type mailboxRow struct {
	lock   uint32
	_      uint32
	cursor atomic.Uint64
	_      [48]byte
	ring   ringHead
}

// addressRow counts what one network address does, or the failed logins to one account. Rows are claimed by key; a bucket's last row counts
// for all that find no other.
type addressRow struct {
	key         atomic.Uint64               // hash of the address or name; 0: free
	windowEndNs atomic.Uint64               // CLOCK_BOOTTIME
	failures    atomic.Uint32               // in the window
	growth      atomic.Uint32               // the window is so many times doubled
	connections [slotsMax + 8]atomic.Uint32 // per slot, so that a dead slot's can be dropped
}
