package proc

import "time"

const (
	// stopMax is how long a process may take to end after SIGTERM; a server drains, audits and unlinks meanwhile.
	stopMax = 15 * time.Second

	// pipeMax is how long the output of an ended process is waited for: something else may hold its other end.
	pipeMax = 2 * time.Second

	// outputBytesMax is how much of a process's standard output is kept; the rest is dropped.
	outputBytesMax = 1 << 20
)
