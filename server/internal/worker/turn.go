package worker

import (
	"github.com/panjf2000/gnet/v2"

	"tradechat.internal/libproto"
	"tradechat.internal/server/internal/wirestatus"
	"tradechat.internal/shmstore"
)

// read answers what has arrived on a connection: every whole frame, in one write unless the answers grow large.
func (w *Worker) read(c *conn, sock gnet.Conn) {
	w.table.seen[c.row] = w.clock.tick
	there := sock.InboundBuffered()
	switch {
	case c.state == stateLeaving:
		w.drop(c, there)
	case c.paused && !w.resumes(c):
	case there >= int(c.need):
		w.answer(c, sock)
	}
}

func (w *Worker) answer(c *conn, sock gnet.Conn) {
	input, err := sock.Peek(-1)
	if err != nil {
		return // cannot happen: -1 asks for what there is
	}
	w.req.c = c
	used := w.answerFrames(c, input)
	switch {
	case c.sock == nil:
	case c.state == stateLeaving:
		_, _ = sock.Discard(-1)
	case used > 0:
		_, _ = sock.Discard(used)
	}
	w.flush()
	w.req.c = nil
	w.recordTurn(used)
}

// answerFrames runs the requests at the front of input and returns how many bytes they took. It stops when the connection has to wait.
func (w *Worker) answerFrames(c *conn, input []byte) (used int) {
	for frames := 1; c.sock != nil && c.state != stateLeaving && !c.paused; frames++ {
		rest := input[used:]
		w.decoder.BodyLenMax = w.bodyLenMax(c)
		frame, n, err := w.decoder.Next(rest)
		if n == 0 && err == nil {
			c.need = libproto.HeaderLen + frame.BodyLen
			break
		}
		used += n
		w.req.begin(frame)
		if err == nil {
			w.request(&w.req)
		} else {
			w.damaged(&w.req, err)
		}
		if len(w.out) >= flushBytes {
			w.flush()
		}
		if frames%framesPerBeat == 0 {
			w.readClock()
		}
	}
	return used
}

// bodyLenMax is the body limit in force.
func (w *Worker) bodyLenMax(c *conn) uint32 {
	if c.state == stateReady {
		return w.heritage.Config.BodyBytesMax
	}
	return libproto.BodyLenMaxBeforeLogin
}

// request checks what can be checked without the body, and runs the handler.
func (w *Worker) request(r *request) {
	f := &r.frame
	w.turn.requests++
	if retryMs, admitted := w.rate.admit(r.c, w.clock.monoNs, libproto.Weight(f.Op, f.Body)); !admitted {
		w.metrics.Add(shmstore.CounterRateLimited, 1)
		w.fail(r, libproto.StatusRateLimit, retryMs, "too many requests")
		return
	}
	if err := f.CheckRequest(); err != nil {
		w.malformed(r, err)
		return
	}
	i, row := lookup(f.Op)
	if row == nil {
		w.fail(r, libproto.StatusUnsupported, 0, "no such request")
		return
	}
	w.metrics.Op(i)
	if row.states&r.c.state == 0 {
		w.outOfState(r)
		return
	}
	if r.c.state == stateReady && !w.store.Current(r.c.session) {
		w.refuse(r, shmstore.ErrFenced)
		return
	}
	if row.promise && w.parking.waiting() > parkedBytesMax {
		w.fail(r, libproto.StatusServerBusy, wirestatus.BusyRetryMs, "too many answers wait for the disk")
		return
	}
	r.kind = row.latency
	w.turn.byKind[r.kind]++
	w.handlers[i](w, r)
}

// flush writes the answers that have collected for the connection that is being answered.
func (w *Worker) flush() {
	if len(w.out) == 0 {
		return
	}
	out := w.out
	w.out = w.out[:0]
	w.write(w.req.c, out)
}

// write sends bytes to a connection, or queues what the socket does not take: then the connection is not read from until it is sent.
// The connection may be gone afterwards (c.sock nil).
func (w *Worker) write(c *conn, b []byte) {
	if c.sock == nil {
		return
	}
	n, err := c.sock.Write(b)
	w.metrics.Add(shmstore.CounterBytesOut, uint64(max(n, 0)))
	if err == nil && c.sock != nil && c.state != stateLeaving && c.sock.OutboundBuffered() > 0 {
		w.stalled(c, n)
	}
}

// push is write for what nobody has asked for. It does not stop while the client does not read: a client that reads too slowly is cut
// off.
func (w *Worker) push(c *conn, b []byte) {
	w.write(c, b)
	if c.sock == nil || c.state == stateLeaving || c.sock.OutboundBuffered() <= int(w.heritage.Config.OutboundBytesMax) {
		return
	}
	w.metrics.Add(shmstore.CounterSlowConsumers, 1)
	w.dismiss(c, libproto.GoingAwaySlowConsumer, "what was sent is not being read")
}

// turn counts the requests of a turn; their common latency is known once the answers are written.
type turn struct {
	requests uint64
	byKind   requestKinds // those whose answers do not wait
}

// recordTurn enters what a turn did into the slot's metrics.
func (w *Worker) recordTurn(bytesIn int) {
	took := w.clock.sinceTurn()
	for kind, n := range w.turn.byKind {
		if n != 0 {
			w.metrics.Observe(shmstore.Latency(kind), took, uint64(n))
		}
	}
	w.metrics.Add(shmstore.CounterRequests, w.turn.requests)
	w.metrics.Add(shmstore.CounterBytesIn, uint64(bytesIn))
	w.turn = turn{}
}
