package worker

import (
	"errors"

	"tradechat.internal/liblog"
	"tradechat.internal/libproto"
	"tradechat.internal/server/internal/wirestatus"
	"tradechat.internal/shmstore"
)

// request is one request on its way through its handler. A worker has one, which it uses again and again.
//
//	decode ──▶ request{c, frame} ──▶ handler ──▶ await(seq)?  ──▶ respond ──┬─▶ out      what need not wait
//	                                        └──▶ fail, refuse ─────────────┴─▶ parking  what tells of a record that is not durable
type request struct {
	c        *conn          // nil: none is being answered
	frame    libproto.Frame // the body aliases what was read
	kind     latency        // under which its time is booked
	awaits   uint64         // the record that the answer tells of and that is not durable yet; 0: none
	replayed bool           // the answer repeats a recorded result
}

type latency = shmstore.Latency

// begin makes r the request of the next frame.
func (r *request) begin(f libproto.Frame) {
	*r = request{c: r.c, frame: f}
}

// respond answers r with body b. B is a type parameter, not an interface, so that nothing is allocated.
func respond[B libproto.Body](w *Worker, r *request, b B) {
	flags := libproto.Flags(0)
	if r.replayed {
		flags = libproto.FlagReplayed
	}
	answer(w, r, libproto.StatusOK, flags, b)
}

// answer writes an answer to out, or parks it.
func answer[B libproto.Body](w *Worker, r *request, s libproto.Status, flags libproto.Flags, b B) {
	op, reqID := r.frame.Op, r.frame.ReqID
	if r.awaits == 0 {
		w.metrics.Status(int(s))
		w.out = appendResponse(w.out, op, reqID, s, flags, b)
		return
	}
	p := &w.parking
	start := len(p.bytes)
	p.bytes = appendResponse(p.bytes, op, reqID, s, flags, b)
	p.add(parkedAnswer{
		c: r.c, seq: r.awaits, turnNs: w.clock.turnNs, reqID: reqID, length: uint32(len(p.bytes) - start), op: op, status: s, kind: uint8(r.kind),
	})
	w.turn.byKind[r.kind]--
	if r.c.parked > w.parkedMax {
		w.hush(r.c)
	}
}

func appendResponse[B libproto.Body](dst []byte, op libproto.Opcode, reqID uint64, s libproto.Status, flags libproto.Flags, b B) []byte {
	start := len(dst)
	dst = libproto.AppendHeader(dst, libproto.Header{ReqID: reqID, Op: op, Status: s, Flags: libproto.FlagResponse | flags})
	dst = b.AppendTo(dst)
	libproto.Seal(dst[start:])
	return dst
}

// await says that the answer to r tells of record seq. It is false if that cannot be promised any more: then r has been answered.
func (w *Worker) await(r *request, seq uint64) bool {
	if seq <= w.segment.Durable() {
		return true
	}
	if w.segment.ReadOnly() {
		w.fail(r, libproto.StatusTimeout, 0, unkept)
		return false
	}
	if w.syncs {
		r.awaits = seq
	}
	return true
}

// unkept is the detail of ERR_TIMEOUT for what is done but cannot be kept.
const unkept = "the journal has failed: what became of this is known once the server was started anew"

// fail answers r with a status that is not OK, at once or when the record that is its reason is durable.
func (w *Worker) fail(r *request, s libproto.Status, retryAfterMs uint32, detail string) {
	if s == libproto.StatusBadPacket {
		w.metrics.Add(shmstore.CounterBadPackets, 1)
	}
	answer(w, r, s, 0, w.errorBody(retryAfterMs, detail))
	// For debugging: what a client did wrong is the client's to know.
	liblog.Request(w.log.Debug(), r.c.number, r.frame.ReqID, r.frame.Op, s).Msg(detail)
}

// errorBody is the body of an answer that is an error, good until the next one.
func (w *Worker) errorBody(retryAfterMs uint32, detail string) libproto.ErrorBody {
	w.detail = append(w.detail[:0], detail[:min(len(detail), detailBytesMax)]...)
	return libproto.ErrorBody{RetryAfterMs: retryAfterMs, Detail: w.detail}
}

// refuseOver is refuse for an error whose reason is record seq, and which waits for that as an answer does: what a crash could
// take back, such as a withdrawal that leaves too little, must not be seen in a refusal either. 0: no record is.
func (w *Worker) refuseOver(r *request, seq uint64, err error) {
	if w.syncs && seq > w.segment.Durable() {
		if w.segment.ReadOnly() { // the reason will perhaps not be kept
			err = shmstore.ErrReadOnly
		} else {
			r.awaits = seq
		}
	}
	w.refuse(r, err)
}

// refuse answers r with what an error of the store means on the wire.
func (w *Worker) refuse(r *request, err error) {
	status := wirestatus.Of(err)
	if status == libproto.StatusInternal {
		liblog.Request(w.log.Limited(liblog.LevelError, "internal-error"), r.c.number, r.frame.ReqID, r.frame.Op, status).
			Err(err).Msg("a request failed for a reason of ours")
		w.fail(r, status, 0, "")
		return
	}
	w.fail(r, status, wirestatus.RetryAfterMs(status), err.Error())
	if errors.Is(err, shmstore.ErrFenced) {
		w.dismiss(r.c, libproto.GoingAwayResumed, resumedDetail)
	}
}

// malformed answers a request whose body does not parse.
func (w *Worker) malformed(r *request, err error) {
	w.fail(r, libproto.StatusBadPacket, 0, err.Error())
}
