package peers

import "time"

const (
	// ConnectionsMax bounds connections and subscribers: PostgreSQL has a process for each.
	ConnectionsMax = 1000
	RoundsMax      = 100
	WorkersMax     = 64
	DepthMax       = 256

	// DurationMin keeps a round long enough for an answer.
	DurationMin = 50 * time.Millisecond
	DurationMax = time.Hour

	// readyMax is how long a rival may take until it answers, readyEvery how often it is asked.
	readyMax   = 30 * time.Second
	readyEvery = 5 * time.Millisecond

	// setUpMax is how long one answer may take before a connection is driven.
	setUpMax = 10 * time.Second

	// openingMinor is what each account begins with: more than any run can move away.
	openingMinor = 1 << 40

	// latencyShare is the share of what the slowest of a class can do at which latency is measured.
	latencyShare = 0.5

	// messageBytes is the length of a message in the fan-out.
	messageBytes = 64

	// logTailBytes is how much of a rival's log an error quotes.
	logTailBytes = 2000
)
