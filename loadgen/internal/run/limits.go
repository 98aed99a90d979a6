package run

import "time"

const (
	// controlTimeoutMin is the least time that a request outside of the load is given: --timeout may be much shorter.
	controlTimeoutMin = 10 * time.Second

	// connectPatience bounds the time until all connections are ready, connectPatienceEach what each adds to it.
	connectPatience     = 20 * time.Second
	connectPatienceEach = 5 * time.Millisecond

	// settleSlack is how much longer than --timeout the last answers are waited for: the sweep that fails them is late.
	settleSlack = time.Second

	// leavePatience bounds the time for LOGOUT.
	leavePatience = 5 * time.Second

	// heldWithin is the part of its rate that a step of a sweep must achieve.
	heldWithin = 0.99

	// spareProcs are for the goroutines beside the load threads.
	spareProcs = 2
)
