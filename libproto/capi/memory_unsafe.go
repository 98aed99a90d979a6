//go:build cgo

package capi

// #include "private.h"
import "C"

import (
	"math"
	"unsafe"

	"tradechat.internal/libproto"
)

// sliceOf is n objects at p, in the caller's memory; ok is false if p is null though n is not 0, or if they are more than
// an address space holds.
func sliceOf[T any](p *T, n C.size_t) (s []T, ok bool) {
	if n == 0 {
		return nil, true
	}
	if p == nil || uint64(n) > math.MaxInt64/uint64(unsafe.Sizeof(*p)) {
		return nil, false
	}
	return unsafe.Slice(p, int(n)), true
}

// bytesAt is sliceOf for bytes.
func bytesAt(p *C.uint8_t, n C.size_t) ([]byte, bool) {
	return sliceOf((*byte)(unsafe.Pointer(p)), n)
}

// put copies v to the caller's memory as bytes. An assignment would do what Go does when it replaces a pointer: let the
// garbage collector look at the old one, which in C may be anything.
func put[T any](p *T, v T) {
	copy(unsafe.Slice((*byte)(unsafe.Pointer(p)), unsafe.Sizeof(v)), unsafe.Slice((*byte)(unsafe.Pointer(&v)), unsafe.Sizeof(v)))
}

// bytesOut is b, which lies in the caller's memory, as C has it.
func bytesOut(b []byte) C.tc_proto_bytes {
	if len(b) == 0 {
		return C.tc_proto_bytes{}
	}
	return C.tc_proto_bytes{data: address(b), len: C.size_t(len(b))}
}

// address is where b lies.
func address(b []byte) *C.uint8_t { return (*C.uint8_t)(unsafe.Pointer(unsafe.SliceData(b))) }

// putAddress is put for a pointer: it stores a number, where an assignment would store a pointer.
func putAddress(to **C.uint8_t, b []byte) {
	*(*uintptr)(unsafe.Pointer(to)) = uintptr(unsafe.Pointer(unsafe.SliceData(b)))
}

// key is a copy of a C array.
func key(k *[libproto.KeyLen]C.uint8_t) [libproto.KeyLen]byte {
	return *(*[libproto.KeyLen]byte)(unsafe.Pointer(k))
}

// keyOut and saltOut are copies for C.
func keyOut(k [libproto.KeyLen]byte) [libproto.KeyLen]C.uint8_t {
	return *(*[libproto.KeyLen]C.uint8_t)(unsafe.Pointer(&k))
}

func saltOut(s [libproto.SaltLen]byte) [libproto.SaltLen]C.uint8_t {
	return *(*[libproto.SaltLen]C.uint8_t)(unsafe.Pointer(&s))
}

func salt(s *[libproto.SaltLen]C.uint8_t) [libproto.SaltLen]byte {
	return *(*[libproto.SaltLen]byte)(unsafe.Pointer(s))
}
