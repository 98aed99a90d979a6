package libproto

import "errors"

// Faults of a header. None of them can be survived: where the next frame begins is not known any more.
var (
	ErrMagic       = errors.New("libproto: wrong magic")
	ErrVersion     = errors.New("libproto: unknown protocol version")
	ErrHeaderLen   = errors.New("libproto: wrong header_len")
	ErrReserved    = errors.New("libproto: reserved bytes are not zero")
	ErrFlags       = errors.New("libproto: unknown flag, or one that was not agreed")
	ErrBodyTooLong = errors.New("libproto: body_len is over the limit in force")
)

// ErrChecksum says that a frame was damaged; the frames after it can still be read.
var ErrChecksum = errors.New("libproto: checksum differs")

// ErrNotRequest says that a client's frame has flags or a status that only a response has.
var ErrNotRequest = errors.New("libproto: a request with the marks of a response")

// Faults of a body.
var (
	ErrShortBody = errors.New("libproto: body is too short")
	ErrTrailing  = errors.New("libproto: trailing bytes in body")
	ErrUTF8      = errors.New("libproto: string is not valid UTF-8")
	ErrNUL       = errors.New("libproto: string holds a NUL")
	ErrLength    = errors.New("libproto: field does not have its fixed length")
	ErrCount     = errors.New("libproto: list has too few or too many rows")
	ErrBool      = errors.New("libproto: yes-or-no field is neither 0 nor 1")
)

// ErrIterations is DeriveKeys' answer to an iteration count outside KDFIterationsMin … KDFIterationsMax.
var ErrIterations = errors.New("libproto: key derivation iterations out of range")

// IsFatal reports whether err ends the stream: a fault of a header, after which no frame boundary is known.
func IsFatal(err error) bool {
	switch err {
	case ErrMagic, ErrVersion, ErrHeaderLen, ErrReserved, ErrFlags, ErrBodyTooLong:
		return true
	}
	return false
}
