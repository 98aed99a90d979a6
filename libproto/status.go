package libproto

import "strconv"

// Status is the outcome that a response carries. Requests and pushes carry StatusOK.
type Status uint16

const (
	StatusOK Status = iota
	StatusBadPacket
	StatusChecksumFail
	StatusUnauthorized
	StatusNotFound
	StatusInsufficientFunds
	StatusServerBusy
	StatusTimeout // the outcome is unknown: retry with the same req_id
	StatusUnsupported
	StatusInvalidArgument
	StatusAlreadyExists
	StatusLimit    // a table is full, or a sum would overflow
	StatusExpired  // the log no longer knows
	StatusReadOnly // the journal failed: nothing can be promised
	StatusInternal

	// StatusCount is the number of statuses: they are 0 … StatusCount-1.
	StatusCount = 15

	// StatusRateLimit is the other name of StatusServerBusy.
	StatusRateLimit = StatusServerBusy
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
