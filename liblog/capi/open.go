//go:build cgo

package capi

// #include <tradechat/log.h>
import "C"

import (
	"sync"
	"sync/atomic"

	"tradechat.internal/capi/boundary"
	"tradechat.internal/liblog"
)

// logs are those that C has.
var logs = boundary.Table[cLog]{Tag: boundary.TagLog, Most: C.TC_LOG_LOGS_MAX}

// cLog is a tc_log. The logger writes what it is given; level decides what that is, without a lock.
type cLog struct {
	level atomic.Int32 // a liblog.Level

	mu     sync.Mutex // a line's loss is told to who wrote it
	sink   *sink
	closed bool
	logger *liblog.Logger
}

// formats are liblog's, by C's number.
var formats = map[C.int32_t]liblog.Format{
	C.TC_LOG_AUTO:    liblog.FormatAuto,
	C.TC_LOG_CONSOLE: liblog.FormatConsole,
	C.TC_LOG_JSON:    liblog.FormatJSON,
}

// levelOf checks a level; most is the highest that is allowed.
func levelOf(level C.int32_t, most liblog.Level) (liblog.Level, bool) {
	l := liblog.Level(level)
	return l, C.int32_t(l) == level && l >= liblog.LevelTrace && l <= most
}

// write runs f, which writes lines, and says whether one was lost. A log that is closed meanwhile is no handle any more.
func (l *cLog) write(f func(*liblog.Logger) C.int) C.int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return C.TC_LOG_E_HANDLE
	}
	l.sink.lost = false
	result := f(l.logger)
	if l.sink.lost {
		return C.TC_LOG_E_WRITE
	}
	return result
}

// flush writes what was held back.
func (l *cLog) flush() C.int {
	return l.write(func(logger *liblog.Logger) C.int {
		logger.Close()
		l.sink.sync()
		return C.TC_LOG_OK
	})
}

// close flushes and ends the log.
func (l *cLog) close() C.int {
	result := l.flush()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	if l.sink.Close() != nil && result == C.TC_LOG_OK {
		return C.TC_LOG_E_WRITE
	}
	return result
}
