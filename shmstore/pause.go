package shmstore

// pause executes the PAUSE instruction n times (n ≥ 1): the processor waits a little and
// leaves the cache line that is spun on to its holder. Intel SDM, volume 2, PAUSE.
//
//go:noescape
func pause(n uint32)
