//go:build cgo

package capi

// #include "private.h"
import "C"

import (
	"math"

	"tradechat.internal/libproto"
)

// frameLenMax is the longest frame that a header can describe.
const frameLenMax = libproto.HeaderLen + math.MaxUint32

func headerIn(h *C.tc_proto_header) libproto.Header {
	return libproto.Header{
		BodyLen:  uint32(h.body_len),
		ReqID:    uint64(h.req_id),
		Checksum: uint32(h.checksum),
		Op:       libproto.Opcode(h.opcode),
		Status:   libproto.Status(h.status),
		Flags:    libproto.Flags(h.flags),
	}
}

func headerOut(h libproto.Header) C.tc_proto_header {
	return C.tc_proto_header{
		body_len: C.uint32_t(h.BodyLen),
		req_id:   C.uint64_t(h.ReqID),
		checksum: C.uint32_t(h.Checksum),
		opcode:   C.uint16_t(h.Op),
		status:   C.uint16_t(h.Status),
		flags:    C.uint8_t(h.Flags),
	}
}

// putFrame is put for a frame whose body lies in the caller's memory, field by field: it is what batches are made of.
func putFrame(to *C.tc_proto_frame, f *libproto.Frame, result C.int) {
	h := &to.header
	h.req_id, h.body_len, h.checksum = C.uint64_t(f.ReqID), C.uint32_t(f.BodyLen), C.uint32_t(f.Checksum)
	h.opcode, h.status, h.flags, h.reserved = C.uint16_t(f.Op), C.uint16_t(f.Status), C.uint8_t(f.Flags), [3]C.uint8_t{}
	putAddress(&to.body, f.Body)
	to.error, to.reserved = result, 0
}

func rulesIn(r *C.tc_proto_rules) libproto.Decoder {
	if r == nil {
		return libproto.Decoder{BodyLenMax: libproto.BodyLenMaxDefault}
	}
	return libproto.Decoder{BodyLenMax: uint32(r.body_len_max), Agreed: libproto.Flags(r.agreed_flags)}
}

// decodeHeader reads a header alone.
func decodeHeader(data []byte, h *C.tc_proto_header) C.int {
	if len(data) < libproto.HeaderLen {
		return C.TC_PROTO_E_SHORT
	}
	any := libproto.Decoder{BodyLenMax: math.MaxUint32, Agreed: math.MaxUint8}
	f, _, err := any.Next(data[:libproto.HeaderLen])
	put(h, headerOut(f.Header))
	switch err {
	case libproto.ErrChecksum, libproto.ErrFlags: // of a frame without a body; and flags are the caller's to judge
		return C.TC_PROTO_OK
	}
	return resultOf(err)
}

// decodeFrames takes frames off data until there is none, or no room for one.
func decodeFrames(data []byte, d libproto.Decoder, frames []C.tc_proto_frame) (count, consumed int, result C.int) {
	for count < len(frames) {
		f, n, err := d.Next(data[consumed:])
		if n == 0 {
			return count, consumed, resultOf(err)
		}
		putFrame(&frames[count], &f, resultOf(err))
		consumed += n
		count++
	}
	return count, consumed, C.TC_PROTO_OK
}

// encodeFrame puts a header and a body that is encoded already together.
func encodeFrame(h libproto.Header, body, out []byte) (needed int, result C.int) {
	needed = libproto.HeaderLen + len(body)
	if len(body) > math.MaxUint32 {
		return needed, C.TC_PROTO_E_BODY_TOO_LONG
	}
	if needed > len(out) {
		return needed, C.TC_PROTO_E_SHORT
	}
	copy(out[libproto.HeaderLen:], body) // first: the header may overlap a body that begins elsewhere in out
	libproto.AppendHeader(out[:0], h)
	libproto.Seal(out[:needed])
	return needed, C.TC_PROTO_OK
}
