package shmstore

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// Each slot has one metrics row and is its only writer; others read it at any time.
// An increment is an atomic store of a value that only this process changes.
//
// A new counter or latency is one line in its list and one in its table, and no new layout: a row has room for
// countersMax and latenciesMax of them, and the segment names its columns (metricnames.go).

// Counter numbers the counters of a metrics row.
type Counter int

const (
	CounterRequests Counter = iota
	CounterConnections
	CounterConnectionsClosed
	CounterConnectionsRefused
	CounterBytesIn
	CounterBytesOut
	CounterBadPackets
	CounterChecksumFailures
	CounterStateViolations
	CounterRateLimited
	CounterLoginFailures
	CounterIdleTimeouts
	CounterSlowConsumers
	CounterMessagesDelivered
	CounterGaps
	CounterReplays
	CounterLockWaits
	CounterLockWaitNs
	CounterLockTimeouts
	CounterLogFull
	CounterRoomBacklogs
	CounterMailboxFull
	CounterSessionsResumed
	CounterSessionsEvicted
	CounterJournalGroups
	CounterJournalRecords
	CounterSnapshots
	CounterLogDropped
	CounterScrubBytes
	CounterScrubPasses
	CounterScrubDamage
	CounterClockSetBack
	counters
)

// CounterInfo describes a counter to a person.
type CounterInfo struct{ Name, Help string }

// Counters is the one table of the counters, by Counter.
var Counters = [counters]CounterInfo{
	CounterRequests:           {"total_requests", "requests answered"},
	CounterConnections:        {"total_connections", "connections accepted"},
	CounterConnectionsClosed:  {"connections_closed", "connections ended, those of a killed worker included"},
	CounterConnectionsRefused: {"connections_refused", "connections closed at once because a limit was reached"},
	CounterBytesIn:            {"bytes_in", "bytes read from clients"},
	CounterBytesOut:           {"bytes_out", "bytes written to clients"},
	CounterBadPackets:         {"bad_packets", "frames that broke the protocol's rules"},
	CounterChecksumFailures:   {"checksum_failures", "frames dropped because their checksum differed"},
	CounterStateViolations:    {"state_violations", "requests not allowed in their connection's state"},
	CounterRateLimited:        {"rate_limited", "requests refused by a rate limit"},
	CounterLoginFailures:      {"login_failures", "logins with a wrong proof or an unknown user"},
	CounterIdleTimeouts:       {"idle_timeouts", "connections closed because they were silent or never logged in"},
	CounterSlowConsumers:      {"slow_consumers", "connections cut off because they did not read"},
	CounterMessagesDelivered:  {"messages_delivered", "chat and direct messages pushed to a connection"},
	CounterGaps:               {"gaps", "gap events: messages that a worker had to skip"},
	CounterReplays:            {"replays", "money requests answered from the log"},
	CounterLockWaits:          {"lock_waits", "locks that were not free at once or after a short spin"},
	CounterLockWaitNs:         {"lock_wait_ns", "time spent waiting for locks, in nanoseconds"},
	CounterLockTimeouts:       {"lock_timeouts", "lock waits that ended as busy"},
	CounterLogFull:            {"log_full", "transactions refused because the log ring was full"},
	CounterRoomBacklogs:       {"room_backlogs", "messages refused because a worker had not caught up"},
	CounterSessionsResumed:    {"sessions_resumed", "sessions that a new connection has taken over"},
	CounterSessionsEvicted:    {"sessions_evicted", "detached sessions ended before their time because the table was full"},
	CounterJournalGroups:      {"journal_groups", "groups of records that the journal has written"},
	CounterJournalRecords:     {"journal_records", "records in them"},
	CounterSnapshots:          {"snapshots", "snapshots of the books that the journal has begun"},
	CounterLogDropped:         {"log_lines_dropped", "lines of the server's own log that were lost because its reader was too slow"},
	CounterScrubBytes:         {"scrub_bytes", "bytes of the journal on disk that were read again and checked"},
	CounterScrubPasses:        {"scrub_passes", "how often all of the journal was read again"},
	CounterScrubDamage:        {"scrub_damage", "how often that has found damage"},
	CounterClockSetBack:       {"clock_set_back", "records that are dated earlier than the ones before them, since the wall clock was set back"},
	CounterMailboxFull:        {"mailbox_full", "direct messages refused because a mailbox was full"},
}

