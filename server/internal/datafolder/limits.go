package datafolder

import "time"

const (
	// LockWaitMax is how long a start waits for the processes of an earlier run: orphaned workers exit within a second.
	LockWaitMax = 3 * time.Second

	lockPoll = 20 * time.Millisecond

	// socketPathMax is the longest path that fits into sockaddr_un's sun_path with its NUL (unix(7)).
	socketPathMax = 107

	// holderBytesMax bounds what is used of the pid file.
	holderBytesMax = 32

	// segmentNameRandom is how many random bytes make a segment's name.
	segmentNameRandom = 16
)
