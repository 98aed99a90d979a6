package master

import (
	"slices"
	"time"
)

// guard looks whether the next start would find what this run leaves: the segment under its name, and the data folder and the
// journal at their paths. A name can be removed under a server that runs, by cleaners of /dev/shm or at a logout (RemoveIPC).
// It cannot be made again: Linux gives no name to a file that has lost its last one. While the segment has none, a kill of all
// processes would lose what only it holds, so in all modes answers wait until the journal has written what they promise.
func (m *Master) guard(now time.Time) {
	if now.Before(m.guardAt) {
		return
	}
	m.guardAt = now.Add(guardEvery)
	named, placed := m.segment.Named(), m.folder.Guard()
	m.segment.Unguard(named != nil || placed != nil)
	var alarms []string
	if named != nil {
		alarms = append(alarms, named.Error()+" → answers wait for the journal; stop and start the server soon, and keep cleaners "+
			"away from /dev/shm (docs/operations.md, RemoveIPC)")
	}
	if placed != nil {
		alarms = append(alarms, placed.Error()+" → answers wait for the journal; put it back, or stop the server")
	}
	m.raise(alarms)
}

// raise logs what has become of the alarms, and makes them known to the statistics.
func (m *Master) raise(alarms []string) {
	before := m.alarmed()
	m.alarms.Store(&alarms)
	for _, alarm := range alarms {
		if !slices.Contains(before, alarm) {
			m.log.Error().Str("alarm", alarm).Msg("ALARM: a crash now would lose what is not in the journal")
		}
	}
	if len(alarms) == 0 && len(before) != 0 {
		m.log.Info().Strs("alarms", before).Msg("the alarms are over")
	}
}

// alarmed are the alarms that last.
func (m *Master) alarmed() []string {
	if alarms := m.alarms.Load(); alarms != nil {
		return *alarms
	}
	return nil
}
