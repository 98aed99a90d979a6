package worker

import (
	"time"

	"tradechat.internal/libproto"
	"tradechat.internal/server/internal/wirestatus"
	"tradechat.internal/shmstore"
)

// An answer that promises a record, or refuses because of one, is sent once the record is durable. Until then its bytes are
// parked, behind those that were parked before:
//
//	read    frame frame frame ──▶ out    [answer][answer]            written at the end of the read
//	                         └──▶ held   [promise][promise]          parked then, with the highest seq among them
//	parking [conn, seq, bytes][conn, seq, bytes] …                   released from the front as durable grows
//
// Only the front is looked at: an answer waits for those of the same worker that came before it, which is at most the
// group commit under way. Nothing else waits: other answers of the same read, pushes and other connections go on. Only
// GOING_AWAY to a connection that is leaving is put behind what is parked for it: it is the last word.

// parking is the queue, in two arrays that are used again and again. A run of entries of one connection lies in one piece.
type parking struct {
	queue  []parkedAnswers
	first  int // index of the front
	bytes  []byte
	offset int    // in bytes, of the front's
	asked  uint64 // the seq that Await was called for; 0: none
}

// parkedAnswers are those of one read of one connection.
type parkedAnswers struct {
	c       *conn
	seq     uint64
	turnNs  uint64 // when they were asked for
	length  uint32
	kinds   requestKinds
	refused uint32 // of them, whose status is booked already
}

// requestKinds counts requests by the latency that they are booked under.
type requestKinds [shmstore.LatencyLockWait]uint32

// holding is what one read has to wait for.
type holding struct {
	bytes   []byte
	seq     uint64
	kinds   requestKinds
	refused uint32
}

func (p *parking) empty() bool { return p.first == len(p.queue) }

func (p *parking) front() *parkedAnswers { return &p.queue[p.first] }

// waiting is how much is parked, in bytes.
func (p *parking) waiting() int {
	return len(p.bytes) - p.offset + (len(p.queue)-p.first)*parkedEntryBytes
}

// push appends an entry.
func (p *parking) push(a parkedAnswers, bytes []byte) {
	a.length = uint32(len(bytes))
	a.c.parked += a.length
	p.bytes = append(p.bytes, bytes...)
	p.queue = append(p.queue, a)
}

// pop takes the front. Its bytes are good until the next push or compact.
func (p *parking) pop() (a parkedAnswers, bytes []byte) {
	a = p.queue[p.first]
	bytes = p.bytes[p.offset : p.offset+int(a.length)]
	p.queue[p.first].c = nil
	p.first++
	p.offset += int(a.length)
	a.c.parked -= a.length
	return a, bytes
}

// compact moves what waits to the begin of the arrays, if that is the smaller part of them. Arrays that have grown large
// are given up once they are empty, and no entry that is gone holds on to its connection.
func (p *parking) compact() {
	if p.empty() {
		p.queue, p.bytes, p.first, p.offset = p.queue[:0], p.bytes[:0], 0, 0
		if cap(p.bytes) > parkedKeptBytes || cap(p.queue) > parkedKeptBytes/parkedEntryBytes {
			p.queue, p.bytes = nil, nil
		}
		return
	}
	if p.first > len(p.queue)/2 {
		kept := copy(p.queue, p.queue[p.first:])
		clear(p.queue[kept:])
		p.queue, p.first = p.queue[:kept], 0
	}
	if p.offset > len(p.bytes)/2 {
		p.bytes = p.bytes[:copy(p.bytes, p.bytes[p.offset:])]
		p.offset = 0
	}
}

// promise says that the next response to f tells of record seq. It is false if that cannot be promised any more: then f
// has been answered.
func (w *Worker) promise(f *libproto.Frame, seq uint64) bool {
	if seq <= w.segment.Durable() {
		return true
	}
	if w.segment.ReadOnly() {
		w.fail(f, libproto.StatusTimeout, 0, unkept)
		return false
	}
	if w.waits() {
		w.awaits = seq
	}
	return true
}

// waits tells whether answers wait for their records: with --durability sync, and in every mode while a crash would lose the memory.
func (w *Worker) waits() bool { return w.syncs || w.segment.Unguarded() }

// unkept is the detail of ERR_TIMEOUT for what is done but cannot be kept.
const unkept = "the journal has failed: what became of this is known once the server was started anew"

