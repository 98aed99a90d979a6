package master

import (
	"errors"

	"tradechat.internal/liblog"
	"tradechat.internal/shmstore"
)

// repair makes the segment whole after the process of a slot. ErrBusy: try again later.
func (m *Master) repair(slot int) error {
	var report shmstore.RepairReport
	var err error
	for range repairAttemptsMax {
		m.withStore(func(st *shmstore.Store) { report, err = st.RepairSlot(slot) })
		if !errors.Is(err, shmstore.ErrBusy) {
			break
		}
	}
	if err != nil {
		m.log.Warn().Int(liblog.FieldSlot, slot).Err(err).Msg("repair put off")
		return err
	}
	m.logRepair(report)
	return nil
}

func (m *Master) logRepair(r shmstore.RepairReport) {
	m.log.Info().Int(liblog.FieldSlot, r.Slot).Uint64("applied_seq", r.AppliedSeq).Int("locks_freed", r.LocksFreed).
		Int("sessions_detached", r.SessionsDetached).Msg("slot repaired")
}
