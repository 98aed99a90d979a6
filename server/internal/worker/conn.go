package worker

import (
	"net/netip"
	"time"

	"github.com/panjf2000/gnet/v2"
	"github.com/rs/zerolog"

	"tradechat.internal/liblog"
	"tradechat.internal/shmstore"
)

// state is where a connection stands (PROTOCOL §3). The values are bits, so that a row of the opcode table can name a
// set of them.
type state uint8

const (
	stateConnected state = 1 << iota
	stateGreeted
	stateReady
	stateLeaving // nothing is answered any more
)

func (s state) String() string {
	switch s {
	case stateConnected:
		return "connected"
	case stateGreeted:
		return "greeted"
	case stateReady:
		return "ready"
	}
	return "leaving"
}

// conn is one connection. It is made by the accept loop and from OnOpen on belongs to the event loop.
type conn struct {
	sock     gnet.Conn // nil before OnOpen and from OnClose on
	greeting *greeting // in GREETED only
	offences *offences // nil until the first one
	seats    []seat    // the rooms that the session is in
	session  shmstore.Session
	addr     netip.Addr
	admitNs  uint64 // rate limit: when the next request is due, see admit
	number   uint64 // its name in the log: counts the worker's connections
	need     uint32 // bytes that must be there before decoding is worth while
	row      uint32 // in the connections table
	counted  uint32 // where the segment counts it for its address; 0: nowhere
	dropped  uint32 // bytes of input dropped while leaving
	parked   uint32 // bytes of answers that wait to become durable
	state    state
	shut     bool // our side is shut down
	paused   bool // not read from
	outlived bool // a farewell counts as open instead of it
}

const fieldAddr = "addr"

// logTo adds to an event which connection it is about. A nil event, which is not written, costs nothing.
func (c *conn) logTo(e *zerolog.Event) *zerolog.Event {
	if e == nil {
		return nil
	}
	return e.Uint64(liblog.FieldConn, c.number).Stringer(fieldAddr, c.addr)
}

// loggedIn reports whether the connection has a session.
func (c *conn) loggedIn() bool { return c.session.ID != 0 }

// connTable holds the open connections in packed columns: sweeping touches only the times.
type connTable struct {
	rows  []*conn
	seen  []tick // of the last byte
	since []tick // from when on the login deadline counts, or the linger; 0: logged in
}

// tick counts tickIntervals since the worker's start, on the monotonic clock. It begins at 1 and wraps after 13 years.
type tick uint32

// ticks converts a duration, rounding up.
func ticks(d time.Duration) tick {
	return tick((d + tickInterval - 1) / tickInterval)
}

func (t *connTable) add(c *conn, now tick) {
	c.row = uint32(len(t.rows))
	t.rows = append(t.rows, c)
	t.seen = append(t.seen, now)
	t.since = append(t.since, now)
}

// remove moves the last row into c's.
func (t *connTable) remove(c *conn) {
	last := len(t.rows) - 1
	moved := t.rows[last]
	t.rows[c.row], t.seen[c.row], t.since[c.row] = moved, t.seen[last], t.since[last]
	moved.row = c.row
	t.rows[last] = nil
	t.rows, t.seen, t.since = t.rows[:last], t.seen[:last], t.since[:last]
}
