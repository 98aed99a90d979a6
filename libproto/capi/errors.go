//go:build cgo

package capi

// #include "private.h"
import "C"

import (
	"errors"

	"tradechat.internal/libproto"
)

// results is what C gets for each error of libproto.
var results = map[error]C.int{
	libproto.ErrMagic:       C.TC_PROTO_E_MAGIC,
	libproto.ErrVersion:     C.TC_PROTO_E_PROTOCOL_VERSION,
	libproto.ErrHeaderLen:   C.TC_PROTO_E_HEADER_LEN,
	libproto.ErrReserved:    C.TC_PROTO_E_RESERVED,
	libproto.ErrFlags:       C.TC_PROTO_E_FLAGS,
	libproto.ErrBodyTooLong: C.TC_PROTO_E_BODY_TOO_LONG,
	libproto.ErrChecksum:    C.TC_PROTO_E_CHECKSUM,
	libproto.ErrNotRequest:  C.TC_PROTO_E_NOT_REQUEST,
	libproto.ErrShortBody:   C.TC_PROTO_E_BODY_SHORT,
	libproto.ErrTrailing:    C.TC_PROTO_E_TRAILING,
	libproto.ErrUTF8:        C.TC_PROTO_E_UTF8,
	libproto.ErrNUL:         C.TC_PROTO_E_NUL,
	libproto.ErrLength:      C.TC_PROTO_E_LENGTH,
	libproto.ErrCount:       C.TC_PROTO_E_COUNT,
	libproto.ErrBool:        C.TC_PROTO_E_BOOL,
}

// resultOf is what C gets for an error.
func resultOf(err error) C.int {
	if err == nil {
		return C.TC_PROTO_OK
	}
	if result, ok := results[err]; ok {
		return result
	}
	if errors.Is(err, libproto.ErrIterations) {
		return C.TC_PROTO_E_ITERATIONS
	}
	return C.TC_PROTO_E_INTERNAL
}
