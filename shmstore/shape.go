package shmstore

import (
	"fmt"
	"math/bits"
)

// LockMode says what locks an account.
type LockMode uint32

const (
	LockPerAccount LockMode = iota // one lock a row
	LockGlobal                     // one lock for all rows, for comparison
)

func (m LockMode) String() string {
	if m == LockGlobal {
		return "global"
	}
	return "account"
}

// ParseLockMode reads "account" or "global".
func ParseLockMode(s string) (LockMode, error) {
	switch s {
	case "account":
		return LockPerAccount, nil
	case "global":
		return LockGlobal, nil
	}
	return 0, fmt.Errorf("lock mode %q: want account or global", s)
}

// Shape is what fixes a segment's size: the capacity of each table. Counts are
// rows, sizes are bytes. LogRecords, RoomRingBytes and MailboxBytes are powers of two.
type Shape struct {
	Workers         int
	UsersMax        uint32
	SessionsMax     uint32
	RoomsMax        uint32
	LogRecords      uint32
	RoomRingBytes   uint32
	MailboxBytes    uint32
	MessageBytesMax uint32
	LockMode        LockMode
}

// DefaultShape is the shape of a server with default flags. It needs less than 64 MiB,
// which is what containers give /dev/shm.
func DefaultShape() Shape {
	return Shape{
		Workers:         2,
		UsersMax:        50_000,
		SessionsMax:     16_384,
		RoomsMax:        256,
		LogRecords:      1 << 17,
		RoomRingBytes:   64 << 10,
		MailboxBytes:    64 << 10,
		MessageBytesMax: 4096,
		LockMode:        LockPerAccount,
	}
}

// Slots is the number of slots: one a worker, the master's and the journal's.
func (s Shape) Slots() int { return s.Workers + 2 }

// MasterSlot is the slot of the master.
func (s Shape) MasterSlot() int { return s.Workers }

// LogWriterSlot is the slot of the log writer.
func (s Shape) LogWriterSlot() int { return s.Workers + 1 }

// Validate reports the first field that is out of bounds, as an ErrShape.
func (s Shape) Validate() error {
	bounds := []struct {
		name         string
		v, low, high uint64
		pow2         bool
	}{
		{"workers", uint64(s.Workers), 1, slotsMax - 2, false},
		{"users", uint64(s.UsersMax), 1, usersMaxLimit, false},
		{"sessions", uint64(s.SessionsMax), 1, sessionsMaxLimit, false},
		{"rooms", uint64(s.RoomsMax), 1, roomsMaxLimit, false},
		{"log records", uint64(s.LogRecords), logRecordsMin, logRecordsMax, true},
		{"room ring bytes", uint64(s.RoomRingBytes), ringBytesMin, ringBytesMax, true},
		{"mailbox bytes", uint64(s.MailboxBytes), ringBytesMin, ringBytesMax, true},
		{"message bytes", uint64(s.MessageBytesMax), 1, messageBytesMax(s.RoomRingBytes, s.MailboxBytes), false},
		{"lock mode", uint64(s.LockMode), uint64(LockPerAccount), uint64(LockGlobal), false},
	}
	for _, b := range bounds {
		if b.v < b.low || b.v > b.high {
			return fmt.Errorf("%w: %s is %d, want %d to %d", ErrShape, b.name, b.v, b.low, b.high)
		}
		if b.pow2 && bits.OnesCount64(b.v) != 1 {
			return fmt.Errorf("%w: %s is %d, want a power of two", ErrShape, b.name, b.v)
		}
	}
	return nil
}

// messageBytesMax is the longest message of which a ring holds messagesPerRingMin.
func messageBytesMax(rings ...uint32) uint64 {
	smallest := rings[0]
	for _, r := range rings {
		smallest = min(smallest, r)
	}
	return uint64(smallest)/messagesPerRingMin - entryBytes
}

// indexBuckets is the size of the user index: at most half full.
func (s Shape) indexBuckets() uint64 { return 1 << bits.Len64(2*uint64(s.UsersMax)-1) }

// memberWords is the length of a room's member bitmap, in 64-bit words.
func (s Shape) memberWords() uint64 { return (uint64(s.SessionsMax) + 63) / 64 }

// addressRows is the length of the address table, a multiple of addressWays: a row for every session that may be open, and addressRowsMin at
// least, so that a small server remembers who guesses at passwords as well.
func (s Shape) addressRows() uint64 {
	return (max(uint64(s.SessionsMax), addressRowsMin) + addressWays - 1) / addressWays * addressWays
}

// dirtyWords is the length of a slot's bitmap over rooms, in 64-bit words.
func (s Shape) dirtyWords() uint64 { return (uint64(s.RoomsMax) + 1 + 63) / 64 }
