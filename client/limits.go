package client

import (
	"time"

	"tradechat.internal/libproto"
)

// The defaults of Config.
const (
	AddressDefault      = "127.0.0.1:7878"
	DialTimeoutDefault  = 10 * time.Second
	CallTimeoutDefault  = 30 * time.Second
	PipelineMaxDefault  = 1024
	PushesMaxDefault    = 4096
	TriesMaxDefault     = 8
	BusyWaitMaxDefault  = 5 * time.Second
	ReconnectForDefault = 2 * time.Minute
)

// The bounds that Config.Validate holds to.
const (
	PipelineMost = 1 << 16
	PushesMost   = 1 << 20
	TriesMost    = 1000
	agentLenMax  = 256 // bytes: HELLO has to fit into libproto.BodyLenMaxBeforeLogin
)

const (
	// bodyLenCeiling is the largest max_body_len that a server may announce: what it could make a client buffer.
	bodyLenCeiling = 16 << 20

	// adminBodyLenMax is the longest body on the admin socket: a bytes field of the greatest length.
	adminBodyLenMax = libproto.FieldLenMax + 2

	// readBufferBytes is what one read can bring in; the buffer grows for a longer frame.
	readBufferBytes = 16 << 10

	// outKeepBytes is the largest write buffer that is kept for the next batch.
	outKeepBytes = 1 << 20

	// heartbeatIntervalMin is how often heartbeats are sent at most, whatever the server asks for.
	heartbeatIntervalMin = 10 * time.Millisecond

	// heartbeatPatienceDefault is how long a heartbeat may go unanswered if the server names no idle time-out.
	heartbeatPatienceDefault = time.Minute

	// lastWordsWait is how long a connection is still read after a write failed.
	lastWordsWait = 250 * time.Millisecond

	// fateAsksMax is how often TXN_STATUS is asked while its answer is "pending".
	fateAsksMax = 8

	// gapRoomsMax bounds the rooms whose skipped messages a full inbox remembers; more are counted in Dropped.Other.
	gapRoomsMax = 1 << 14
)
