package worker

import (
	"golang.org/x/sys/unix"

	"tradechat.internal/liblog"
	"tradechat.internal/libproto"
	"tradechat.internal/shmstore"
)

// damaged answers a frame that is not what a frame must be (PROTOCOL §2).
func (w *Worker) damaged(r *request, err error) {
	c := r.c
	if libproto.IsFatal(err) {
		w.logFrame(r, "bad-frame", err)
		w.fail(r, libproto.StatusBadPacket, 0, err.Error())
		w.hangUp(c)
		return
	}
	w.metrics.Add(shmstore.CounterChecksumFailures, 1)
	w.logFrame(r, "checksum-fail", err)
	w.fail(r, libproto.StatusChecksumFail, 0, err.Error())
	if c.strikeChecksum(w.clock.tick) {
		w.dismiss(c, libproto.GoingAwayAbuse, "too many checksum failures")
	}
}

// outOfState answers a request that its connection may not make now (PROTOCOL §3).
func (w *Worker) outOfState(r *request) {
	c := r.c
	w.metrics.Add(shmstore.CounterStateViolations, 1)
	w.fail(r, libproto.StatusUnauthorized, 0, notAllowed[c.state])
	if c.strikeOutOfState(w.clock.tick) {
		w.dismiss(c, libproto.GoingAwayAbuse, "too many requests out of state")
	}
}

var notAllowed = map[state]string{
	stateConnected: "only HELLO is allowed before HELLO",
	stateGreeted:   "not logged in",
	stateReady:     "logged in already",
}

// dismiss ends a connection and says why. Answers that have collected for it, or are parked, go first.
func (w *Worker) dismiss(c *conn, reason libproto.GoingAwayReason, detail string) {
	if !w.leave(c) {
		return
	}
	w.say(c, reason, detail)
}

// turnAway ends a connection for a reason that is not its own: it may come back later.
func (w *Worker) turnAway(c *conn, detail string) {
	w.metrics.Add(shmstore.CounterConnectionsRefused, 1)
	w.dismiss(c, libproto.GoingAwayShutdown, detail)
}

// hangUp ends a connection after the answers that have collected for it.
func (w *Worker) hangUp(c *conn) { w.leave(c) }

// leave has a connection leave: its answers are flushed, its session ends with the turn. False: it was leaving already.
func (w *Worker) leave(c *conn) bool {
	if c.state == stateLeaving || c.sock == nil {
		return false
	}
	c.state = stateLeaving
	c.greeting, c.offences = nil, nil
	w.retiring = append(w.retiring, c)
	w.table.since[c.row] = w.clock.tick
	w.leaving = append(w.leaving, c)
	if c == w.req.c {
		w.flush()
	}
	w.unpause(c)
	return true
}

// say pushes GOING_AWAY; to a connection that is leaving, behind the answers that are parked for it.
func (w *Worker) say(c *conn, reason libproto.GoingAwayReason, detail string) {
	after := uint32(0)
	if reason == libproto.GoingAwayShutdown {
		after = reconnectAfterMs
	}
	w.logGoingAway(c, reason, detail)
	w.parting = libproto.AppendFrame(w.parting[:0], libproto.Header{Op: libproto.OpGoingAway},
		libproto.GoingAway{Reason: reason, ReconnectAfterMs: after, Detail: []byte(detail)})
	if c.state == stateLeaving && c.parked != 0 {
		w.parking.parkPush(c, w.parting)
		return
	}
	w.write(c, w.parting)
}

// logGoingAway makes a line for the operator of what is not in the usual course of things.
func (w *Worker) logGoingAway(c *conn, reason libproto.GoingAwayReason, detail string) {
	e := w.log.Debug()
	if reason == libproto.GoingAwaySlowConsumer || reason == libproto.GoingAwayAbuse {
		e = w.log.Limited(liblog.LevelWarn, "cut-off")
	}
	if e = c.logTo(e); e != nil {
		e.Stringer("reason", reason).Msg(detail)
	}
}

// logFrame makes a line of a frame that is not what a frame must be.
func (w *Worker) logFrame(r *request, event string, err error) {
	if e := r.c.logTo(w.log.Limited(liblog.LevelWarn, event)); e != nil {
		e.Uint64(liblog.FieldReqID, r.frame.ReqID).Str(liblog.FieldOpcode, r.frame.Op.String()).Err(err).Msg("bad frame")
	}
}

// drop throws away what a leaving connection still sends.
func (w *Worker) drop(c *conn, n int) {
	_, _ = c.sock.Discard(-1)
	c.dropped += uint32(n)
	if c.dropped > lingerBytesMax {
		w.shutNow(c)
	}
}

// linger shuts the sockets of leaving connections down once all is sent, and closes those that take too long.
func (w *Worker) linger() {
	kept := w.leaving[:0]
	for _, c := range w.leaving {
		if w.lingers(c) {
			kept = append(kept, c)
		}
	}
	clear(w.leaving[len(kept):])
	w.leaving = kept
}

func (w *Worker) lingers(c *conn) bool {
	if c.sock == nil {
		return false
	}
	if c.parked != 0 { // its time runs from when that is sent
		return true
	}
	w.shutSent(c)
	if w.clock.tick-w.table.since[c.row] <= ticks(lingerMax) {
		return true
	}
	w.shutNow(c)
	return false
}

// shutSent shuts our side of a leaving connection down once everything is sent, parked answers too.
func (w *Worker) shutSent(c *conn) {
	if c.sock != nil && !c.shut && c.parked == 0 && c.sock.OutboundBuffered() == 0 {
		c.shut = true
		_ = unix.Shutdown(c.sock.Fd(), unix.SHUT_WR)
	}
}

// shutNow closes a socket without further ado; OnClose runs before it returns.
func (w *Worker) shutNow(c *conn) {
	if c.sock != nil {
		_ = w.loop.Close(c.sock)
	}
}
