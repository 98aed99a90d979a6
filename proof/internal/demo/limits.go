package demo

import "time"

const (
	// DurationMin is the shortest load in whose middle a worker can be killed and replaced.
	DurationMin = time.Second
	DurationMax = time.Hour

	// WorkersMin leaves somebody to serve while one is down.
	WorkersMin = 2
	WorkersMax = 64
)
