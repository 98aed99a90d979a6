package shmstore

import _ "unsafe" // for go:linkname

// Between pin and unpin the goroutine is not preempted. An operation that is stepped
// through lasts so long that nine of ten instructions would be the scheduler's.
//
//go:linkname pin runtime.procPin
func pin() int

//go:linkname unpin runtime.procUnpin
func unpin()
