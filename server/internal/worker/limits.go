package worker

import "time"

const (
	// parkedBytesMax is how many bytes of answers may wait to become durable, counting parkedEntryBytes for each. A request
	// beyond that, whose answer might have to wait as well, is refused as busy before anything is done. A connection that has half
	// of --max-outbound of them is not read from.
	parkedBytesMax   = 32 << 20
	parkedEntryBytes = 48

	// parkedKeptBytes is the memory for them that is kept when nothing waits.
	parkedKeptBytes = 4 << 20

	// tickInterval is the beat of the timerfd: heart, timeouts, lingering sockets.
	tickInterval = 100 * time.Millisecond

	// flushBytes is the size at which a turn's answers are written although more frames wait to be answered.
	flushBytes = 256 << 10

	// readBufferBytes is how much one read takes from a socket, and with it the input of one turn.
	readBufferBytes = 64 << 10

	// stallMax is how long a connection may take nothing of what waits for it.
	stallMax = 10 * time.Second

	// writableEventsMax is how many sockets that take something again are collected at a time.
	writableEventsMax = 64

	// replayBytesMax bounds what JOIN_ROOM pushes of the past: a replay must not make a slow consumer.
	replayBytesMax = 256 << 10

	// sweepRowsMax is how many connections one tick looks at, sweepClosesMax how many it gives up: neither may hold
	// up the loop.
	sweepRowsMax   = 16 << 10
	sweepClosesMax = 512

	// lingerMax is how long a leaving connection may take to close its side, lingerBytesMax how much of its input is
	// dropped meanwhile.
	lingerMax      = time.Second
	lingerBytesMax = 4 << 20

	// drainGrace is how long requests are still answered after GOING_AWAY, drainMax how long a drain takes at most.
	drainGrace = 200 * time.Millisecond
	drainMax   = 2 * time.Second

	// exitMax is how long the loop may take to end once the master is gone.
	exitMax = 500 * time.Millisecond

	// framesPerBeat and membersPerBeat are the requests of a turn, and the members of a broadcast, after which the clock
	// is read again: a long turn must not stop the heart.
	framesPerBeat  = 64
	membersPerBeat = 256

	// spareDescriptors are kept back from RLIMIT_NOFILE for everything that is no client.
	spareDescriptors = 64

	// logSweepEvery is the number of ticks after which counts of suppressed log lines are written.
	logSweepEvery = 10

	// acceptBackoff is the pause after an accept that failed for want of resources.
	acceptBackoff = 20 * time.Millisecond

	// refusalsMax is how many waiting connections are refused between two such pauses.
	refusalsMax = 64

	// reconnectAfterMs is what GOING_AWAY suggests to a client that is turned away or outlives the server.
	reconnectAfterMs = 1000

	// detailBytesMax bounds the text that an error response carries.
	detailBytesMax = 128
)
