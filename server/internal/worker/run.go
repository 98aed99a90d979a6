package worker

import (
	"runtime"
	"runtime/debug"

	"tradechat.internal/liblog"
	"tradechat.internal/server/internal/heritage"
)

const (
	// processorsMax: one for the loop, one for everything that must not delay it (accepting, garbage collection).
	processorsMax = 2

	// gcPercent bounds the garbage to half of what is alive. A request allocates nothing, so collections are rare at any
	// value; a larger one only leaves the garbage of accepting and logging in behind. After 10,000 logins a connection
	// takes 1.1 KiB at 50, up to 1.4 KiB at 100, and 1.9 KiB at 400.
	gcPercent = 50
)

// Run is a worker process: it serves until the master asks it to end (nil), until the master is gone (heritage.ErrOrphaned) or until
// something breaks. Signals are the caller's to deal with.
func Run(h heritage.Heritage, log *liblog.Logger) error {
	runtime.GOMAXPROCS(processorsMax)
	debug.SetGCPercent(gcPercent)
	w, err := New(h, log.WithSlot(h.Slot))
	if err != nil {
		return err
	}
	return w.Serve()
}
