package worker

import (
	"time"

	"tradechat.internal/libproto"
	"tradechat.internal/shmstore"
)

// An answer that promises a record, or refuses because of one, is sent once the record is durable. Until then its bytes are
// parked, behind those that were parked before:
//
//	parking  queue  [conn, seq, req_id, opcode, status …][…] …   released from the front as durable grows
//	         bytes  [answer          ][answer      ]…            in the same order, so that a run for one connection is one write
//
// Only the front is looked at: an answer waits for those of the same worker that came before it, which is at most the
// group commit under way. Nothing else waits: other answers of the same read, pushes and other connections go on. Only
// GOING_AWAY to a connection that is leaving is put behind what is parked for it: it is the last word.

// parking is the queue, in two arrays that are used again and again. A run of entries of one connection lies in one piece.
type parking struct {
	queue  []parkedAnswer
	first  int // index of the front
	bytes  []byte
	offset int    // in bytes, of the front's
	asked  uint64 // the seq that Await was called for; 0: none
}

// parkedAnswer is one answer, or the GOING_AWAY behind the last. It keeps what is needed to say something else instead.
type parkedAnswer struct {
	c      *conn
	seq    uint64
	turnNs uint64 // when it was asked for
	reqID  uint64
	length uint32
	op     libproto.Opcode
	status libproto.Status
	kind   uint8 // the latency that it is booked under
	push   bool
}

// requestKinds counts requests by the latency that they are booked under.
type requestKinds [shmstore.LatencyLockWait]uint32

func (p *parking) empty() bool { return p.first == len(p.queue) }

func (p *parking) front() *parkedAnswer { return &p.queue[p.first] }

// waiting is how much is parked, in bytes.
func (p *parking) waiting() int {
	return len(p.bytes) - p.offset + (len(p.queue)-p.first)*parkedEntryBytes
}

// add enters an answer whose bytes are the last ones in p.bytes.
func (p *parking) add(a parkedAnswer) {
	a.c.parked += a.length
	p.queue = append(p.queue, a)
}

// pop takes the front. Its bytes are good until the next add or compact.
func (p *parking) pop() (a parkedAnswer, bytes []byte) {
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

// parkPush puts a push behind what is parked for its connection.
func (p *parking) parkPush(c *conn, frame []byte) {
	p.bytes = append(p.bytes, frame...)
	p.add(parkedAnswer{c: c, length: uint32(len(frame)), push: true})
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
		c, start := p.front().c, p.offset
		w.unknown = w.unknown[:0]
		for !p.empty() && p.front().c == c && p.front().seq <= seq {
			a, bytes := p.pop()
			if unknown {
				w.unknown = w.appendUnknown(w.unknown, &a, bytes)
			}
			if !a.push {
				w.metrics.Observe(latency(a.kind), now-time.Duration(a.turnNs), 1)
				w.metrics.Status(int(a.status))
			}
		}
		answers := p.bytes[start:p.offset]
		if unknown {
			answers = w.unknown
		}
		w.handOver(c, answers)
		if writes%membersPerBeat == 0 {
			w.readClock()
		}
	}
}

// appendUnknown makes an ERR_TIMEOUT of a response: what it tells of is done, but cannot be kept. A push stays.
func (w *Worker) appendUnknown(dst []byte, a *parkedAnswer, bytes []byte) []byte {
	if a.push {
		return append(dst, bytes...)
	}
	a.status = libproto.StatusTimeout
	return appendResponse(dst, a.op, a.reqID, a.status, 0, w.errorBody(0, unkept))
}

// handOver writes answers that need not wait any more, to the connection or, if its client has closed its side meanwhile, to what is
// left of it.
func (w *Worker) handOver(c *conn, answers []byte) {
	if c.sock == nil {
		w.sendFarewell(c, answers)
		return
	}
	w.write(c, answers)
	if c.sock != nil && c.state == stateLeaving && c.parked == 0 {
		w.table.since[c.row] = w.clock.tick // now it may linger
		w.shutSent(c)
	}
	w.unhush(c)
}
