package driver

import (
	"time"

	"tradechat.internal/loadgen/internal/chatcheck"
	"tradechat.internal/loadgen/internal/findings"
	"tradechat.internal/loadgen/internal/mix"
	"tradechat.internal/loadgen/internal/roster"
	"tradechat.internal/loadgen/internal/zipf"
)

// Plan is what all threads of a run share. It does not change once they run; what it points to is safe for them.
type Plan struct {
	Server      string // host:port
	Connections int
	Threads     int // at most Connections
	Pipeline    int // requests in flight a connection, 1 … PipelineMax; in an open loop at most
	PayloadMin  int // bytes of a chat message
	PayloadMax  int // likewise; lengths between them are drawn evenly
	Batch       int // legs of a TRANSFER_BATCH; 0 when the mix has none
	AmountMax   uint64
	Skew        *zipf.Table   // of the users that money goes to; nil: all alike
	Think       time.Duration // closed loop: from an answer to the next request in its place
	ConnectRate float64       // connections that begin a second; 0: as fast as it goes
	Timeout     time.Duration // of each request
	Seed        uint64
	BodyLenMax  uint32 // bytes, as the server said
	Mix         *mix.Mix
	Users       []roster.User    // connection i is user i mod len
	Chat        *chatcheck.Group // nil when the mix sends no messages

	// Violations are frames that the protocol does not allow.
	Violations findings.Log
}

func (p *Plan) user(conn uint32) int { return int(conn) % len(p.Users) }
