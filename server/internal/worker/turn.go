package worker

import (
	"github.com/panjf2000/gnet/v2"

	"tradechat.internal/libproto"
	"tradechat.internal/shmstore"
)

// read answers what has arrived on a connection: every whole frame, in one write unless the answers grow large.
func (w *Worker) read(c *conn, sock gnet.Conn) {
	w.table.seen[c.row] = w.clock.tick
	there := sock.InboundBuffered()
	switch {
	case c.state == stateLeaving:
		w.drop(c, there)
	case there >= int(c.need):
		w.answer(c, sock)
	}
}

func (w *Worker) answer(c *conn, sock gnet.Conn) {
	input, err := sock.Peek(-1)
	if err != nil {
		return // cannot happen: -1 asks for what there is
	}
	w.answering = c
	used := w.answerFrames(c, input)
	switch {
	case c.sock == nil:
	case c.state == stateLeaving:
		_, _ = sock.Discard(-1)
	case used > 0:
		_, _ = sock.Discard(used)
	}
	w.flush()
	w.park(c)
	w.answering = nil
	w.recordTurn(used)
}

// answerFrames runs the requests at the front of input and returns how many bytes they took.
func (w *Worker) answerFrames(c *conn, input []byte) (used int) {
	for frames := 1; c.sock != nil && c.state != stateLeaving; frames++ {
		rest := input[used:]
		w.decoder.BodyLenMax = w.bodyLenMax(c)
		frame, n, err := w.decoder.Next(rest)
		if n == 0 && err == nil {
			c.need = libproto.HeaderLen + frame.BodyLen
			break
		}
		used += n
		w.frame = frame
		if err == nil {
			w.request(c, &w.frame)
		} else {
			w.damaged(c, &w.frame, err)
		}
		if len(w.out) >= flushBytes {
			w.flush()
		}
		if len(w.held.bytes) >= flushBytes {
			w.park(c)
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
func (w *Worker) request(c *conn, f *libproto.Frame) {
	w.turn.requests++
	if retryMs, admitted := w.rate.admit(c, w.clock.monoNs, libproto.Weight(f.Op, f.Body)); !admitted {
		w.metrics.Add(shmstore.CounterRateLimited, 1)
		w.fail(f, libproto.StatusRateLimit, retryMs, "too many requests")
		return
	}
	if err := f.CheckRequest(); err != nil {
		w.malformed(f, err)
		return
	}
	i, row := lookup(f.Op)
	if row == nil {
		w.fail(f, libproto.StatusUnsupported, 0, "no such request")
		return
	}
	w.metrics.Op(i)
	if row.states&c.state == 0 {
		w.outOfState(c, f)
		return
	}
	if c.state == stateReady && !w.store.Current(c.session) {
		w.refuse(f, shmstore.ErrFenced)
		return
	}
	if row.promise && w.crowded(c, f) {
		return
	}
	w.turn.kind = row.latency
	w.turn.byKind[row.latency]++
	w.handlers[i](w, c, f)
}

// flush writes the answers that have collected for the connection that is being answered.
func (w *Worker) flush() {
	if len(w.out) == 0 {
		return
	}
	out := w.out
	w.out = w.out[:0]
	w.write(w.answering, out)
}

// write sends bytes to a connection, or queues what the socket does not take. A client that reads too slowly is cut off.
// The connection may be gone afterwards (c.sock nil).
func (w *Worker) write(c *conn, b []byte) {
	if c.sock == nil {
		return
	}
	n, err := c.sock.Write(b)
	w.metrics.Add(shmstore.CounterBytesOut, uint64(max(n, 0)))
	if err != nil || c.sock == nil || c.state == stateLeaving {
		return
	}
	if c.sock.OutboundBuffered() > int(w.heritage.Config.OutboundBytesMax) {
		w.metrics.Add(shmstore.CounterSlowConsumers, 1)
		w.dismiss(c, libproto.GoingAwaySlowConsumer, "what was sent is not being read")
	}
}

// turn counts the requests of a turn; their common latency is known once the answers are written.
type turn struct {
	requests uint64
	kind     shmstore.Latency // of the request that is being answered
	byKind   requestKinds     // those whose answers do not wait
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
