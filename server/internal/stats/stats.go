// Package stats turns the metrics in shared memory into what people and programs read: the JSON of SERVER_STATS and the
// line that the master logs every --stats-every.
//
// Every number comes from shmstore's tables (Counters, Latencies) and libproto's (opcodes, statuses): a counter that is
// added there appears here. Numbers are totals since the segment was made; Report.Since makes rates of two of them.
//
//	segment ── MetricsOf(slot) ──▶ one a slot ──▶ sum ──▶ totals, ops, statuses, latencies, locks
//	        ── SlotInfo(slot) ───▶ heartbeat, generation
//	master  ── Process ─────────▶ pid, state, restarts
//	store   ── Verify ──────────▶ ledger, verdict
package stats

import (
	"encoding/json"
	"fmt"
	"time"

	"tradechat.internal/ledger"
	"tradechat.internal/libproto"
	"tradechat.internal/libproto/serverstats"
	"tradechat.internal/server/internal/role"
	"tradechat.internal/server/internal/version"
	"tradechat.internal/shmstore"
)

// problemsMax bounds the problems of a Verify that the JSON tells: it must fit into one field of a frame.
const problemsMax = 10

// Process is what the master knows of the process of one slot.
type Process struct {
	Role     role.Name
	Slot     int
	PID      int // 0: none
	State    serverstats.State
	Restarts int
}

// Source is what a report is made of.
type Source struct {
	Segment    *shmstore.Segment
	Started    time.Time // of the master
	Processes  []Process
	Durability string
	Alarms     []string // what endangers the segment or the data folder

	// Verified is the outcome of the latest Verify, VerifyErr why there is none, VerifiedAt when that was.
	Verified   *shmstore.VerifyReport
	VerifyErr  error
	VerifiedAt time.Time
}

// Encode makes the JSON of a report; it has at most libproto.FieldLenMax bytes.
func Encode(r serverstats.Report) ([]byte, error) {
	encoded, err := json.Marshal(r)
	if err == nil && len(encoded) > libproto.FieldLenMax {
		err = fmt.Errorf("stats: report of %d bytes, %d fit into a frame's field", len(encoded), libproto.FieldLenMax)
	}
	return encoded, err
}

// Make reads everything and makes a report.
func Make(s Source) serverstats.Report {
	total := s.Segment.MetricsTotal()
	r := serverstats.Report{
		Version:     version.Agent,
		UptimeS:     time.Since(s.Started).Seconds(),
		Connections: total.OpenConnections(),
		Alarms:      append([]string{}, s.Alarms...),
		Segment:     s.Segment.Path(),
		Workers:     make([]serverstats.Worker, 0, len(s.Processes)),
		Totals:      named(shmstore.Counters[:], total.Counters[:]),
		Ops:         make(map[string]uint64),
		Statuses:    make(map[string]uint64),
		LatencyUs:   make(map[string]serverstats.Latency),
		Locks: serverstats.Locks{
			Waits:    total.Counters[shmstore.CounterLockWaits],
			WaitUs:   total.Counters[shmstore.CounterLockWaitNs] / uint64(time.Microsecond),
			Timeouts: total.Counters[shmstore.CounterLockTimeouts],
		},
		Journal: journal(s, &total),
		Ledger:  serverstats.Ledger{Users: s.Segment.UserCount(), Rooms: s.Segment.RoomCount(), Head: s.Segment.Head()},
		Verify:  verdict(s),
	}
	for _, p := range s.Processes {
		r.Restarts += p.Restarts
		if p.Role == role.Worker {
			r.Workers = append(r.Workers, worker(s.Segment, p))
		}
	}
	for i, op := range libproto.Opcodes() {
		r.Ops[op.String()] = total.Ops[i]
	}
	for i := range libproto.StatusCount {
		r.Statuses[libproto.Status(i).String()] = total.Statuses[i]
	}
	for i, info := range shmstore.Latencies {
		r.LatencyUs[info.Name] = summary(&total.Histograms[i])
	}
	return r
}

func named(table []shmstore.CounterInfo, values []uint64) map[string]uint64 {
	m := make(map[string]uint64, len(table))
	for i, info := range table {
		m[info.Name] = values[i]
	}
	return m
}

func worker(seg *shmstore.Segment, p Process) serverstats.Worker {
	info, metrics := seg.SlotInfo(p.Slot), seg.MetricsOf(p.Slot)
	w := serverstats.Worker{
		Slot: p.Slot, PID: p.PID, State: p.State, Restarts: p.Restarts, Generation: info.Generation, HeartbeatMs: -1,
		Connections: metrics.OpenConnections(), Requests: metrics.Counters[shmstore.CounterRequests],
	}
	if info.State == shmstore.SlotRunning {
		w.HeartbeatMs = info.HeartAge.Milliseconds()
		w.LocksHeld = seg.LocksHeld(p.Slot)
	}
	return w
}

// process finds the one process of a role.
func (s Source) process(of role.Name) Process {
	for _, p := range s.Processes {
		if p.Role == of {
			return p
		}
	}
	return Process{State: serverstats.StateDown}
}

func journal(s Source, total *shmstore.MetricsSnapshot) serverstats.Journal {
	state, failure := s.Segment.JournalState()
	durable := s.Segment.Durable() // before the head, which is never behind it
	writer := s.process(role.LogWriter)
	j := serverstats.Journal{
		State: string(writer.State), ReadOnly: state == shmstore.JournalFailed, Failure: failure, Durability: s.Durability,
		PID: writer.PID, Restarts: writer.Restarts, Durable: durable, Head: s.Segment.Head(),
		Groups: total.Counters[shmstore.CounterJournalGroups], Snapshots: total.Counters[shmstore.CounterSnapshots],
	}
	if j.ReadOnly {
		j.State = state.String()
	}
	j.Lag = j.Head - min(j.Durable, j.Head)
	if j.Groups != 0 {
		j.PerGroup = float64(total.Counters[shmstore.CounterJournalRecords]) / float64(j.Groups)
	}
	return j
}

func summary(h *shmstore.Histogram) serverstats.Latency {
	return serverstats.Latency{
		P50: micros(h.Quantile(0.50)), P95: micros(h.Quantile(0.95)), P99: micros(h.Quantile(0.99)),
		Max: micros(h.Max()), Count: h.Count(),
	}
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }

func verdict(s Source) serverstats.Verdict {
	v := serverstats.Verdict{AgeMs: time.Since(s.VerifiedAt).Milliseconds()}
	if s.VerifyErr != nil {
		v.Error = s.VerifyErr.Error()
		return v
	}
	r := s.Verified
	v.OK, v.Users, v.Records, v.Folded = r.OK(), r.Users, r.Head, r.Folded
	v.Supply = r.Supply
	v.Balances, v.Deposits, v.Withdrawals = sumOf(r.Balances), sumOf(r.Deposits), sumOf(r.Withdrawals)
	v.Problems = r.Problems[:min(len(r.Problems), problemsMax)]
	return v
}

func sumOf(t ledger.Total) serverstats.Sum { return serverstats.Sum(t.String()) }
