package client

import (
	"errors"
	"fmt"
	"time"

	"tradechat.internal/libproto"
)

// The statuses of docs/protocol.md as errors: errors.Is finds them in a *StatusError. ErrInvalidArgument is also the error
// of an argument that is refused before it is sent; there is no *StatusError then.
var (
	ErrBadPacket         = errors.New("bad packet")
	ErrChecksumFail      = errors.New("checksum differs")
	ErrUnauthorized      = errors.New("unauthorized")
	ErrNotFound          = errors.New("not found")
	ErrInsufficientFunds = errors.New("insufficient funds")
	ErrServerBusy        = errors.New("server busy")
	ErrTimeout           = errors.New("timed out at the server")
	ErrUnsupported       = errors.New("unsupported")
	ErrInvalidArgument   = errors.New("invalid argument")
	ErrAlreadyExists     = errors.New("already exists")
	ErrLimit             = errors.New("limit reached")
	ErrExpired           = errors.New("expired")
	ErrReadOnly          = errors.New("server is read-only")
	ErrInternal          = errors.New("internal error of the server")
)

// statusErrors is the one table from a status to its error.
var statusErrors = [libproto.StatusCount]error{
	libproto.StatusBadPacket:         ErrBadPacket,
	libproto.StatusChecksumFail:      ErrChecksumFail,
	libproto.StatusUnauthorized:      ErrUnauthorized,
	libproto.StatusNotFound:          ErrNotFound,
	libproto.StatusInsufficientFunds: ErrInsufficientFunds,
	libproto.StatusServerBusy:        ErrServerBusy,
	libproto.StatusTimeout:           ErrTimeout,
	libproto.StatusUnsupported:       ErrUnsupported,
	libproto.StatusInvalidArgument:   ErrInvalidArgument,
	libproto.StatusAlreadyExists:     ErrAlreadyExists,
	libproto.StatusLimit:             ErrLimit,
	libproto.StatusExpired:           ErrExpired,
	libproto.StatusReadOnly:          ErrReadOnly,
	libproto.StatusInternal:          ErrInternal,
}

// What can become of a call or a Client without an answer of the server.
var (
	// ErrConnectionLost says that the connection ended and that the call changed nothing at the server, or nothing
	// that doing it again would not.
	ErrConnectionLost = errors.New("connection lost")

	// ErrOutcomeUnknown says that the answer is missing: the server may have done it or not. See *OutcomeError.
	ErrOutcomeUnknown = errors.New("outcome unknown")

	// ErrClosed is the error of everything on a Client after Close or Logout.
	ErrClosed = errors.New("client is closed")

	// ErrNotLoggedIn is the error of a call that needs a login that has not been made.
	ErrNotLoggedIn = errors.New("not logged in")

	// ErrLoggedIn is the error of LOGIN and REGISTER on a Client that is logged in.
	ErrLoggedIn = errors.New("already logged in")

	// ErrServerSignature says that the server does not know the user's keys: it is not the server that the user
	// registered with. Nothing it says can be trusted.
	ErrServerSignature = errors.New("the server could not prove that it knows this user")

	// ErrRealmChanged says that, on coming back, the server salts passwords differently: the password is needed again.
	ErrRealmChanged = errors.New("the server's password salt or iterations changed: log in anew")

	// ErrPartlyDelivered: a direct message reached some of the user's sessions, and will not reach the others.
	ErrPartlyDelivered = errors.New("delivered in part")

	// ErrProtocol says that the server broke the protocol; the connection is ended.
	ErrProtocol = errors.New("the server broke the protocol")
)

// StatusError is a server's refusal. errors.Is matches it with the error of its status, such as ErrNotFound.
type StatusError struct {
	Op         libproto.Opcode
	Status     libproto.Status
	RetryAfter time.Duration // how long the server asks to wait; 0: it does not say
	Detail     string        // for a person, from the server: escape it before showing it; may be empty
}

func (e *StatusError) Error() string {
	if e.Detail == "" {
		return fmt.Sprintf("%v: %v", e.Op, e.Status)
	}
	return fmt.Sprintf("%v: %v: %s", e.Op, e.Status, e.Detail)
}

func (e *StatusError) Is(target error) bool {
	return e.Status != libproto.StatusOK && e.Status < libproto.StatusCount && statusErrors[e.Status] == target
}

func newStatusError(op libproto.Opcode, status libproto.Status, body []byte) (*StatusError, error) {
	var b libproto.ErrorBody
	if err := b.Decode(body); err != nil {
		return nil, fmt.Errorf("%w: %v answered %v with an unreadable body: %w", ErrProtocol, op, status, err)
	}
	return &StatusError{
		Op:         op,
		Status:     status,
		RetryAfter: time.Duration(b.RetryAfterMs) * time.Millisecond,
		Detail:     string(b.Detail),
	}, nil
}

// OutcomeError is a call that may have changed something at the server, and whose answer is missing. errors.Is matches
// it with ErrOutcomeUnknown and with its cause. For money calls, TxnStatus on a later connection tells what became of it.
type OutcomeError struct {
	Op        libproto.Opcode
	SessionID uint64
	ReqID     uint64
	Cause     error
}

func (e *OutcomeError) Error() string {
	return fmt.Sprintf("%v (session %d, request %d): %v: %v", e.Op, e.SessionID, e.ReqID, ErrOutcomeUnknown, e.Cause)
}

func (e *OutcomeError) Is(target error) bool { return target == ErrOutcomeUnknown }

func (e *OutcomeError) Unwrap() error { return e.Cause }

// GoingAwayError is why a connection ended that the server ended with a GOING_AWAY.
type GoingAwayError struct {
	Reason         libproto.GoingAwayReason
	ReconnectAfter time.Duration
	Detail         string // from the server: escape it before showing it; may be empty
}

func (e *GoingAwayError) Error() string {
	text := fmt.Sprintf("the server is going away: %v", e.Reason)
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	return text
}

// final reports whether coming back would be wrong: somebody else holds the session, or this client misbehaved.
func (e *GoingAwayError) final() bool {
	return e.Reason == libproto.GoingAwayResumed || e.Reason == libproto.GoingAwayAbuse ||
		e.Reason == libproto.GoingAwayRevoked
}

// changes reports whether a request changes something that doing it twice would change twice.
func changes(op libproto.Opcode) bool {
	switch op {
	case libproto.OpDeposit, libproto.OpWithdraw, libproto.OpTransfer, libproto.OpTransferBatch,
		libproto.OpChatSend, libproto.OpDirectSend, libproto.OpRegister, libproto.OpUserAdd:
		return true
	}
	return false
}
