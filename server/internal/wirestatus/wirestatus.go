// Package wirestatus says what an error of the store is on the wire. Its table is the only place where the two meet:
// the workers and the admin socket both answer from it.
package wirestatus

import (
	"errors"

	"tradechat.internal/libproto"
	"tradechat.internal/shmstore"
)

// BusyRetryMs is what ERR_SERVER_BUSY suggests when a lock or the room in a buffer was not to be had in time: half of
// shmstore.LockWaitMax, which the caller has waited already.
const BusyRetryMs = 50

type row struct {
	err    error
	status libproto.Status
}

// table maps sentinels; the frequent ones come first.
var table = []row{
	{shmstore.ErrInsufficientFunds, libproto.StatusInsufficientFunds},
	{shmstore.ErrBusy, libproto.StatusServerBusy},
	{shmstore.ErrOwnBacklog, libproto.StatusServerBusy},
	{shmstore.ErrNoUser, libproto.StatusNotFound},
	{shmstore.ErrNoRoom, libproto.StatusNotFound},
	{shmstore.ErrNotMember, libproto.StatusUnauthorized},
	{shmstore.ErrFenced, libproto.StatusUnauthorized},
	{shmstore.ErrInvalidAmount, libproto.StatusInvalidArgument},
	{shmstore.ErrSelfTransfer, libproto.StatusInvalidArgument},
	{shmstore.ErrName, libproto.StatusInvalidArgument},
	{shmstore.ErrMessageLength, libproto.StatusInvalidArgument},
	{shmstore.ErrLegs, libproto.StatusInvalidArgument},
	{shmstore.ErrTooFar, libproto.StatusInvalidArgument},
	{shmstore.ErrRetryMismatch, libproto.StatusInvalidArgument},
	{shmstore.ErrRetryExpired, libproto.StatusExpired},
	{shmstore.ErrNoSession, libproto.StatusExpired},
	{shmstore.ErrReadOnly, libproto.StatusReadOnly},
	{shmstore.ErrExists, libproto.StatusAlreadyExists},
	{shmstore.ErrBalanceLimit, libproto.StatusLimit},
	{shmstore.ErrTableFull, libproto.StatusLimit},
}

// Of returns the status for err; nil is StatusOK. What the table does not know is a fault of ours: StatusInternal. It
// never allocates.
func Of(err error) libproto.Status {
	if err == nil {
		return libproto.StatusOK
	}
	for i := range table {
		if table[i].err == err { // the store's hot paths return the sentinels bare
			return table[i].status
		}
	}
	for i := range table {
		if errors.Is(err, table[i].err) {
			return table[i].status
		}
	}
	return libproto.StatusInternal
}

// RetryAfterMs is what the response with this status suggests as the pause before another try.
func RetryAfterMs(status libproto.Status) uint32 {
	if status == libproto.StatusServerBusy {
		return BusyRetryMs
	}
	return 0
}
