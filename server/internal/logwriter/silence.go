package logwriter

import (
	"time"

	"tradechat.internal/shmstore"
)

// silence is what the log writer knows of the master's heart. A master that stands still (SIGSTOP, a debugger) repairs and replaces
// nobody, and cannot say so itself. One child is enough to say it.
type silence struct {
	nextLook time.Time
	noticed  bool
}

// look does, now and then, what is not about records: it books lost lines of the log, and looks after the master.
func (p *process) look() {
	now := time.Now()
	if now.Before(p.master.nextLook) {
		return
	}
	p.master.nextLook = now.Add(lookEvery)
	if n := p.log.TakeDropped(); n != 0 {
		p.store.Metrics().Add(shmstore.CounterLogDropped, n)
	}
	age := p.segment.SlotInfo(p.segment.Shape().MasterSlot()).HeartAge
	silent := age > p.heritage.Config.Watchdog
	switch {
	case silent && !p.master.noticed:
		p.log.Error().Dur("silent_ms", age).Msg("the master stands still: processes that die are not replaced, and the server cannot be stopped")
	case !silent && p.master.noticed:
		p.log.Warn().Msg("the master goes on")
	}
	p.master.noticed = silent
}
