package libproto

import "time"

// Sizes of the frame, in bytes.
const (
	// HeaderLen is the length of every header; the header's own header_len field says the same.
	HeaderLen = 32

	// BodyLenMaxBeforeLogin bounds a body that a server takes from a peer that has not logged in.
	BodyLenMaxBeforeLogin = 1024

	// BodyLenMaxDefault is the usual bound after LOGIN; HelloResponse.BodyLenMax says the one in force.
	BodyLenMaxDefault = 65536

	// FieldLenMax bounds one str or bytes field: its length is a u16 on the wire.
	FieldLenMax = 1<<16 - 1
)

// Fixed lengths of bytes fields.
const (
	NonceLen = 32
	KeyLen   = 32
	SaltLen  = 16
)

// Bounds on what bodies hold.
const (
	// NameLenMax bounds the name of a user or a room, in bytes.
	NameLenMax = 32

	// BatchLegsMax bounds the legs of one TRANSFER_BATCH; the least is 1.
	BatchLegsMax = 1024

	// ListRowsMax bounds the rows of one list response. A request that asks for more gets this many.
	ListRowsMax = 512

	// AmountMax is the largest amount and the largest balance, in minor units.
	AmountMax = 1<<63 - 1

	// RoomEventMembersMax is the largest room whose members are told who joins and leaves.
	RoomEventMembersMax = 256
)

// The room that always exists.
const (
	LobbyRoomID = 1
	LobbyName   = "lobby"
)

// What a server lets a connection get away with before it closes it.
const (
	// FaultWindow is the span in which ChecksumFaultsMax and StateFaultsMax are counted.
	FaultWindow = 10 * time.Second

	// ChecksumFaultsMax is the checksum failure within FaultWindow that closes a plain connection.
	ChecksumFaultsMax = 4

	// StateFaultsMax is the opcode out of state within FaultWindow that closes a connection.
	StateFaultsMax = 16

	// LoginFaultsMax is the failed LOGIN on one pair of nonces that closes a connection.
	LoginFaultsMax = 3

	// ReadyDeadline is how long after accept a connection may take to log in.
	ReadyDeadline = 10 * time.Second

	// SessionLifetimeDefault is how long a session outlives its connection.
	SessionLifetimeDefault = 10 * time.Minute
)

// The iteration counts that DeriveKeys accepts. The least is RFC 7677's: a server that asks for fewer makes the
// password cheap to guess from the proof. The most keeps a hostile server from hanging a client.
const (
	KDFIterationsMin     = 4096
	KDFIterationsDefault = 600_000
	KDFIterationsMax     = 10_000_000
)
