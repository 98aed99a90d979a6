package logwriter

import (
	"errors"
	"fmt"
	"time"

	disk "tradechat.internal/ledger/journal"
	"tradechat.internal/server/internal/datafolder"
	"tradechat.internal/server/internal/heritage"
	"tradechat.internal/shmstore"
)

// What is on disk is read again: slowly while the server runs, and all that the next start needs before the segment may go. So damage is
// known while memory still has what was damaged.

// scrub is what the loop knows of the reading beside it.
type scrub struct {
	reading *disk.Scrub
	told    disk.ScrubState
	at      time.Time
}

func (p *process) startScrub() {
	p.scrub.reading = disk.StartScrub(datafolder.JournalFolder(p.heritage.Config.Data),
		disk.ScrubOptions{BytesPerSecond: scrubRate, Pause: scrubPause})
}

// tellScrub brings what was found into statistics and log. The metrics row is the loop's.
func (p *process) tellScrub(now time.Time) {
	if p.scrub.reading == nil || now.Sub(p.scrub.at) < scrubTellEvery {
		return
	}
	state, before := p.scrub.reading.State(), p.scrub.told
	p.scrub.at, p.scrub.told = now, state
	m := p.store.Metrics()
	m.Add(shmstore.CounterScrubBytes, state.Bytes-before.Bytes)
	m.Add(shmstore.CounterScrubPasses, state.Passes-before.Passes)
	if state.Passes != before.Passes && state.Damage != nil {
		m.Add(shmstore.CounterScrubDamage, 1)
		p.log.Error().Err(state.Damage).
			Msg("the journal on disk is damaged → put the file back from a backup while the server runs; docs/journal.md has the other ways out")
	}
}

// endScrub stops the reading, and returns what its last pass has found.
func (p *process) endScrub() error {
	if p.scrub.reading == nil {
		return nil
	}
	p.scrub.reading.Stop()
	return p.scrub.reading.State().Damage
}

// recover reads the journal. What is damaged of it is set aside, and written anew, if the segment that an earlier run left has all of its records.
func (p *process) recover(folder string) (found *disk.Recovered, err error) {
	for range repairsMax {
		found, err = disk.Recover(folder, disk.RecoverOptions{TailRecords: int(p.segment.Shape().LogRecords)})
		var d *disk.DamageError
		if p.heritage.Start != heritage.StartWarm || !errors.As(err, &d) {
			return found, err
		}
		aside, asideErr := disk.SetAside(folder, d, p.segment.OldestRecord())
		if asideErr != nil {
			return nil, errors.Join(err, asideErr)
		}
		p.aside = aside
		p.log.Error().Err(d).Str("aside", aside).Msg("the journal on disk is damaged: what is wrong was moved, and is written anew from memory")
	}
	return nil, err
}

// readBack is the last step of a clean stop: the segment may go only if the next start will find all of it on disk. If not, the failure stands
// in the segment, which the master then keeps.
func (p *process) readBack(damage error) error {
	if damage == nil {
		damage = p.writer.ReadBack(int(p.segment.Shape().LogRecords))
	}
	if damage == nil {
		return nil
	}
	err := fmt.Errorf("what is on disk is not what was written: %w", damage)
	p.log.Error().Err(damage).Msg("the journal on disk is damaged: the segment is kept")
	p.store.FailJournal(err.Error())
	return err
}
