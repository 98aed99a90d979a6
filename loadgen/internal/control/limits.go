package control

import "time"

const (
	// sessionsMax is how many users are served at a time.
	sessionsMax = 8

	// dialAttempts is how often a connection is tried before the server counts as unreachable.
	dialAttempts = 4

	// busyAttempts is how often a request is sent to a server that says that it is busy.
	busyAttempts = 60

	// busyWaitMin and busyWaitMax bound the wait that a busy server asks for.
	busyWaitMin = 5 * time.Millisecond
	busyWaitMax = time.Second

	// auditAttempts is how often one user's questions after the load are asked, each time on a new connection.
	auditAttempts = 6
)
