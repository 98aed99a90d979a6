package admin

import "time"

const (
	// connectionsMax bounds the connections that are served at once; more wait in the socket's queue.
	connectionsMax = 16

	// quietMax is how long a connection may say nothing, and how long an answer may take to be read.
	quietMax = 30 * time.Second

	// durableMax is how long an answer waits for the disk: long enough for a journal that is being started again.
	durableMax = 5 * time.Second

	// stopSlice is how long such a wait goes on after Close has begun.
	stopSlice = 100 * time.Millisecond

	// busyMax is how long a request goes on trying for locks that others hold. The workers, who have an event loop to
	// keep running, pass ERR_SERVER_BUSY on at once; here a person waits.
	busyMax = time.Second
)
