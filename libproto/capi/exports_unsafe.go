//go:build cgo

package capi

// #cgo CFLAGS: -std=gnu11 -Wall -Wextra -I${SRCDIR}/../../include
// #include "private.h"
import "C"

import (
	"crypto/rand"
	"unsafe"

	"tradechat.internal/capi/boundary"
	"tradechat.internal/libproto"
)

// Where calls.c enters Go. What these functions do and answer is in the public header.

//export tcgo_proto_encode
func tcgo_proto_encode(
	kind C.int, h *C.tc_proto_header, body unsafe.Pointer, out *C.uint8_t, outCap C.size_t, n *C.size_t,
	f *C.int,
) (result C.int) {
	defer boundary.Guard(&result)
	room, ok := bytesAt(out, outCap)
	if h == nil || n == nil || !ok {
		return C.TC_PROTO_E_ARGUMENT
	}
	needed, result := codecs[kind].encodeBody(headerIn(h), body, room, (*fault)(f))
	*n = C.size_t(needed)
	return result
}

//export tcgo_proto_decode
func tcgo_proto_decode(kind C.int, frame *C.tc_proto_frame, into unsafe.Pointer) (result C.int) {
	defer boundary.Guard(&result)
	if frame == nil {
		return C.TC_PROTO_E_ARGUMENT
	}
	body, ok := bytesAt(frame.body, C.size_t(frame.header.body_len))
	if !ok {
		return C.TC_PROTO_E_ARGUMENT
	}
	c := &codecs[kind]
	if result := c.carriedBy(headerIn(&frame.header)); result != C.TC_PROTO_OK {
		return result
	}
	return c.decode(body, into)
}

//export tcgo_proto_encode_header
func tcgo_proto_encode_header(h *C.tc_proto_header, out *C.uint8_t, outCap C.size_t) (result C.int) {
	defer boundary.Guard(&result)
	room, ok := bytesAt(out, outCap)
	switch {
	case h == nil || !ok:
		return C.TC_PROTO_E_ARGUMENT
	case len(room) < libproto.HeaderLen:
		return C.TC_PROTO_E_SHORT
	}
	libproto.AppendHeader(room[:0], headerIn(h))
	return C.TC_PROTO_OK
}

//export tcgo_proto_seal
func tcgo_proto_seal(frame *C.uint8_t, n C.size_t) (result C.int) {
	defer boundary.Guard(&result)
	bytes, ok := bytesAt(frame, n)
	switch {
	case !ok:
		return C.TC_PROTO_E_ARGUMENT
	case len(bytes) < libproto.HeaderLen:
		return C.TC_PROTO_E_SHORT
	case uint64(len(bytes)) > frameLenMax:
		return C.TC_PROTO_E_BODY_TOO_LONG
	}
	libproto.Seal(bytes)
	return C.TC_PROTO_OK
}

//export tcgo_proto_decode_header
func tcgo_proto_decode_header(data *C.uint8_t, n C.size_t, h *C.tc_proto_header) (result C.int) {
	defer boundary.Guard(&result)
	bytes, ok := bytesAt(data, n)
	if h == nil || !ok {
		return C.TC_PROTO_E_ARGUMENT
	}
	return decodeHeader(bytes, h)
}

//export tcgo_proto_checksum
func tcgo_proto_checksum(frame *C.uint8_t, n C.size_t, sum *C.uint32_t) (result C.int) {
	defer boundary.Guard(&result)
	bytes, ok := bytesAt(frame, n)
	switch {
	case sum == nil || !ok:
		return C.TC_PROTO_E_ARGUMENT
	case len(bytes) < libproto.HeaderLen:
		return C.TC_PROTO_E_SHORT
	case uint64(len(bytes)) > frameLenMax:
		return C.TC_PROTO_E_BODY_TOO_LONG
	}
	*sum = C.uint32_t(libproto.Checksum(bytes))
	return C.TC_PROTO_OK
}

//export tcgo_proto_encode_frame
func tcgo_proto_encode_frame(
	h *C.tc_proto_header, body *C.uint8_t, bodyLen C.size_t, out *C.uint8_t, outCap C.size_t,
	n *C.size_t,
) (result C.int) {
	defer boundary.Guard(&result)
	from, ok := bytesAt(body, bodyLen)
	room, roomOK := bytesAt(out, outCap)
	if h == nil || n == nil || !ok || !roomOK {
		return C.TC_PROTO_E_ARGUMENT
	}
	needed, result := encodeFrame(headerIn(h), from, room)
	*n = C.size_t(needed)
	return result
}

//export tcgo_proto_decode_frames
func tcgo_proto_decode_frames(
	data *C.uint8_t, n C.size_t, rules *C.tc_proto_rules, frames *C.tc_proto_frame, framesCap C.size_t,
	count, consumed *C.size_t,
) (result C.int) {
	defer boundary.Guard(&result)
	bytes, ok := bytesAt(data, n)
	room, roomOK := sliceOf(frames, framesCap)
	if count == nil || consumed == nil || !ok || !roomOK {
		return C.TC_PROTO_E_ARGUMENT
	}
	taken, used, result := decodeFrames(bytes, rulesIn(rules), room)
	*count, *consumed = C.size_t(taken), C.size_t(used)
	return result
}

//export tcgo_proto_check_request
func tcgo_proto_check_request(h *C.tc_proto_header) (result C.int) {
	defer boundary.Guard(&result)
	if h == nil {
		return C.TC_PROTO_E_ARGUMENT
	}
	return resultOf(headerIn(h).CheckRequest())
}

