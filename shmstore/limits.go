package shmstore

import "time"

// Limits of the segment. Sizes are bytes unless the name says otherwise.
const (
	slotsMax = 65 // 64 workers and the master

	// NameBytesMax is the length of the longest user or room name.
	NameBytesMax = 32

	// AmountMax is the largest amount and the largest balance, in minor units.
	AmountMax = 1<<63 - 1

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

	// historyStepsMax bounds the walk along an account's chain for one page of
	// history, so that a page far back cannot hold up the event loop.
	historyStepsMax = 1 << 16

	addressWays = 4
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

	// LoginFailureWindow and LoginFailuresMax: an address may fail so many logins
	// in a window; then it waits for the window's end.
	LoginFailureWindow = 10 * time.Second
	LoginFailuresMax   = 20

	lockSpins = 64
)
