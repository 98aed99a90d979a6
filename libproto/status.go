package libproto

import "strconv"

// Status is the outcome that a response carries. Requests and pushes carry StatusOK.
type Status uint16

const (
	StatusOK                Status = iota // done
	StatusBadPacket                       // the frame or its body breaks a rule of this page
	StatusChecksumFail                    // the frame was damaged on its way
	StatusUnauthorized                    // not in this state, not in this room, or not with this proof
	StatusNotFound                        // no such user or room
	StatusInsufficientFunds               // the account holds less than the amount
	StatusServerBusy                      // try again after retry_after_ms; also called ERR_RATE_LIMIT
	StatusTimeout                         // the outcome is not known: retry with the same req_id
	StatusUnsupported                     // an unknown opcode or protocol version
	StatusInvalidArgument                 // a field has a value that cannot be
	StatusAlreadyExists                   // the name is taken
	StatusLimit                           // a table is full, or a sum would overflow
	StatusExpired                         // the log no longer reaches back that far, or the session is gone
	StatusReadOnly                        // the journal failed: nothing can be promised any more
	StatusInternal                        // a fault of the server

	// StatusCount is the number of statuses: they are 0 … StatusCount-1.
	StatusCount = 15

	StatusRateLimit = StatusServerBusy // the other name of the same
)

var statusNames = [StatusCount]string{
	"OK",
	"ERR_BAD_PACKET",
	"ERR_CHECKSUM_FAIL",
	"ERR_UNAUTHORIZED",
	"ERR_NOT_FOUND",
	"ERR_INSUFFICIENT_FUNDS",
	"ERR_SERVER_BUSY",
	"ERR_TIMEOUT",
	"ERR_UNSUPPORTED",
	"ERR_INVALID_ARGUMENT",
	"ERR_ALREADY_EXISTS",
	"ERR_LIMIT",
	"ERR_EXPIRED",
	"ERR_READ_ONLY",
	"ERR_INTERNAL",
}

// String returns the wire name, such as "ERR_BAD_PACKET"; an unknown status is "status(99)".
func (s Status) String() string {
	return nameOf(statusNames[:], "status", uint(s))
}

// nameOf returns names[value], or kind(value) where there is no such name.
func nameOf(names []string, kind string, value uint) string {
	if value < uint(len(names)) && names[value] != "" {
		return names[value]
	}
	return kind + "(" + strconv.FormatUint(uint64(value), 10) + ")"
}