//export tcgo_proto_decoder_new
func tcgo_proto_decoder_new(rules *C.tc_proto_rules, handle *C.uintptr_t) (result C.int) {
	defer boundary.Guard(&result)
	s := new(stream)
	if result := s.setRules(rulesIn(rules)); result != C.TC_PROTO_OK {
		return result
	}
	h, put := streams.Put(s)
	*handle = C.uintptr_t(h)
	return C.int(put)
}

//export tcgo_proto_decoder_set_rules
func tcgo_proto_decoder_set_rules(handle C.uintptr_t, rules *C.tc_proto_rules) (result C.int) {
	defer boundary.Guard(&result)
	s := streams.Get(uintptr(handle))
	if s == nil {
		return C.TC_PROTO_E_HANDLE
	}
	return s.setRules(rulesIn(rules))
}

//export tcgo_proto_decoder_feed
func tcgo_proto_decoder_feed(handle C.uintptr_t, data *C.uint8_t, n C.size_t) (result C.int) {
	defer boundary.Guard(&result)
	s := streams.Get(uintptr(handle))
	if s == nil {
		return C.TC_PROTO_E_HANDLE
	}
	bytes, ok := bytesAt(data, n)
	if !ok {
		return C.TC_PROTO_E_ARGUMENT
	}
	return s.feed(bytes)
}

//export tcgo_proto_decoder_next
func tcgo_proto_decoder_next(handle C.uintptr_t, frame *C.tc_proto_frame, body *C.uint8_t, bodyCap C.size_t) (result C.int) {
	defer boundary.Guard(&result)
	s := streams.Get(uintptr(handle))
	if s == nil {
		return C.TC_PROTO_E_HANDLE
	}
	room, ok := bytesAt(body, bodyCap)
	if frame == nil || !ok {
		return C.TC_PROTO_E_ARGUMENT
	}
	return s.next(frame, room)
}

//export tcgo_proto_decoder_pending
func tcgo_proto_decoder_pending(handle C.uintptr_t, bytes *C.size_t) (result C.int) {
	defer boundary.Guard(&result)
	s := streams.Get(uintptr(handle))
	switch {
	case s == nil:
		return C.TC_PROTO_E_HANDLE
	case bytes == nil:
		return C.TC_PROTO_E_ARGUMENT
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	*bytes = C.size_t(s.pending())
	return C.TC_PROTO_OK
}

//export tcgo_proto_decoder_free
func tcgo_proto_decoder_free(handle C.uintptr_t) (result C.int) {
	defer boundary.Guard(&result)
	if streams.Take(uintptr(handle)) == nil {
		return C.TC_PROTO_E_HANDLE
	}
	return C.TC_PROTO_OK
}

//export tcgo_proto_random
func tcgo_proto_random(out *C.uint8_t, n C.size_t) (result C.int) {
	defer boundary.Guard(&result)
	room, ok := bytesAt(out, n)
	if !ok || len(room) > libproto.FieldLenMax+1 {
		return C.TC_PROTO_E_ARGUMENT
	}
	if _, err := rand.Read(room); err != nil {
		return C.TC_PROTO_E_INTERNAL
	}
	return C.TC_PROTO_OK
}

//export tcgo_proto_derive_keys
func tcgo_proto_derive_keys(
	password, username *C.tc_proto_bytes, realmSalt *C.uint8_t, iterations C.uint32_t,
	keys *C.tc_proto_keys,
) (result C.int) {
	defer boundary.Guard(&result)
	if realmSalt == nil || keys == nil {
		return C.TC_PROTO_E_ARGUMENT
	}
	var f fault
	secret, name := f.bytes(*password), f.text(*username)
	if f != C.TC_PROTO_OK {
		return C.int(f)
	}
	saltIn := salt((*[libproto.SaltLen]C.uint8_t)(unsafe.Pointer(realmSalt)))
	made, err := libproto.DeriveKeys(string(secret), string(name), saltIn, int(iterations))
	if err != nil {
		return resultOf(err)
	}
	put(keys, keysOut(made))
	return C.TC_PROTO_OK
}

//export tcgo_proto_login_proof
func tcgo_proto_login_proof(keys *C.tc_proto_keys, l *C.tc_proto_login, proof *C.uint8_t) (result C.int) {
	defer boundary.Guard(&result)
	return prove(keys, l, proof, login.makeProof)
}

//export tcgo_proto_check_server_signature
func tcgo_proto_check_server_signature(keys *C.tc_proto_keys, l *C.tc_proto_login, signature *C.uint8_t) (result C.int) {
	defer boundary.Guard(&result)
	return prove(keys, l, signature, login.checkServerSignature)
}

//export tcgo_proto_check_proof
func tcgo_proto_check_proof(keys *C.tc_proto_keys, l *C.tc_proto_login, proof *C.uint8_t) (result C.int) {
	defer boundary.Guard(&result)
	return prove(keys, l, proof, login.checkProof)
}

//export tcgo_proto_server_signature
func tcgo_proto_server_signature(keys *C.tc_proto_keys, l *C.tc_proto_login, signature *C.uint8_t) (result C.int) {
	defer boundary.Guard(&result)
	return prove(keys, l, signature, login.signServer)
}

// prove gives the caller's keys, login and proof or signature to f.
func prove(
	keys *C.tc_proto_keys, l *C.tc_proto_login, at *C.uint8_t,
	f func(login, libproto.Keys, *[libproto.KeyLen]byte) C.int,
) C.int {
	if keys == nil || l == nil || at == nil {
		return C.TC_PROTO_E_ARGUMENT
	}
	in, result := loginIn(l)
	if result != C.TC_PROTO_OK {
		return result
	}
	return f(in, keysIn(keys), (*[libproto.KeyLen]byte)(unsafe.Pointer(at)))
}
