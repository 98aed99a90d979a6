package openloop

import "time"

const (
	// lateMax is how long the last answers may take.
	lateMax = 10 * time.Second

	// tick is how often the loop looks for requests that are due: sleeping in between leaves the processor to the servers.
	tick = 50 * time.Microsecond

	// readBytes is how much a connection holds that is not a whole answer yet.
	readBytes = 64 << 10

	// eventsMax is how many ready connections one look at the epoll set returns.
	eventsMax = 256
)
