package logwriter

import "time"

const (
	// idleMax is how long the log writer sleeps at most: its heart must beat, and a wake-up that is lost costs no more.
	idleMax = 100 * time.Millisecond

	// syncEvery is how much time --durability async may lose.
	syncEvery = 50 * time.Millisecond

	// gatherFor is how long a group may grow that no answer waits for: written a few at a time, records cost the journal half of what
	// their requests cost a worker. gatherShare is how many whole groups the log must have room for.
	gatherFor   = 5 * time.Millisecond
	gatherShare = 8

	// lookEvery is the pace of what is not about records.
	lookEvery = 500 * time.Millisecond

	// beatEvery is the pace of the heart while the folder is read.
	beatEvery = 100 * time.Millisecond

	// The journal is read again at scrubRate, a pass scrubPause after the one before: a percent of a processor. scrubTellEvery is how
	// often the loop looks what was found.
	scrubRate      = 8 << 20 // bytes a second
	scrubPause     = time.Minute
	scrubTellEvery = time.Second

	// repairsMax bounds how many damaged things one start sets aside.
	repairsMax = 8

	// processorsMax: one for the loop, one for snapshots and the next file.
	processorsMax = 2
)
