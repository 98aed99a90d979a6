//go:build cgo

package capi

// #include "private.h"
import "C"

import (
	"slices"
	"unsafe"

	"tradechat.internal/libproto"
)

type ops []libproto.Opcode

// use says under which opcodes a body travels.
type use struct {
	asked    ops  // in requests and pushes
	answered ops  // in responses with status OK
	failed   bool // in responses with any other status
}

// codec is one kind of body: where it travels, and how it is converted. codecs_gen.go has the table of them.
type codec struct {
	use
	encode encoder
	decode decoder
}

// An encoder appends the caller's body to dst. A decoder takes a body apart into the caller's struct.
type (
	encoder func(f *fault, dst []byte, body unsafe.Pointer) []byte
	decoder func(body []byte, into unsafe.Pointer) C.int
)

// codecOf hides the type of the caller's struct.
func codecOf[T any](encode func(*fault, []byte, *T) []byte, decode func([]byte, *T) C.int, u use) codec {
	return codec{
		use:    u,
		encode: func(f *fault, dst []byte, body unsafe.Pointer) []byte { return encode(f, dst, (*T)(body)) },
		decode: func(body []byte, into unsafe.Pointer) C.int { return decode(body, (*T)(into)) },
	}
}

// emptyCodec is the codec of the body that has no struct.
func emptyCodec(u use) codec {
	return codec{
		use:    u,
		encode: func(_ *fault, dst []byte, _ unsafe.Pointer) []byte { return dst },
		decode: func(body []byte, _ unsafe.Pointer) C.int { return resultOf(new(libproto.Empty).Decode(body)) },
	}
}

// carriedBy says whether a frame with this header has such a body. One that is encrypted or compressed has none that can
// be read.
func (c *codec) carriedBy(h libproto.Header) C.int {
	if h.Flags&^(libproto.FlagResponse|libproto.FlagReplayed) != 0 {
		return C.TC_PROTO_E_FLAGS
	}
	var fits bool
	switch {
	case h.Flags&libproto.FlagResponse == 0:
		fits = h.Status == libproto.StatusOK && h.Flags == 0 && slices.Contains(c.asked, h.Op)
	case h.Status == libproto.StatusOK:
		fits = slices.Contains(c.answered, h.Op)
	default:
		fits = c.failed
	}
	if !fits {
		return C.TC_PROTO_E_BODY_TYPE
	}
	return C.TC_PROTO_OK
}

// encodeBody puts a whole frame into out. What does not fit goes on in memory of its own, only to be measured.
func (c *codec) encodeBody(h libproto.Header, body unsafe.Pointer, out []byte, f *fault) (needed int, result C.int) {
	if result := c.carriedBy(h); result != C.TC_PROTO_OK {
		return 0, result
	}
	frame := c.encode(f, libproto.AppendHeader(out[:0], h), body)
	switch {
	case *f != C.TC_PROTO_OK:
		return 0, C.int(*f)
	case len(frame) > len(out):
		return len(frame), C.TC_PROTO_E_SHORT
	}
	libproto.Seal(frame)
	return len(frame), C.TC_PROTO_OK
}
