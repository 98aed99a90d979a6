package libnet

import (
	"errors"
	"os"
)

var (
	// ErrTimeout reports a deadline that passed. It satisfies net.Error and matches os.ErrDeadlineExceeded.
	ErrTimeout error = timeoutError{}

	// ErrAddress reports an address that cannot be parsed, resolved or listened on as written.
	ErrAddress = errors.New("bad address")

	// ErrLimit reports a number outside the bounds of limits.go.
	ErrLimit = errors.New("outside the limits")

	// ErrNonblocking reports a descriptor with O_NONBLOCK where a blocking one is required.
	ErrNonblocking = errors.New("descriptor is nonblocking")

	// ErrNotListening reports a descriptor that is no listening socket.
	ErrNotListening = errors.New("descriptor is not a listening socket")

	// ErrNotInherited reports a descriptor that the parent did not pass.
	ErrNotInherited = errors.New("descriptor was not inherited")
)

type timeoutError struct{}

func (timeoutError) Error() string        { return "deadline exceeded" }
func (timeoutError) Timeout() bool        { return true }
func (timeoutError) Temporary() bool      { return true }
func (timeoutError) Is(target error) bool { return target == os.ErrDeadlineExceeded }
