package worker

import (
	"tradechat.internal/libproto"
	"tradechat.internal/shmstore"
)

// An answer that promises a record is sent once the record is durable. Until then its bytes are parked, behind those
// that were parked before:
//
//	read    frame frame frame ──▶ out    [answer][answer]            written at the end of the read
//	                         └──▶ held   [promise][promise]          parked then, with the highest seq among them
//	parked  [conn, seq, bytes][conn, seq, bytes] …                   released from the front as durable grows
//
// The queue's seqs never decrease: an answer waits for those of the same worker that came before it, which is at most the
// group commit under way. Nothing else waits: other answers of the same read, pushes and other connections go on.

// parking is the queue, in two arrays that are used again and again.
type parking struct {
	queue  []parkedAnswers
	first  int // index of the front
	bytes  []byte
	offset int    // in bytes, of the front's
	asked  uint64 // the seq that Await was called for; 0: none
}

// parkedAnswers are those of one read of one connection.
type parkedAnswers struct {
	c      *conn
	seq    uint64
	length int
	turnNs uint64 // when they were asked for
	kinds  requestKinds
}

// requestKinds counts requests by the latency that they are booked under.
type requestKinds [shmstore.LatencyLockWait]uint32

// holding is what one read has to wait for.
type holding struct {
	bytes []byte
	seq   uint64
	kinds requestKinds
}

func (p *parking) empty() bool { return p.first == len(p.queue) }

func (p *parking) front() *parkedAnswers { return &p.queue[p.first] }

// waiting is how many bytes are parked.
func (p *parking) waiting() int { return len(p.bytes) - p.offset }

// promise says that the next response to f tells of record seq. It is false if that cannot be promised any more: then f
// has been answered.
func (w *Worker) promise(f *libproto.Frame, seq uint64) bool {
	if seq <= w.segment.Durable() {
		return true
	}
	if w.segment.ReadOnly() {
		w.fail(f, libproto.StatusTimeout, 0, "it was done, but cannot be kept: ask again under the same req_id once the server was started anew")
		return false
	}
	if w.syncs {
		w.awaits = seq
	}
	return true
}

// full tells whether a connection, or the worker, has so much parked that no request is taken.
func (w *Worker) full(c *conn) bool {
	return c.parked > parkedPerConnectionMax || w.parking.waiting() > parkedBytesMax
}

// park queues what the read that ends has held back.
func (w *Worker) park(c *conn) {
	h := &w.held
	if len(h.bytes) == 0 {
		return
	}
	p := &w.parking
	if !p.empty() {
		h.seq = max(h.seq, p.queue[len(p.queue)-1].seq)
	}
	p.bytes = append(p.bytes, h.bytes...)
	p.queue = append(p.queue, parkedAnswers{c: c, seq: h.seq, length: len(h.bytes), turnNs: w.clock.turnNs, kinds: h.kinds})
	c.parked += uint32(len(h.bytes))
	*h = holding{bytes: h.bytes[:0]}
}

// releaseDurable sends what has become durable, and asks to be woken for the rest.
func (w *Worker) releaseDurable() {
	p := &w.parking
	for !p.empty() {
		durable := w.segment.Durable()
		for !p.empty() && p.front().seq <= durable {
			w.release(false)
		}
		switch {
		case p.empty():
		case w.segment.ReadOnly():
			w.releaseUnkept()
		case p.front().seq == p.asked || !w.store.Await(p.front().seq):
			p.asked = p.front().seq
			p.compact()
			return
		}
	}
	p.asked = 0
	p.compact()
}

// release sends the front's answers, or instead of them that their outcome is unknown.
func (w *Worker) release(unknown bool) {
	p := &w.parking
	a := *p.front()
	bytes := p.bytes[p.offset : p.offset+a.length]
	p.queue[p.first] = parkedAnswers{}
	p.first++
	p.offset += a.length
	a.c.parked -= uint32(a.length)
	if a.c.sock == nil {
		return
	}
	if unknown {
		bytes = w.unknownOutcomes(bytes)
	}
	w.write(a.c, bytes)
	took := w.clock.sinceTurn() + w.clock.since(a.turnNs)
	for kind, n := range a.kinds {
		if n != 0 {
			w.metrics.Observe(shmstore.Latency(kind), took, uint64(n))
		}
	}
	w.shutSent(a.c)
}

// releaseUnkept is for a journal that has failed: what is parked will not become durable.
func (w *Worker) releaseUnkept() {
	for !w.parking.empty() {
		w.release(true)
	}
}

// unknownOutcomes makes an ERR_TIMEOUT of each response: what it tells of is done, but cannot be kept.
func (w *Worker) unknownOutcomes(responses []byte) []byte {
	decoder := libproto.Decoder{BodyLenMax: w.heritage.Config.BodyBytesMax}
	w.parting = w.parting[:0]
	for used := 0; used < len(responses); {
		f, n, err := decoder.Next(responses[used:])
		if n == 0 || err != nil {
			break // cannot happen: these are our own
		}
		used += n
		w.metrics.Status(int(libproto.StatusTimeout))
		w.parting = libproto.AppendFrame(w.parting, libproto.Header{
			ReqID: f.ReqID, Op: f.Op, Status: libproto.StatusTimeout, Flags: libproto.FlagResponse,
		}, libproto.ErrorBody{Detail: unkeptDetail})
	}
	return w.parting
}

var unkeptDetail = []byte("the journal has failed: what became of this is known once the server was started anew")

// compact moves what waits to the begin of the arrays, if that is the smaller part of them.
func (p *parking) compact() {
	if p.empty() {
		p.queue, p.bytes, p.first, p.offset = p.queue[:0], p.bytes[:0], 0, 0
		return
	}
	if p.first > len(p.queue)/2 {
		p.queue = p.queue[:copy(p.queue, p.queue[p.first:])]
		p.first = 0
	}
	if p.offset > len(p.bytes)/2 {
		p.bytes = p.bytes[:copy(p.bytes, p.bytes[p.offset:])]
		p.offset = 0
	}
}
