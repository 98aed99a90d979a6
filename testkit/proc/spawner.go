package proc

import (
	"runtime"
	"sync"
)

// spawner is one thread that starts all processes and never ends: the kernel sends a child's death signal when the
// thread that forked it ends (prctl(2), PR_SET_PDEATHSIG), not when the process does.
var spawner = sync.OnceValue(func() chan<- func() {
	work := make(chan func())
	go func() {
		runtime.LockOSThread()
		for f := range work {
			f()
		}
	}()
	return work
})

// onSpawner runs f on the spawner's thread.
func onSpawner(f func() error) error {
	outcome := make(chan error)
	spawner() <- func() { outcome <- f() }
	return <-outcome
}
