package stats

import "tradechat.internal/libproto"

// ErrorKind is why a request failed.
type ErrorKind uint8

const (
	Timeout  ErrorKind = iota // no answer in time, or ERR_TIMEOUT
	Busy                      // ERR_SERVER_BUSY
	Checksum                  // ERR_CHECKSUM_FAIL, or in flight when a damaged frame came
	Auth                      // ERR_UNAUTHORIZED
	Other                     // any other status, or in flight when the connection ended

	// ErrorKindCount is the number of kinds.
	ErrorKindCount = 5
)

var errorKindNames = [ErrorKindCount]string{"timeout", "busy", "checksum", "auth", "other"}

func (k ErrorKind) String() string { return errorKindNames[k] }

// KindOf is the kind of an answer that is not OK.
func KindOf(status libproto.Status) ErrorKind {
	switch status {
	case libproto.StatusTimeout:
		return Timeout
	case libproto.StatusServerBusy:
		return Busy
	case libproto.StatusChecksumFail:
		return Checksum
	case libproto.StatusUnauthorized:
		return Auth
	}
	return Other
}
