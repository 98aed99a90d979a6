package realtest

import "time"

const (
	// DurationMin and DurationMax bound the measured time of a case, all its rounds together.
	DurationMin = time.Second
	DurationMax = time.Hour

	durationDefault = 30 * time.Second

	// durationQuick shows that a case works; one with a kill needs time for the death and the successor.
	durationQuick     = 400 * time.Millisecond
	durationQuickKill = 2 * time.Second

	// runMin is the least that one run is measured for.
	runMin = 200 * time.Millisecond

	// A worker is stopped so often, for so long, while it holds an account; it is tried so often to find it at that.
	holdEvery   = 500 * time.Millisecond
	holdLength  = 100 * time.Millisecond
	holdTries   = 200
	feederMinor = 1 << 40

	// slowMs is what counts as slow where a worker is stopped: half a stop.
	slowMs = 50

	warmUp      = time.Second
	warmUpQuick = 200 * time.Millisecond

	// A run has about so many intervals, each within the bounds.
	intervalsWanted          = 100
	intervalMin, intervalMax = 100 * time.Millisecond, time.Second

	// quantileLeast is where the distributions begin: the quickest request of all would stretch the axis and says little.
	quantileLeast = 0.1

	// partLeast is the least part of the workers' time that can make a p99: of a hundred requests, one comes then.
	partLeast = 0.01

	// spikeFactor is how far above the median an interval's p99 must be to count as a spike.
	spikeFactor = 1.5
)
