package liblog

import (
	"fmt"

	"github.com/rs/zerolog"
)

// The names of the fields. Time, level, message and error are zerolog's own defaults.
const (
	FieldTime    = "time"
	FieldLevel   = "level"
	FieldMessage = "message"
	FieldError   = "error"

	FieldPID  = "pid"  // process
	FieldRole = "role" // master, worker, journal, client, loadgen, …
	FieldSlot = "slot" // worker slot

	FieldConn   = "conn"   // connection, counted within the process
	FieldReqID  = "req_id" // of the frame
	FieldOpcode = "opcode" // by name
	FieldStatus = "status" // by name

	FieldEvent      = "event"      // key of a rate-limited event
	FieldSuppressed = "suppressed" // events of that key that were not written since its last line
	FieldDropped    = "dropped"    // lines that were lost before this one
)

// timeFormat has a fixed width, unlike time.RFC3339Nano: lines sort as text.
const timeFormat = "2006-01-02T15:04:05.000000Z07:00"

// Request adds the fields of one request to an event: connection, request id, opcode and status. It does nothing,
// and allocates nothing, for the nil event that a disabled level or a suppressed repeat gives.
func Request[O, S fmt.Stringer](e *zerolog.Event, conn, reqID uint64, opcode O, status S) *zerolog.Event {
	if e == nil {
		return nil
	}
	return e.Uint64(FieldConn, conn).Uint64(FieldReqID, reqID).
		Str(FieldOpcode, opcode.String()).Str(FieldStatus, status.String())
}