// Latency numbers the latency histograms of a metrics row.
type Latency int

const (
	LatencySession Latency = iota
	LatencyChat
	LatencyTrade
	LatencyRead
	LatencyLockWait
	LatencySync
	latencies
)

// Latencies is the one table of the histograms, by Latency.
var Latencies = [latencies]CounterInfo{
	LatencySession:  {"session", "HELLO, LOGIN, LOGOUT, REGISTER, HEARTBEAT"},
	LatencyChat:     {"chat", "requests that join, leave or write to rooms and users"},
	LatencyTrade:    {"trade", "requests that move money"},
	LatencyRead:     {"read", "requests that only read: BALANCE, histories, lists"},
	LatencyLockWait: {"lock_wait", "waits for a lock"},
	LatencySync:     {"sync", "groups of the journal, from the first byte written to all on disk"},
}

// OpsMax and StatusesMax bound the indices of Metrics.Op and Metrics.Status.
const (
	OpsMax      = 48
	StatusesMax = 16
)

// A histogram is log-linear: 8 buckets an octave, so a value is known to 12.5 %.
const (
	octaveBits       = 3
	latencyOctaves   = 36 // up to 2^37 ns, 137 s
	histogramBuckets = (latencyOctaves - octaveBits + 2) << octaveBits
)

type metricsRow struct {
	counters   [countersMax]uint64
	ops        [OpsMax]uint64
	statuses   [StatusesMax]uint64
	histograms [latenciesMax][histogramBuckets]uint64
}

// The tables must fit into a row.
var (
	_ = [countersMax - counters]struct{}{}
	_ = [latenciesMax - latencies]struct{}{}
)

// Metrics writes one slot's row.
type Metrics struct{ row *metricsRow }

func bump(p *uint64, n uint64) { atomic.StoreUint64(p, *p+n) }

// Add raises a counter.
func (m *Metrics) Add(c Counter, n uint64) { bump(&m.row.counters[c], n) }

// Op counts one request of the operation with this index, which must be below OpsMax.
func (m *Metrics) Op(index int) { bump(&m.row.ops[index], 1) }

// Status counts one response with this status, which must be below StatusesMax.
func (m *Metrics) Status(status int) { bump(&m.row.statuses[status], 1) }

// Observe enters n requests that took d each.
func (m *Metrics) Observe(l Latency, d time.Duration, n uint64) {
	bump(&m.row.histograms[l][bucketOf(uint64(max(d, 0)))], n)
}

func (m *Metrics) lockWait(d time.Duration, timedOut bool) {
	m.Add(CounterLockWaits, 1)
	m.Add(CounterLockWaitNs, uint64(d))
	m.Observe(LatencyLockWait, d, 1)
	if timedOut {
		m.Add(CounterLockTimeouts, 1)
	}
}

// connectionsLost books the connections of a slot's earlier process as closed.
func (m *Metrics) connectionsLost() {
	atomic.StoreUint64(&m.row.counters[CounterConnectionsClosed], m.row.counters[CounterConnections])
}

// bucketOf is the bucket of ns: exact below 8, then 8 an octave.
func bucketOf(ns uint64) int {
	if ns < 1<<octaveBits {
		return int(ns)
	}
	octave := bits.Len64(ns) - 1
	i := (octave-octaveBits+1)<<octaveBits + int(ns>>(octave-octaveBits)&(1<<octaveBits-1))
	return min(i, histogramBuckets-1)
}

