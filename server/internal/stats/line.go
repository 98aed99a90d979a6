package stats

import (
	"time"

	"github.com/rs/zerolog"

	"tradechat.internal/libproto"
	"tradechat.internal/shmstore"
)

// Ticker makes the stats line: what was done since the line before.
type Ticker struct {
	segment *shmstore.Segment
	before  shmstore.MetricsSnapshot
	at      time.Time
}

// NewTicker begins to count now.
func NewTicker(segment *shmstore.Segment, now time.Time) *Ticker {
	return &Ticker{segment: segment, before: segment.MetricsTotal(), at: now}
}

// Line adds the fields of the interval that ends now to an event, and begins the next one.
func (t *Ticker) Line(e *zerolog.Event, now time.Time) *zerolog.Event {
	total := t.segment.MetricsTotal()
	d := total.Since(t.before)
	seconds := max(now.Sub(t.at).Seconds(), 1e-3)
	t.before, t.at = total, now
	ok := d.Statuses[libproto.StatusOK]
	return e.
		Float64("req_per_s", float64(int(float64(d.Counters[shmstore.CounterRequests])/seconds*10))/10).
		Uint64("ok", ok).
		Uint64("failed", sum(d.Statuses[:])-ok).
		Uint64("connections", total.OpenConnections()).
		Uint64("msgs", ops(&d, libproto.OpChatSend, libproto.OpDirectSend)).
		Uint64("delivered", d.Counters[shmstore.CounterMessagesDelivered]).
		Uint64("journal_lag", t.segment.Head()-min(t.segment.Durable(), t.segment.Head())).
		Uint64("money_ops", ops(&d, libproto.OpDeposit, libproto.OpWithdraw, libproto.OpTransfer, libproto.OpTransferBatch)).
		Float64("p99_us", micros(requestHistogram(&d).Quantile(0.99)))
}

func sum(counts []uint64) (n uint64) {
	for _, c := range counts {
		n += c
	}
	return n
}

func ops(d *shmstore.MetricsSnapshot, which ...libproto.Opcode) (n uint64) {
	for _, op := range which {
		if i, ok := op.Index(); ok {
			n += d.Ops[i]
		}
	}
	return n
}

// requestHistogram is the sum of the histograms of requests, which are those before the one of lock waits.
func requestHistogram(d *shmstore.MetricsSnapshot) *shmstore.Histogram {
	var all shmstore.Histogram
	for l := range d.Histograms {
		if shmstore.Latency(l) >= shmstore.LatencyLockWait {
			continue
		}
		for i, n := range d.Histograms[l] {
			all[i] += n
		}
	}
	return &all
}