// crowded refuses a request whose answer might have to wait, if the connection or the worker has too much parked.
func (w *Worker) crowded(c *conn, f *libproto.Frame) bool {
	mine := c.parked + uint32(len(w.held.bytes))
	if mine <= w.heritage.Config.OutboundBytesMax/2 && w.parking.waiting() <= parkedBytesMax {
		return false
	}
	w.fail(f, libproto.StatusServerBusy, wirestatus.BusyRetryMs, "too many answers wait for the disk")
	return true
}

// park queues what the read that is under way has held back.
func (w *Worker) park(c *conn) {
	h := &w.held
	if len(h.bytes) == 0 {
		return
	}
	w.parking.push(parkedAnswers{c: c, seq: h.seq, turnNs: w.clock.turnNs, kinds: h.kinds, refused: h.refused}, h.bytes)
	*h = holding{bytes: h.bytes[:0]}
}

// releaseDurable sends what has become durable, and asks to be woken for the rest.
func (w *Worker) releaseDurable() {
	p := &w.parking
	for !p.empty() {
		failed := w.segment.ReadOnly() // looked at first: durable is final then
		w.releaseUpTo(w.segment.Durable(), false)
		switch {
		case p.empty():
		case failed:
			w.releaseUpTo(^uint64(0), true)
		case p.front().seq == p.asked:
			p.compact()
			return
		default:
			p.asked = p.front().seq
			if !w.store.Await(p.asked) && !w.segment.ReadOnly() {
				p.compact()
				return
			}
		}
	}
	p.asked = 0
	p.compact()
}

// releaseUpTo sends the answers whose records are not above seq, those that follow one another to one connection in one
// write; or, instead of each, that its outcome is unknown.
func (w *Worker) releaseUpTo(seq uint64, unknown bool) {
	p := &w.parking
	for writes := 1; !p.empty() && p.front().seq <= seq; writes++ {
		now := w.clock.sinceStart()
		a, bytes := p.pop()
		w.settled(&a, now, unknown)
		for !p.empty() && p.front().c == a.c && p.front().seq <= seq {
			next, more := p.pop()
			w.settled(&next, now, unknown)
			bytes = bytes[:len(bytes)+len(more)]
		}
		w.handOver(a.c, bytes, unknown)
		if writes%membersPerBeat == 0 {
			w.readClock()
		}
	}
}

// handOver writes answers that need not wait any more.
func (w *Worker) handOver(c *conn, answers []byte, unknown bool) {
	if c.sock == nil {
		return
	}
	if unknown {
		answers = w.unknownOutcomes(answers)
	}
	w.write(c, answers)
	if c.sock != nil && c.state == stateLeaving && c.parked == 0 {
		w.table.since[c.row] = w.clock.tick // now it may linger
		w.shutSent(c)
	}
}

// settled books answers that need not wait any more.
func (w *Worker) settled(a *parkedAnswers, now time.Duration, unknown bool) {
	status := libproto.StatusOK
	if unknown {
		status = libproto.StatusTimeout
	}
	booked := a.refused
	for kind, n := range a.kinds {
		if n == 0 {
			continue
		}
		w.metrics.Observe(shmstore.Latency(kind), now-time.Duration(a.turnNs), uint64(n))
		before := min(n, booked)
		booked -= before
		for range n - before {
			w.metrics.Status(int(status))
		}
	}
}

// unknownOutcomes makes an ERR_TIMEOUT of each response: what it tells of is done, but cannot be kept. Pushes stay.
func (w *Worker) unknownOutcomes(answers []byte) []byte {
	decoder := libproto.Decoder{BodyLenMax: ^uint32(0)}
	w.detail = append(w.detail[:0], unkept...)
	w.unknown = w.unknown[:0]
	for len(answers) > 0 {
		f, n, err := decoder.Next(answers)
		if n == 0 || err != nil {
			panic("worker: what is parked is not whole frames")
		}
		if f.Flags&libproto.FlagResponse == 0 {
			w.unknown = append(w.unknown, answers[:n]...)
		} else {
			w.unknown = appendResponse(w.unknown, &f, libproto.StatusTimeout, 0, libproto.ErrorBody{Detail: w.detail})
		}
		answers = answers[n:]
	}
	return w.unknown
}
