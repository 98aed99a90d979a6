package shmstore

import (
	"time"

	"tradechat.internal/ledger"
)

// Limits of the segment. Sizes are bytes unless the name says otherwise.
const (
	slotsMax = 66 // 64 workers, the master and the journal

	// NameBytesMax and AmountMax are the log's: no name, amount, balance or supply is larger.
	NameBytesMax = ledger.NameBytesMax
	AmountMax    = ledger.AmountMax

	// LegsMax is the number of transfers that one batch may hold.
	LegsMax = 1024

	// announcedRoomEventMembersMax bounds the rooms whose joins and leaves are told
	// to their members.
	announcedRoomEventMembersMax = 256

	usersMaxLimit      = 1 << 24
	sessionsMaxLimit   = 1 << 20
	roomsMaxLimit      = 1 << 14
	logRecordsMin      = 1 << 6
	logRecordsMax      = 1 << 26
	ringBytesMin       = 1 << 12
	ringBytesMax       = 1 << 24
	messagesPerRingMin = 4 // a ring holds at least this many messages of the largest size

	// recordsPerCommitMax is how many records become part of history at once: so many places behind the head are garbage.
	recordsPerCommitMax = 2

	// chainStepsMax bounds a walk along an account's chain, so that a page of history
	// far back, or an old req_id, cannot hold up the event loop.
	chainStepsMax = 1 << 16

	// historyPassesMax bounds how often RoomHistory looks again for messages that were
	// overwritten while it read.
	historyPassesMax = 8

	// evictionsMax bounds how often OpenSession looks for a row that others may take too.
	evictionsMax = 8

	// addressWays is how many rows a key may have, the one that is shared included.
	addressWays = 8

	// addressRowsMin is the shortest address table.
	addressRowsMin = 8 * addressWays

	// countersMax and latenciesMax are the columns that a metrics row has room for: new ones need no new layout.
	countersMax  = 64
	latenciesMax = 8

	// metricNameBytes is the longest name of a counter or latency.
	metricNameBytes = 32

	// folderEntriesMax bounds the search for a segment in Folder.
	folderEntriesMax = 1 << 16
)

// Deadlines and windows.
const (
	// LockWaitMax is how long an acquire waits for a holder that is alive.
	LockWaitMax = 100 * time.Millisecond

	// HolderStallMax is the age of a heartbeat from which on its slot's locks are
	// not waited for.
	HolderStallMax = 500 * time.Millisecond

	// ReaderStallMax is the age of a heartbeat from which on a slot's ring cursors
	// no longer hold up writers.
	ReaderStallMax = time.Second

	// SessionTTLDefault is how long a detached session can be resumed unless SetSessionTTL says otherwise.
	SessionTTLDefault = 10 * time.Minute

	// LoginFailureWindow and LoginFailuresMax: an address may fail so many logins
	// in a window; then it waits for the window's end.
	LoginFailureWindow = 10 * time.Second
	LoginFailuresMax   = 20

	// lockSliceMax is how long a waiter sleeps at most before it looks again: what a
	// wake-up that was lost costs.
	lockSliceMax = time.Millisecond

	// awaitSliceMax is how long AwaitDurable sleeps at most before it looks again.
	awaitSliceMax = 50 * time.Millisecond

	// lockSpins looks, lockPauses PAUSE instructions apart, come before a sleep. Rare
	// looks leave the holder its cache line: with two processes on two processors,
	// looking without a pause halves their throughput.
	lockSpins  = 16
	lockPauses = 400
)

// What a call may take, and what it may find.
const (
	// verifySettleMax is how long Verify holds the log lock for a record that was
	// committed just before to be applied.
	verifySettleMax = 200 * time.Microsecond

	problemsMax = 20 // of a VerifyReport

	// nameKeyBytesMax is how much of a name is hashed: no account has a longer one.
	nameKeyBytesMax = 32

	// accountGrowthMax is how often the window of an account that is tried again and again is doubled: up to 640 s.
	accountGrowthMax = 6
)
