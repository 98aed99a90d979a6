package worker

import (
	"tradechat.internal/libproto"
	"tradechat.internal/shmstore"
)

// sweep looks at the next slice of the connections for those whose time is over.
func (w *Worker) sweep() {
	w.bookRefusals()
	n := len(w.table.rows)
	if w.swept >= n {
		w.swept = 0
	}
	end := min(n, w.swept+sweepRowsMax)
	closes := 0
	for ; w.swept < end && closes < sweepClosesMax; w.swept++ {
		if detail := w.overdue(w.swept); detail != "" {
			w.metrics.Add(shmstore.CounterIdleTimeouts, 1)
			w.dismiss(w.table.rows[w.swept], libproto.GoingAwayIdle, detail)
			closes++
		}
	}
}

// overdue says why the connection in a row is to be closed now; empty if it is not. Ticks round: a limit is kept to
// the full, and overrun by two of them at most.
func (w *Worker) overdue(row int) (detail string) {
	now, since := w.clock.tick, w.table.since[row]
	switch {
	case now-w.table.seen[row] > w.idleMax:
		detail = "nothing was received in time"
	case since != 0 && now-since > w.loginMax:
		detail = "no login in time"
	default:
		return ""
	}
	if c := w.table.rows[row]; c.state == stateLeaving || c.paused { // they have deadlines of their own
		return ""
	}
	return detail
}

// bookRefusals enters the connections that the gate has turned away.
func (w *Worker) bookRefusals() {
	if n := w.gate.refused.Swap(0); n != 0 {
		w.metrics.Add(shmstore.CounterConnectionsRefused, n)
	}
}
