package stats

import (
	"tradechat.internal/libproto"

	"tradechat.internal/loadgen/internal/mix"
)

// Op is what became of one kind of request.
type Op struct {
	OK, Failed uint64
	Latency    Latency // since the request was due: in a closed loop, since it was sent
	SinceSent  Latency // open loop: since it was sent, which hides the wait before
}

// Counts are everything else that is counted.
type Counts struct {
	Errors     [ErrorKindCount]uint64
	Statuses   [libproto.StatusCount]uint64 // of failed requests that were answered
	Unanswered uint64                       // failed requests whose time ran out
	InFlight   uint64                       // failed requests that were in flight when their connection ended
	Late       uint64                       // answers to requests that had been counted as timeouts
	Deliveries uint64                       // broadcasts received
	Lost       uint64                       // connections that ended
	Reconnects uint64                       // connections that came back
	Rejected   uint64                       // attempts to come back that failed
	GoingAway  uint64                       // announcements that the server will close a connection
	Pauses     uint64                       // waits that a busy server asked for

	Answered    uint64 // OK answers that arrived while the load went on, whenever their requests were due
	LateSends   uint64 // open loop: requests sent more than LateAfter after they were due, whoever's fault it was
	Behind      uint64 // open loop: those that the load generator itself came to too late
	Skipped     uint64 // open loop: requests that were due and never sent
	LegsOK      uint64 // of answered batches
	LegsRefused uint64
}

func (c *Counts) merge(other *Counts) {
	addAll(c.Errors[:], other.Errors[:])
	addAll(c.Statuses[:], other.Statuses[:])
	c.Unanswered += other.Unanswered
	c.InFlight += other.InFlight
	c.Late += other.Late
	c.Deliveries += other.Deliveries
	c.Lost += other.Lost
	c.Reconnects += other.Reconnects
	c.Rejected += other.Rejected
	c.GoingAway += other.GoingAway
	c.Pauses += other.Pauses
	c.Answered += other.Answered
	c.LateSends += other.LateSends
	c.Behind += other.Behind
	c.Skipped += other.Skipped
	c.LegsOK += other.LegsOK
	c.LegsRefused += other.LegsRefused
}

func addAll(to, from []uint64) {
	for i, n := range from {
		to[i] += n
	}
}

// Totals are the counts of a whole run.
type Totals struct {
	Ops [mix.OpCount]Op
	Counts
}

func newTotals() (t Totals) {
	for op := range t.Ops {
		t.Ops[op].Latency = NewLatency(totalDigits)
		t.Ops[op].SinceSent = NewLatency(totalDigits)
	}
	return t
}

func (t *Totals) merge(other *Totals) {
	for op := range t.Ops {
		t.Ops[op].OK += other.Ops[op].OK
		t.Ops[op].Failed += other.Ops[op].Failed
		t.Ops[op].Latency.Merge(&other.Ops[op].Latency)
		t.Ops[op].SinceSent.Merge(&other.Ops[op].SinceSent)
	}
	t.Counts.merge(&other.Counts)
}

// OK and Failed are sums over the operations.
func (t *Totals) OK() (sum uint64) {
	for op := range t.Ops {
		sum += t.Ops[op].OK
	}
	return sum
}

func (t *Totals) Failed() (sum uint64) {
	for op := range t.Ops {
		sum += t.Ops[op].Failed
	}
	return sum
}

// Latency is the distribution over all operations.
func (t *Totals) Latency() Latency {
	all := NewLatency(totalDigits)
	for op := range t.Ops {
		all.Merge(&t.Ops[op].Latency)
	}
	return all
}

// SinceSent is the distribution over all operations, from the sending.
func (t *Totals) SinceSent() Latency {
	all := NewLatency(totalDigits)
	for op := range t.Ops {
		all.Merge(&t.Ops[op].SinceSent)
	}
	return all
}

// Thread counts for one load thread, which owns it.
type Thread struct {
	Totals
	CPU      CPU // of the thread, while it made requests
	index    int
	timeline *Timeline
	interval *Interval
	startNs  int64
	endNs    int64 // of the interval; 0 before Start
}

// Succeeded counts an answer with status OK: how long after its request was due it came, and how long after it was sent.
func (t *Thread) Succeeded(op mix.Op, latencyNs, sinceSentNs int64) {
	t.Ops[op].OK++
	t.Ops[op].Latency.Record(latencyNs)
	t.interval.OK++
	t.interval.latency.Record(latencyNs)
	if t.timeline.open {
		t.Ops[op].SinceSent.Record(sinceSentNs)
		t.interval.sinceSent.Record(sinceSentNs)
	}
}

// SentLate counts a request that was sent long after it was due.
func (t *Thread) SentLate() {
	t.LateSends++
	t.interval.LateSends++
}

// Skip counts requests that were due and were not sent.
func (t *Thread) Skip(count uint64) {
	t.Skipped += count
	t.interval.Skipped += count
}

// Failed counts a request that failed.
func (t *Thread) Failed(op mix.Op, kind ErrorKind) {
	t.Ops[op].Failed++
	t.Errors[kind]++
	t.interval.Failed++
	t.interval.Errors[kind]++
}

// Delivered counts a broadcast.
func (t *Thread) Delivered() {
	t.Deliveries++
	t.interval.Deliveries++
}

// Reconnected counts a connection that came back.
func (t *Thread) Reconnected() {
	t.Reconnects++
	t.interval.Reconnects++
}

// Start begins the first interval.
func (t *Thread) Start(nowNs int64) { t.startNs, t.endNs = nowNs, nowNs+t.timeline.length }

// Tick hands over what is due. Call it several times a second.
func (t *Thread) Tick(nowNs int64) {
	for t.endNs != 0 && nowNs >= t.endNs {
		t.handOver()
		t.endNs += t.timeline.length
	}
}

// End hands over the last interval, however long it was. It comes last, and once.
func (t *Thread) End() {
	t.interval.last = true
	t.fill(t.interval)
	t.timeline.filled <- t.interval
	t.interval, t.endNs = newInterval(), 0
}

func (t *Thread) handOver() {
	select {
	case spare := <-t.timeline.spares[t.index]:
		t.fill(t.interval)
		t.timeline.filled <- t.interval // as many places as there are intervals
		t.interval = spare
	default:
	}
}

func (t *Thread) fill(i *Interval) {
	i.thread = t.index
	i.number = int((t.endNs-t.startNs)/t.timeline.length) - 1
}
