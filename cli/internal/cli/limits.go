package cli

import "time"

const (
	// passwordLenMax bounds a password, in bytes.
	passwordLenMax = 1024

	// logoutWait bounds the farewell: the command has done its work by then.
	logoutWait = 2 * time.Second

	// reconnectForDefault is how long a command tries to come back, and so to learn what became of what it asked for: time
	// for a worker's death and for a server's restart, and not too long for somebody who waits. reconnectForMost bounds
	// --reconnect-for.
	reconnectForDefault = 10 * time.Second
	reconnectForMost    = 24 * time.Hour

	// historyLimitDefault and historyLimitMost are for history --limit.
	historyLimitDefault = 20
	historyLimitMost    = 1_000_000

	// replayMost is for join --replay: the protocol's replay_count is a u16.
	replayMost = 1<<16 - 1

	// lineMost bounds a line of stdin, whatever the server says that it takes; lineHeadLen is how much of one is shown when it
	// could not be sent. In bytes.
	lineMost    = 1 << 20
	lineHeadLen = 64

	// foregroundEvery is how often a join in the background looks whether it is in the foreground again.
	foregroundEvery = 200 * time.Millisecond

	// logLastMost is for log --last: so many records are kept in memory.
	logLastMost = 10_000_000

	// followEvery is how often log --follow looks for more; progressEvery how often a terminal is told how far it is.
	followEvery   = 200 * time.Millisecond
	progressEvery = 200 * time.Millisecond

	// zeroRowsShown is how long a table of the statistics may be to show its zeros too.
	zeroRowsShown = 12
)
