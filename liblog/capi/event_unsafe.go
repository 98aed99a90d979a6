//go:build cgo

package capi

// #include <tradechat/log.h>
import "C"

import (
	"slices"
	"unicode/utf8"
	"unsafe"

	"github.com/rs/zerolog"

	"tradechat.internal/liblog"
)

// ownKeys are those of the fields that the log writes itself.
var ownKeys = []string{
	liblog.FieldTime, liblog.FieldLevel, liblog.FieldMessage, liblog.FieldPID, liblog.FieldRole, liblog.FieldSlot,
	liblog.FieldConn, liblog.FieldReqID, liblog.FieldOpcode, liblog.FieldStatus, liblog.FieldEvent, liblog.FieldSuppressed,
}

// text is a copy of a C text of at most so many bytes; "" for a null pointer.
func text(s *C.char, most int) (string, C.int) {
	if s == nil {
		return "", C.TC_LOG_OK
	}
	n := 0
	for *(*byte)(unsafe.Add(unsafe.Pointer(s), n)) != 0 { // not a byte beyond its end
		if n++; n > most {
			return "", C.TC_LOG_E_LIMIT
		}
	}
	t := string(unsafe.Slice((*byte)(unsafe.Pointer(s)), n))
	if !utf8.ValidString(t) {
		return "", C.TC_LOG_E_UTF8
	}
	return t, C.TC_LOG_OK
}

// texts copies several, and stops at the first that is wrong.
func texts(from []*C.char, to []*string) C.int {
	for i, s := range from {
		t, result := text(s, C.TC_LOG_TEXT_MAX)
		if result != C.TC_LOG_OK {
			return result
		}
		*to[i] = t
	}
	return C.TC_LOG_OK
}

// field is one extra field.
type field struct {
	key   string
	value any // int64, uint64, float64, bool or string
}

func (f field) add(line *zerolog.Event) {
	switch v := f.value.(type) {
	case int64:
		line.Int64(f.key, v)
	case uint64:
		line.Uint64(f.key, v)
	case float64:
		line.Float64(f.key, v)
	case bool:
		line.Bool(f.key, v)
	case string:
		line.Str(f.key, v)
	}
}

func fieldsIn(from *C.tc_log_field, count C.size_t) ([]field, C.int) {
	switch {
	case count == 0:
		return nil, C.TC_LOG_OK
	case from == nil:
		return nil, C.TC_LOG_E_ARGUMENT
	case count > C.TC_LOG_FIELDS_MAX:
		return nil, C.TC_LOG_E_LIMIT
	}
	fields := make([]field, count)
	for i, f := range unsafe.Slice(from, int(count)) {
		var result C.int
		if fields[i], result = fieldIn(&f); result != C.TC_LOG_OK {
			return nil, result
		}
	}
	return fields, C.TC_LOG_OK
}

func fieldIn(f *C.tc_log_field) (in field, result C.int) {
	key, result := text(f.key, C.TC_LOG_KEY_MAX)
	switch {
	case result == C.TC_LOG_E_UTF8:
		return in, result
	case result != C.TC_LOG_OK || key == "" || slices.Contains(ownKeys, key):
		return in, C.TC_LOG_E_KEY
	}
	in.key = key
	value := unsafe.Pointer(&f.value)
	switch f._type {
	case C.TC_LOG_I64:
		in.value = *(*int64)(value)
	case C.TC_LOG_U64:
		in.value = *(*uint64)(value)
	case C.TC_LOG_F64:
		in.value = *(*float64)(value)
	case C.TC_LOG_BOOL:
		in.value = *(*int32)(value) != 0
	case C.TC_LOG_TEXT:
		s := *(**C.char)(value)
		if s == nil {
			return in, C.TC_LOG_E_ARGUMENT
		}
		in.value, result = text(s, C.TC_LOG_TEXT_MAX)
	default:
		result = C.TC_LOG_E_ARGUMENT
	}
	return in, result
}

// event is a whole event, checked.
type event struct {
	level                           liblog.Level
	message, repeat, opcode, status string
	conn, reqID                     uint64
	fields                          []field
}

func eventIn(e *C.tc_log_event, level liblog.Level) (in event, result C.int) {
	in = event{level: level, conn: uint64(e.conn), reqID: uint64(e.req_id)}
	result = texts([]*C.char{e.message, e.repeat, e.opcode, e.status}, []*string{&in.message, &in.repeat, &in.opcode, &in.status})
	if result == C.TC_LOG_OK {
		in.fields, result = fieldsIn(e.fields, e.fields_count)
	}
	return in, result
}

// writeTo writes the event: 1, or 0 if its repeat key has had its share.
func (e event) writeTo(logger *liblog.Logger) C.int {
	line := logger.At(e.level)
	if e.repeat != "" {
		line = logger.Limited(e.level, e.repeat)
	}
	if line == nil {
		return 0
	}
	e.addRequest(line)
	for _, f := range e.fields {
		f.add(line)
	}
	line.Msg(e.message)
	return 1
}

// addRequest adds the fields of a request, those that there are.
func (e event) addRequest(line *zerolog.Event) {
	if e.conn != 0 {
		line.Uint64(liblog.FieldConn, e.conn)
	}
	if e.reqID != 0 {
		line.Uint64(liblog.FieldReqID, e.reqID)
	}
	if e.opcode != "" {
		line.Str(liblog.FieldOpcode, e.opcode)
	}
	if e.status != "" {
		line.Str(liblog.FieldStatus, e.status)
	}
}
