package driver

import "time"

const (
	// slotBits is how many bits of a req_id are the call's slot; the rest counts up.
	slotBits = 12

	// slotsMax bounds the calls in a connection's table: PipelineMax in flight, expiredMax expired, and the handshake's.
	slotsMax = 1 << slotBits

	// PipelineMax bounds the requests in flight on a connection.
	PipelineMax = 1024

	// expiredMax bounds the requests of a connection that were not answered in time. With one more it is given up.
	expiredMax = 1024

	// doubtsMax bounds the money requests that a connection asks for when it is back; more are left to the audit.
	doubtsMax = 2048

	// RoomsPerConnectionMax bounds the rooms that one connection joins.
	RoomsPerConnectionMax = 512

	// waitingMax bounds the requests of an open loop that wait on a thread's connections, connWaitingMax those on one of them; more
	// are skipped. connWaitingMin is a connection's first ring.
	waitingMax     = 1 << 20
	connWaitingMax = 1 << 16
	connWaitingMin = 16

	// addressesMax bounds the addresses of a name that are tried.
	addressesMax = 16

	// connectingMax bounds a thread's connections that are on their way from down to ready.
	connectingMax = 64

	// eventsMax is how many events one epoll_wait(2) takes.
	eventsMax = 256

	// readMin is the least room for one read(2), in bytes; what was left of a frame comes on top.
	readMin = 64 << 10

	// BodyLenMax bounds the longest body that a server may say it sends, in bytes.
	BodyLenMax = 16 << 20
)

const (
	// sweepEvery is how often a thread looks for what is overdue, sweepHurried while a connection waits for its time to
	// come or a phase for its end.
	sweepEvery   = 20 * time.Millisecond
	sweepHurried = time.Millisecond

	// connectCatchUp is how much of its rate a thread may catch up with when it was late to connect.
	connectCatchUp = 20 * time.Millisecond

	// timerSlack is how late the kernel may wake a load thread, to wake it together with others; 50 µs unless asked.
	timerSlack = time.Microsecond

	// pauseMin and pauseMax bound how long a connection is silent when a busy server asks for it.
	pauseMin = time.Millisecond
	pauseMax = 10 * time.Second

	// backoffBase and backoffCap are the window of the first wait before a connection comes back, and the widest.
	backoffBase = 20 * time.Millisecond
	backoffCap  = 2 * time.Second
)
