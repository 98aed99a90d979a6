//go:build cgo

package capi

// #include "private.h"
import "C"

import "tradechat.internal/libproto"

// fault is where the fields of a body that is encoded leave the first thing that is wrong with one of them. Such a field
// reads as nothing, so that the body can be put together without a check after each.
type fault C.int

func (f *fault) set(result C.int) {
	if *f == C.TC_PROTO_OK {
		*f = fault(result)
	}
}

// bytes is a bytes field.
func (f *fault) bytes(b C.tc_proto_bytes) []byte {
	if b.len > libproto.FieldLenMax {
		f.set(C.TC_PROTO_E_LENGTH)
		return nil
	}
	field, ok := bytesAt(b.data, b.len)
	if !ok {
		f.set(C.TC_PROTO_E_ARGUMENT)
	}
	return field
}

// text is a str field.
func (f *fault) text(b C.tc_proto_bytes) []byte {
	field := f.bytes(b)
	if err := libproto.CheckText(field); err != nil {
		f.set(resultOf(err))
		return nil
	}
	return field
}

// yes is a yes-or-no field.
func (f *fault) yes(v C.uint8_t) bool {
	if v > 1 {
		f.set(C.TC_PROTO_E_BOOL)
	}
	return v == 1
}

func yesOut(v bool) C.uint8_t {
	if v {
		return 1
	}
	return 0
}

// rowsIn makes the rows of a list from the caller's, least … most of them.
func rowsIn[Row, From any](f *fault, rows *From, count C.size_t, least, most int, convert func(*fault, *From) Row) []Row {
	if count < C.size_t(least) || count > C.size_t(most) {
		f.set(C.TC_PROTO_E_COUNT)
		return nil
	}
	from, ok := sliceOf(rows, count)
	if !ok {
		f.set(C.TC_PROTO_E_ARGUMENT)
		return nil
	}
	list := make([]Row, len(from))
	for i := range from {
		list[i] = convert(f, &from[i])
	}
	return list
}

// rowsOut copies the rows of a list to the caller's and says how many there are.
func rowsOut[To, Row any](rows *To, rowsCap C.size_t, count *C.size_t, list []Row, convert func(*Row) To) C.int {
	to, ok := sliceOf(rows, rowsCap)
	if !ok {
		return C.TC_PROTO_E_ARGUMENT
	}
	*count = C.size_t(len(list))
	if len(list) > len(to) {
		return C.TC_PROTO_E_SHORT
	}
	for i := range list {
		put(&to[i], convert(&list[i]))
	}
	return C.TC_PROTO_OK
}
