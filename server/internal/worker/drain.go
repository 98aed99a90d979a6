package worker

import "tradechat.internal/libproto"

// drain is how far the worker is in stopping.
//
//	startDrain ── drainGrace ──▶ hang up on all ── all closed, or drainMax ──▶ done
//	GOING_AWAY to all; requests      what is queued is
//	that are under way are answered  sent; no new answers
type drain struct {
	since tick // of startDrain; 0: not begun
	hung  bool // has hung up on all
	done  bool // the loop is to end
}

func (d *drain) begun() bool { return d.since != 0 }

// startDrain stops accepting and tells everybody.
func (w *Worker) startDrain() {
	if w.drain.begun() {
		return
	}
	w.drain.since = w.clock.tick
	w.gate.close()
	w.log.Info().Int("connections", len(w.table.rows)).Msg("draining")
	for _, c := range w.table.rows {
		if c.state != stateLeaving {
			w.say(c, libproto.GoingAwayShutdown, "the server is stopping")
		}
	}
}

// advanceDrain takes the next step of a drain when it is time.
func (w *Worker) advanceDrain() {
	d := &w.drain
	if !d.begun() || d.done {
		return
	}
	passed := w.clock.tick - d.since
	if !d.hung && passed > ticks(drainGrace) {
		d.hung = true
		w.hangUpAll()
	}
	if w.gate.open.Load() == 0 || passed > ticks(drainMax) {
		d.done = true
		w.finish(nil)
	}
}

func (w *Worker) hangUpAll() {
	for _, c := range w.table.rows {
		w.hangUp(c)
	}
}
