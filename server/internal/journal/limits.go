package journal

import "time"

const (
	// idleMax is how long the journal sleeps at most: its heart must beat, and a wake-up that is lost costs no more.
	idleMax = 100 * time.Millisecond

	// syncEvery is how much time --durability async may lose.
	syncEvery = 50 * time.Millisecond

	// beatEvery is the pace of the heart while the folder is read.
	beatEvery = 100 * time.Millisecond

	// processorsMax: one for the loop, one for snapshots and the next file.
	processorsMax = 2
)
