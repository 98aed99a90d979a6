package config

import "time"

// Bounds of the settings. docs/config.md shows them; Validate and every source of settings hold to them.
const (
	// WorkersMax is the most worker processes: a slot's bit must fit into one 64-bit word of a room.
	WorkersMax = 64

	// UsersMax, SessionsMax and RoomsMax bound the tables of the segment.
	UsersMax    = 4 << 20
	SessionsMax = 1 << 20
	RoomsMax    = 1 << 14

	// LogRecordsLeast and LogRecordsMost bound the log's ring.
	LogRecordsLeast = 1 << 10
	LogRecordsMost  = 1 << 26

	// SnapshotEveryLeast … bound what the journal does. A file holds at least one group of the largest size.
	SnapshotEveryLeast = 1000
	SnapshotEveryMost  = 1_000_000_000
	JournalRetainMost  = 1_000_000
	JournalFileLeast   = 2
	JournalFileMost    = 1024

	// BodyBytesLeast is the body limit before LOGIN: a smaller one after it would make no sense.
	// BodyBytesMost bounds what one connection can make a worker buffer.
	BodyBytesLeast = 1 << 10
	BodyBytesMost  = 1 << 20

	// MessageBytesMost bounds one chat message: a room's ring holds a few of the longest.
	MessageBytesMost = 15 << 10

	// BroadcastOverheadBytes is what a chat message needs around it in a body: ids, times, the sender's name, lengths.
	BroadcastOverheadBytes = 128

	// OutboundBytesLeast and OutboundBytesMost bound what may be queued for a slow consumer.
	OutboundBytesLeast = 4 << 10
	OutboundBytesMost  = 1 << 30

	// RateMost bounds the requests a second that a connection can be held to.
	RateMost = 10_000_000

	// PerAddressMost bounds the connections that one address can be held to.
	PerAddressMost = 1_000_000

	// FileBytesMax bounds the configuration file.
	FileBytesMax = 1 << 20
)

// Bounds of the times.
const (
	idleLeast, idleMost           = 100 * time.Millisecond, 24 * time.Hour
	loginLeast, loginMost         = 100 * time.Millisecond, 10 * time.Minute
	heartbeatLeast, heartbeatMost = 50 * time.Millisecond, 12 * time.Hour
	sessionLeast, sessionMost     = time.Second, 7 * 24 * time.Hour
	statsLeast, statsMost         = 100 * time.Millisecond, 24 * time.Hour

	// A healthy worker beats every 100 ms; below 500 ms a busy machine would look like a stopped worker.
	watchdogLeast, watchdogMost = 500 * time.Millisecond, 10 * time.Minute
)
