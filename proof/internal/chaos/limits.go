package chaos

import "time"

// The bounds of Options.
const (
	KillsMax    = 100000
	DurationMin = time.Second
	DurationMax = 24 * time.Hour
	WorkersMin  = 2 // one serves while another is down
	WorkersMax  = 64
	ClientsMin  = 6
	ClientsMax  = 600
)

// The server.
const (
	// watchdog is the server's, so short that a stopped process can be left to it. A stop that is to be survived is shorter.
	watchdog = time.Second
	stopMin  = 20 * time.Millisecond
	stopMost = 500 * time.Millisecond

	// journalFileMiB is the least: the disk is full when the next file cannot be made.
	journalFileMiB = 2

	// snapshotEvery makes starts from disk use snapshots as well as records.
	snapshotEvery = 5000

	usersSpare  = 64   // room for users beside the clients'
	sessionsMax = 4096 // sessions that nobody has go after sessionTTL: many can wait for that at once

	// recoversAfter is how long a process must have run for its death to be no crash loop, which the master answers with a
	// pause, and after five deaths of the journal with read-only: two seconds, and some for its start.
	recoversAfter = 2300 * time.Millisecond

	// readyMax is how long the server may take, after the last fault, until all workers and the log writer run.
	readyMax = time.Minute
)

// The clients.
const (
	groupAccounts  = 3 // accounts, and clients, between which transfers stay
	openingMinor   = 1000
	amountMost     = 400
	thinkMost      = 8 * time.Millisecond  // between two money operations of a client
	impatientShare = 0.1                   // of the calls that are given up early, which leaves their outcome unknown
	impatientMost  = 60 * time.Millisecond // after which they are given up
	windowOps      = 60                    // money operations of a client between two moments at which balances are read
	roomCount      = 3
	chatPauseMost  = 120 * time.Millisecond // between two messages of a client
	dialTimeout    = 2 * time.Second
	callTimeout    = 4 * time.Second
	reconnectFor   = time.Hour
	triesMax       = 20
	pushesMax      = 1 << 16
	retryEvery     = 20 * time.Millisecond // between two tries of what must succeed in the end
	resolveMax     = 60 * time.Second      // for that
	deliveredMax   = 30 * time.Second      // for the last messages to reach everybody
	sessionTTL     = time.Second           // so short that some who come back find their session gone
	idleTimeout    = 5 * time.Second
	heartbeatEvery = time.Second
)

// The nemesis.
const (
	pauseMost     = 250 * time.Millisecond // between two faults
	delayMost     = 80 * time.Millisecond
	proxyFaultMin = 50 * time.Millisecond
	proxyFaultMax = 600 * time.Millisecond
	dropMost      = 800 * time.Millisecond
	partitionMin  = 500 * time.Millisecond
	partitionMost = 3 * time.Second // the server ends sessions of sessionTTL within another second

	// tooSoonShare is how many kills of workers do not wait for the worker to count as recovered: those meet the back-off.
	tooSoonShare = 0.1

	// meanwhileShare is how many stops have something killed in their middle.
	meanwhileShare = 0.5

	progressEvery = 2 * time.Second
)

// The disk.
const (
	diskSlackBytes = 96 << 20 // that is free on it, but while it is full
	diskTightBytes = 64 << 10 // that is free when it is about to be full
	fillMax        = time.Minute
	floodLegs      = 1000
	floodMinor     = 1 << 40 // what the account that fills it has to give
)
