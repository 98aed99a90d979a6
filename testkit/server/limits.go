package server

import "time"

const (
	// readyMax is how long a server may take until it accepts.
	readyMax = 20 * time.Second

	// adminMax is how long one answer on the admin socket may take.
	adminMax = 10 * time.Second

	// successorMax is how long a killed worker's successor is waited for.
	successorMax = 10 * time.Second

	// statsEvery is how often the statistics are asked for while something in them is waited for.
	statsEvery = time.Millisecond

	// logTailLines is how much of the log an error quotes.
	logTailLines = 12

	// kdfIterations is the least that the protocol allows: what a login costs is not measured here.
	kdfIterations = 4096

	// openingMinor is what each trader begins with: more than any run can move away, a cent a request.
	openingMinor = 1 << 40

	// Password is the one password of all users that are made here, on a server that is gone in a minute.
	Password = "of no use to anybody"
)
