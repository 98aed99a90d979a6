//go:build cgo

package capi

// #cgo CFLAGS: -std=gnu11 -Wall -Wextra -I${SRCDIR}/../../include
// #include <tradechat/log.h>
import "C"

import (
	"time"

	"tradechat.internal/capi/boundary"
	"tradechat.internal/liblog"
)

// Where calls.c enters Go. What these functions do and answer is in the public header.

//export tcgo_log_open
func tcgo_log_open(o *C.tc_log_options, handle *C.uintptr_t) (result C.int) {
	defer boundary.Guard(&result)
	level, levelOK := levelOf(o.level, liblog.LevelOff)
	format, formatOK := formats[o.format]
	if !levelOK || !formatOK {
		return C.TC_LOG_E_ARGUMENT
	}
	var path, role string
	if result := texts([]*C.char{o.path, o.role}, []*string{&path, &role}); result != C.TC_LOG_OK {
		return result
	}
	l := new(cLog)
	l.level.Store(int32(level))
	var err error
	if o.path == nil {
		l.sink, err = openStderr()
	} else {
		l.sink, err = openFile(path)
	}
	if err != nil {
		return C.TC_LOG_E_OPEN
	}
	l.logger = liblog.New(liblog.Options{
		Writer: l.sink,
		Format: format,
		Level:  liblog.LevelTrace,
		Role:   role,
		Repeat: liblog.RepeatLimit{Events: int(o.repeat_events), Window: time.Duration(o.window_ms) * time.Millisecond},
	})
	h, put := logs.Put(l)
	if put != boundary.OK {
		l.close()
	}
	*handle = C.uintptr_t(h)
	return C.int(put)
}

//export tcgo_log_close
func tcgo_log_close(handle C.uintptr_t) (result C.int) {
	defer boundary.Guard(&result)
	l := logs.Take(uintptr(handle))
	if l == nil {
		return C.TC_LOG_E_HANDLE
	}
	return l.close()
}

//export tcgo_log_flush
func tcgo_log_flush(handle C.uintptr_t) (result C.int) {
	defer boundary.Guard(&result)
	l := logs.Get(uintptr(handle))
	if l == nil {
		return C.TC_LOG_E_HANDLE
	}
	return l.flush()
}

//export tcgo_log_set_level
func tcgo_log_set_level(handle C.uintptr_t, to C.int) (result C.int) {
	defer boundary.Guard(&result)
	l := logs.Get(uintptr(handle))
	level, ok := levelOf(to, liblog.LevelOff)
	switch {
	case l == nil:
		return C.TC_LOG_E_HANDLE
	case !ok:
		return C.TC_LOG_E_ARGUMENT
	}
	l.level.Store(int32(level))
	return C.TC_LOG_OK
}

//export tcgo_log_enabled
func tcgo_log_enabled(handle C.uintptr_t, of C.int) (result C.int) {
	defer boundary.Guard(&result)
	l := logs.Get(uintptr(handle))
	level, ok := levelOf(of, liblog.LevelError)
	switch {
	case l == nil:
		return C.TC_LOG_E_HANDLE
	case !ok:
		return C.TC_LOG_E_ARGUMENT
	case int32(level) < l.level.Load():
		return 0
	}
	return 1
}

//export tcgo_log_write
func tcgo_log_write(handle C.uintptr_t, e *C.tc_log_event) (result C.int) {
	defer boundary.Guard(&result)
	l := logs.Get(uintptr(handle))
	if l == nil {
		return C.TC_LOG_E_HANDLE
	}
	if e == nil {
		return C.TC_LOG_E_ARGUMENT
	}
	level, ok := levelOf(e.level, liblog.LevelError)
	if !ok {
		return C.TC_LOG_E_ARGUMENT
	}
	if int32(level) < l.level.Load() {
		return 0
	}
	in, result := eventIn(e, level)
	if result != C.TC_LOG_OK {
		return result
	}
	return l.write(in.writeTo)
}
