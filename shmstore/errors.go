package shmstore

import "errors"

// What a caller did or asked for.
var (
	ErrInvalidAmount     = errors.New("amount must be 1 to 2^63-1")
	ErrSelfTransfer      = errors.New("a transfer needs two different users")
	ErrNoUser            = errors.New("no such user")
	ErrNoRoom            = errors.New("no such room")
	ErrNotMember         = errors.New("not a member of the room")
	ErrInsufficientFunds = errors.New("insufficient funds")
	ErrBalanceLimit      = errors.New("balance would pass 2^63-1")
	ErrTableFull         = errors.New("table is full")
	ErrExists            = errors.New("name is taken")
	ErrName              = errors.New("name must be 1 to 32 of A-Z a-z 0-9 _ . -")
	ErrMessageLength     = errors.New("message is empty or too long")
	ErrTooFar            = errors.New("too far back to be looked up in one request")
	ErrLegs              = errors.New("a batch holds 1 to 1024 legs")
)

// What the state of the server does not allow.
var (
	// ErrBusy: a lock was not to be had in time, or a buffer is full until its
	// reader has caught up. Nothing was changed; the caller may try again.
	ErrBusy = errors.New("busy")

	// ErrOwnBacklog: the room's ring is full of entries that the caller's own slot
	// has not drained yet. DrainRoom, then try again.
	ErrOwnBacklog = errors.New("own backlog in the room's ring")

	// ErrFenced: the session is closed or was taken over.
	ErrFenced = errors.New("session is no longer this connection's")

	// ErrReadOnly: the journal has failed; nothing that would have to be kept is done any more.
	ErrReadOnly = errors.New("the journal has failed: the server is read-only")

	// ErrNoSession: the session is unknown, or its time is over.
	ErrNoSession = errors.New("no such session, or its time is over")

	// ErrRetryMismatch: a req_id was used again with other parameters.
	ErrRetryMismatch = errors.New("req_id was used before with other parameters")

	// ErrRetryExpired: the log no longer reaches back far enough to tell.
	ErrRetryExpired = errors.New("the log no longer knows this req_id")
)

// What is wrong with a segment.
var (
	ErrShape         = errors.New("invalid shape")
	ErrSegmentExists = errors.New("segment exists")
	ErrSegmentAbsent = errors.New("no such segment")
	ErrSegmentInUse  = errors.New("segment is in use by another server")
	ErrNoSpace       = errors.New("not enough shared memory")
	ErrLayout        = errors.New("segment has another layout")
	ErrDamaged       = errors.New("segment is damaged")

	// ErrForeign: what has the name is not a file that this user's server made.
	ErrForeign = errors.New("it is not this server's segment")

	// ErrExposed: the segment is ours, but others may have changed it.
	ErrExposed = errors.New("segment can be changed by others")

	// ErrNameLost: the segment is mapped, and its name is gone or leads to something else.
	ErrNameLost = errors.New("the segment's name is gone")
)
