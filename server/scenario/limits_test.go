package scenario

import "time"

const (
	// patience bounds every wait; a passing script never comes near it.
	patience = 20 * time.Second

	// pollEvery is how often a thing that tells nobody of its changes is looked at.
	pollEvery = 2 * time.Millisecond

	// password is that of every user of a script.
	password = "correct horse"

	// placementTries bounds the connections that are made until the kernel puts one on the wanted worker.
	placementTries = 500

	// talkWindow and tradeWindow are the requests that one session has under way.
	talkWindow  = 16
	tradeWindow = 8

	// workMax bounds a talk and a trade, in which a server that is always busy would be asked for ever, and the stops of midway.
	workMax = time.Minute

	// watchPause lies between two rounds of a watch: it is to notice trouble, not to make load.
	watchPause = time.Millisecond

	// readableWithin is how long a read of what is there already may take.
	readableWithin = 20 * time.Millisecond

	// dripEvery is the pause between two bytes of a slow HELLO, dripBytes the length of the name in it: half a minute of them.
	dripEvery = 30 * time.Millisecond
	dripBytes = 900

	// stormFrames is how often one connection of a storm sends its request, at once.
	stormFrames = 60

	// midwayRun is how long a worker runs between two stops.
	midwayRun = 200 * time.Microsecond

	// fillWindow and fillMost are for filling a disk: transfers at once, and at most.
	fillWindow = 500
	fillMost   = 200_000

	// deafReceiveBytes is the receive buffer of a session that is going to be slow.
	deafReceiveBytes = 4 << 10
)
