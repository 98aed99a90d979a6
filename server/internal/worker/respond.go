package worker

import (
	"errors"

	"tradechat.internal/liblog"
	"tradechat.internal/libproto"
	"tradechat.internal/server/internal/wirestatus"
	"tradechat.internal/shmstore"
)

// respond answers f with body b. B is a type parameter, not an interface, so that nothing is allocated.
func respond[B libproto.Body](w *Worker, f *libproto.Frame, b B) { respondWith(w, f, 0, b) }

// respondWith is respond with further flags: libproto.FlagReplayed for an answer that was recorded.
func respondWith[B libproto.Body](w *Worker, f *libproto.Frame, flags libproto.Flags, b B) {
	if w.awaits != 0 {
		w.hold()
		w.held.bytes = appendResponse(w.held.bytes, f, libproto.StatusOK, flags, b)
		return
	}
	w.metrics.Status(int(libproto.StatusOK))
	w.out = appendResponse(w.out, f, libproto.StatusOK, flags, b)
}

// hold notes that the response that comes now waits; it is booked when it need not any more.
func (w *Worker) hold() {
	w.held.seq = max(w.held.seq, w.awaits)
	w.awaits = 0
	w.turn.byKind[w.turn.kind]--
	w.held.kinds[w.turn.kind]++
}

func appendResponse[B libproto.Body](dst []byte, f *libproto.Frame, s libproto.Status, flags libproto.Flags, b B) []byte {
	start := len(dst)
	dst = libproto.AppendHeader(dst, libproto.Header{
		ReqID: f.ReqID, Op: f.Op, Status: s, Flags: libproto.FlagResponse | flags,
	})
	dst = b.AppendTo(dst)
	libproto.Seal(dst[start:])
	return dst
}

// fail answers f with a status that is not OK.
func (w *Worker) fail(f *libproto.Frame, s libproto.Status, retryAfterMs uint32, detail string) {
	if s == libproto.StatusBadPacket {
		w.metrics.Add(shmstore.CounterBadPackets, 1)
	}
	w.awaits = 0
	w.metrics.Status(int(s))
	w.out = w.appendFailure(w.out, f, s, retryAfterMs, detail)
	w.logFailure(f, s, detail)
}

func (w *Worker) appendFailure(dst []byte, f *libproto.Frame, s libproto.Status, retryAfterMs uint32, detail string) []byte {
	w.detail = append(w.detail[:0], detail[:min(len(detail), detailBytesMax)]...)
	return appendResponse(dst, f, s, 0, libproto.ErrorBody{RetryAfterMs: retryAfterMs, Detail: w.detail})
}

// refuseOver is refuse for an error whose reason is record seq, and which waits for that as a promise does: what a crash could
// take back, such as a withdrawal that leaves too little, must not be seen in a refusal either. 0: no record is.
func (w *Worker) refuseOver(f *libproto.Frame, seq uint64, err error) {
	switch {
	case !w.waits() || seq <= w.segment.Durable():
		w.refuse(f, err)
	case w.segment.ReadOnly(): // the reason will perhaps not be kept
		w.refuse(f, shmstore.ErrReadOnly)
	default:
		status := wirestatus.Of(err)
		w.awaits = seq
		w.hold()
		w.held.refused++
		w.metrics.Status(int(status))
		w.held.bytes = w.appendFailure(w.held.bytes, f, status, wirestatus.RetryAfterMs(status), err.Error())
		w.logFailure(f, status, err.Error())
	}
}

// refuse answers f with what an error of the store means on the wire.
func (w *Worker) refuse(f *libproto.Frame, err error) {
	status := wirestatus.Of(err)
	if status == libproto.StatusInternal {
		liblog.Request(w.log.Limited(liblog.LevelError, "internal-error"), w.answering.number, f.ReqID, f.Op, status).
			Err(err).Msg("a request failed for a reason of ours")
		w.fail(f, status, 0, "")
		return
	}
	w.fail(f, status, wirestatus.RetryAfterMs(status), err.Error())
	if errors.Is(err, shmstore.ErrFenced) {
		w.dismiss(w.answering, libproto.GoingAwayResumed, resumedDetail)
	}
}

// malformed answers a request whose body does not parse.
func (w *Worker) malformed(f *libproto.Frame, err error) {
	w.fail(f, libproto.StatusBadPacket, 0, err.Error())
}

// logFailure is for debugging: what a client did wrong is the client's to know.
func (w *Worker) logFailure(f *libproto.Frame, s libproto.Status, detail string) {
	liblog.Request(w.log.Debug(), w.answering.number, f.ReqID, f.Op, s).Msg(detail)
}
