package master

import "time"

const (
	// beatEvery is the tick of the supervision: the master's own heart, the watchdog, respawns that are due.
	beatEvery = 100 * time.Millisecond

	// respawnFirst … respawnMost is the pause before a slot that keeps crashing is tried again; the first time there
	// is none. A process that ran for stableAfter was no failed attempt.
	respawnFirst = 100 * time.Millisecond
	respawnMost  = 5 * time.Second
	stableAfter  = 2 * time.Second

	// startMax is how long a process may take from its start to its first accept: many start at once on few processors.
	startMax = 15 * time.Second

	// failedStartsMax is how often a worker may die before it ever accepted until the start of the server is given up.
	failedStartsMax = 5

	// sameWishMax is how soon after a signal to stop another one means nothing new.
	sameWishMax = 200 * time.Millisecond

	// expireEvery is the pace at which sessions whose time is over are ended.
	expireEvery = time.Second

	// guardEvery is the pace of the looks at the segment's name and the data folder's path.
	guardEvery = time.Second

	// segmentNamesMax is how many random names for a segment are tried.
	segmentNamesMax = 8

	// verifyEvery is how long the outcome of a Verify of the running server is used for SERVER_STATS.
	verifyEvery = time.Second

	// repairAttemptsMax bounds how often a repair that meets a busy lock is tried at once, before it is put off to
	// the next tick.
	repairAttemptsMax = 3
)