// bucketEnd is the largest value of a bucket.
func bucketEnd(i int) uint64 {
	if i < 1<<octaveBits {
		return uint64(i)
	}
	shift := i>>octaveBits - 1
	return (uint64(1<<octaveBits+i&(1<<octaveBits-1))+1)<<shift - 1
}

// MetricsSnapshot is a copy of one row, or the sum of several.
type MetricsSnapshot struct {
	Counters   [counters]uint64
	Ops        [OpsMax]uint64
	Statuses   [StatusesMax]uint64
	Histograms [latencies]Histogram
}

// Histogram counts durations by bucket.
type Histogram [histogramBuckets]uint64

// MetricsOf copies slot i's row. Each number is whole; they are not of one instant.
func (seg *Segment) MetricsOf(i int) MetricsSnapshot {
	var s MetricsSnapshot
	row := &seg.metrics[i]
	for c := range s.Counters {
		if at := seg.counterAt[c]; at >= 0 {
			s.Counters[c] = atomic.LoadUint64(&row.counters[at])
		}
	}
	load(s.Ops[:], row.ops[:])
	load(s.Statuses[:], row.statuses[:])
	for l := range s.Histograms {
		if at := seg.latencyAt[l]; at >= 0 {
			load(s.Histograms[l][:], row.histograms[at][:])
		}
	}
	return s
}

func load(dst, src []uint64) {
	for i := range src {
		dst[i] = atomic.LoadUint64(&src[i])
	}
}

// Count is one counter, of all slots together.
func (seg *Segment) Count(c Counter) (sum uint64) {
	for i := range seg.metrics {
		sum += atomic.LoadUint64(&seg.metrics[i].counters[c])
	}
	return sum
}

// MetricsTotal is the sum over all slots.
func (seg *Segment) MetricsTotal() MetricsSnapshot {
	var total MetricsSnapshot
	for i := range seg.metrics {
		one := seg.MetricsOf(i)
		total.combine(&one, func(a, b uint64) uint64 { return a + b })
	}
	return total
}

// Since is what was counted between an earlier snapshot and s.
func (s MetricsSnapshot) Since(earlier MetricsSnapshot) MetricsSnapshot {
	s.combine(&earlier, func(a, b uint64) uint64 { return a - b })
	return s
}

func (s *MetricsSnapshot) combine(o *MetricsSnapshot, f func(a, b uint64) uint64) {
	merge := func(dst, src []uint64) {
		for i := range dst {
			dst[i] = f(dst[i], src[i])
		}
	}
	merge(s.Counters[:], o.Counters[:])
	merge(s.Ops[:], o.Ops[:])
	merge(s.Statuses[:], o.Statuses[:])
	for l := range s.Histograms {
		merge(s.Histograms[l][:], o.Histograms[l][:])
	}
}

// OpenConnections is the number of connections that are open.
func (s *MetricsSnapshot) OpenConnections() uint64 {
	return s.Counters[CounterConnections] - s.Counters[CounterConnectionsClosed]
}

// Count is the number of durations in h.
func (h *Histogram) Count() (n uint64) {
	for _, c := range h {
		n += c
	}
	return n
}

// Quantile is the upper end of the bucket below which a share q (0 to 1) of the
// durations lie; 0 if there are none.
func (h *Histogram) Quantile(q float64) time.Duration {
	left := uint64(q*float64(h.Count()) + 0.5)
	for i, c := range h {
		if c != 0 && c >= left {
			return time.Duration(bucketEnd(i))
		}
		left -= min(c, left)
	}
	return 0
}

// Max is the upper end of the highest bucket that is not empty.
func (h *Histogram) Max() time.Duration {
	for i := len(h) - 1; i >= 0; i-- {
		if h[i] != 0 {
			return time.Duration(bucketEnd(i))
		}
	}
	return 0
}
