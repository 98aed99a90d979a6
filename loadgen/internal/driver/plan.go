package driver

import (
	"time"

	"tradechat.internal/loadgen/internal/chatcheck"
	"tradechat.internal/loadgen/internal/findings"
	"tradechat.internal/loadgen/internal/mix"
	"tradechat.internal/loadgen/internal/roster"
	"tradechat.internal/loadgen/internal/stats"
)

// Plan is what all threads of a run share. It does not change once they run; what it points to is safe for them.
type Plan struct {
	Server      string // host:port
	Connections int
	Threads     int // at most Connections
	Pipeline    int // requests in flight a connection, 1 … PipelineMax
	PayloadLen  int // bytes of a chat message
	AmountMax   uint64
	Timeout     time.Duration // of each request
	Seed        uint64
	BodyLenMax  uint32 // bytes, as the server said
	Mix         *mix.Mix
	Users       []roster.User    // connection i is user i mod len
	Chat        *chatcheck.Group // nil when the mix sends no messages
	Timeline    *stats.Timeline

	// Violations are frames that the protocol does not allow.
	Violations findings.Log
}

func (p *Plan) user(conn uint32) int { return int(conn) % len(p.Users) }
