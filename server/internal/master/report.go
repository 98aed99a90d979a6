package master

import (
	"sync"
	"time"

	"tradechat.internal/server/internal/stats"
	"tradechat.internal/shmstore"
)

// verification is the latest Verify of the running server. It is used again for verifyEvery: a Verify holds up the
// commits of all workers while it reads the log.
type verification struct {
	mu     sync.Mutex
	report *shmstore.VerifyReport
	err    error
	at     time.Time
}

// tell puts the latest outcome into a source of statistics, a new one if it is too old.
func (v *verification) tell(s *stats.Source, verify func() (*shmstore.VerifyReport, error)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.at.IsZero() || time.Since(v.at) >= verifyEvery {
		v.report, v.err = verify()
		v.at = time.Now()
	}
	s.Verified, s.VerifyErr, s.VerifiedAt = v.report, v.err, v.at
}

func (m *Master) verify() (report *shmstore.VerifyReport, err error) {
	m.withStore(func(st *shmstore.Store) { report, err = st.Verify() })
	return report, err
}

// statsJSON is SERVER_STATS. It is called from the admin socket's goroutines as well as from the supervision.
func (m *Master) statsJSON() ([]byte, error) {
	source := stats.Source{Segment: m.segment, Started: m.started, Durability: m.config.Durability, Alarms: m.alarmed()}
	if published := m.published.Load(); published != nil {
		source.Processes = *published
	}
	m.audit.tell(&source, m.verify)
	return stats.Encode(stats.Make(source))
}

// dumpStats logs what SERVER_STATS answers.
func (m *Master) dumpStats() {
	encoded, err := m.statsJSON()
	if err != nil {
		m.log.Error().Err(err).Msg("no statistics")
		return
	}
	m.log.Info().RawJSON("stats", encoded).Msg("statistics")
}

func (m *Master) logLine(now time.Time) {
	restarts := 0
	for i := range m.children {
		restarts += m.children[i].restarts
	}
	m.ticker.Line(m.log.Info(), now).Int("restarts", restarts).Int("alarms", len(m.alarmed())).Msg("stats")
}
