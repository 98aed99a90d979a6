package master

import (
	"time"

	"tradechat.internal/ledger"
	"tradechat.internal/shmstore"
)

// wallClock is what the master has said of the wall clock. It dates records, and nothing lives or waits by it.
type wallClock struct {
	behind  bool
	setBack uint64 // records that were counted as dated earlier than the ones before them
}

// lookAtClock reports a wall clock that is behind the log, once each time.
func (m *Master) lookAtClock() {
	c := &m.wallClock
	newest, setBack := m.segment.NewestTime(), m.segment.Count(shmstore.CounterClockSetBack)
	behind := time.Until(newest) > ledger.ClockSlack && !newest.IsZero()
	if behind && !c.behind || setBack > c.setBack {
		m.log.Warn().Time("newest_record", newest).Uint64("clock_set_back", setBack).
			Msg("the wall clock is behind the log: records are dated earlier than the ones before them → check the clock")
	}
	c.behind, c.setBack = behind, setBack
}
