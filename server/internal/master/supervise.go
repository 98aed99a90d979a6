package master

import (
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"

	"tradechat.internal/liblog"
	"tradechat.internal/server/internal/stats"
	"tradechat.internal/shmstore"
)

type phase int

const (
	starting phase = iota // not every slot has been ready yet
	serving
	stopping
)

// handled are the signals that the master acts on.
func handled() []os.Signal { return append(stopSignals(), unix.SIGUSR1) }

// stopSignals are those that stop it. A SIGHUP that was ignored at the start (nohup) stays so.
func stopSignals() []os.Signal {
	signals := []os.Signal{unix.SIGTERM, unix.SIGINT}
	if !signal.Ignored(unix.SIGHUP) {
		signals = append(signals, unix.SIGHUP)
	}
	return signals
}

// supervise runs the loop until the server has stopped, and returns how that went.
func (m *Master) supervise() error {
	m.discard = false // from now on it may hold more than disk does
	m.beatAt = time.Now()
	m.ticker = stats.NewTicker(m.segment, m.beatAt)
	m.log.Info().Str("address", m.address).Int("workers", m.config.Workers).Str("data", m.folder.Path()).
		Str("segment", m.segment.Path()).Str("lock_mode", m.config.LockMode).Str("registration", m.config.Registration).
		Str("durability", m.config.Durability).Uint64("head", m.segment.Head()).Msg("starting")
	beat := time.NewTicker(beatEvery)
	defer beat.Stop()
	line, stopLine := every(m.config.StatsEvery)
	defer stopLine()
	m.spawnDue(m.beatAt)
	for !m.over() {
		select {
		case r := <-m.reports:
			m.onReport(r, time.Now())
		case s := <-m.signals:
			m.onSignal(s, time.Now())
		case <-beat.C:
			m.onBeat(time.Now())
		case now := <-line:
			m.logLine(now)
		}
		m.publish()
	}
	return m.conclude()
}

// every is a ticker that may be off.
func every(interval time.Duration) (<-chan time.Time, func()) {
	if interval == 0 {
		return nil, func() {}
	}
	t := time.NewTicker(interval)
	return t.C, t.Stop
}

func (m *Master) onBeat(now time.Time) {
	m.withStore(func(st *shmstore.Store) { // beats
		if now.After(m.expireAt) {
			m.expireAt = now.Add(expireEvery)
			st.ExpireSessions()
		}
		if n := m.log.TakeDropped(); n != 0 {
			st.Metrics().Add(shmstore.CounterLogDropped, n)
		}
	})
	late := now.Sub(m.beatAt) - beatEvery
	m.beatAt = now
	if late > m.config.Watchdog/2 {
		// This process was itself stopped or starved, and so perhaps were the workers: their age proves nothing yet.
		m.judgeFrom = now.Add(m.config.Watchdog)
		m.log.Warn().Dur("late_ms", late).Msg("the master stood still: meanwhile nothing was watched or replaced")
	}
	for i := range m.children {
		m.settle(&m.children[i])
	}
	m.watch(now)
	m.killLate(now)
	m.reapStrangers()
	m.guard(now)
	m.lookAtClock()
	m.spawnDue(now)
	m.log.Sweep()
}

// watch kills the processes whose heart stands still, stopped ones too; their end is then a crash like any other.
func (m *Master) watch(now time.Time) {
	if now.Before(m.judgeFrom) {
		return
	}
	for i := range m.children {
		c := &m.children[i]
		p := c.process
		if p == nil || p.killed != "" {
			continue
		}
		info := m.segment.SlotInfo(c.slot)
		if p.asked && info.State == shmstore.SlotFree {
			continue // it has given its slot back: its heart need not beat any more
		}
		silent, limit := info.HeartAge, m.config.Watchdog
		if !p.ready {
			// The heartbeat may still be that of the process before.
			silent, limit = now.Sub(p.started), max(limit, startMax)
		}
		if silent > limit {
			m.log.Error().Int(liblog.FieldSlot, c.slot).Int("child_pid", p.pid).Dur("silent_ms", silent).
				Msg("no heartbeat: the watchdog kills the process")
			p.kill("no heartbeat")
		}
	}
}
