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
	"tradechat.internal/server/internal/role"
	"tradechat.internal/server/internal/version"
	"tradechat.internal/shmstore"
)

// problemsMax bounds the problems of a Verify that the JSON tells: it must fit into one field of a frame.
const problemsMax = 10

// State says what the process of a slot is doing.
type State string

const (
	StateStarting State = "starting" // runs, does not accept yet
	StateRunning  State = "running"
	StateStopping State = "stopping"
	StateDown     State = "down" // none runs
)

// Process is what the master knows of the process of one slot.
type Process struct {
	Role     role.Name
	Slot     int
	PID      int // 0: none
	State    State
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

// Report is the JSON of SERVER_STATS. Times are in the unit that the key names.
type Report struct {
	Version     string             `json:"version"`
	UptimeS     float64            `json:"uptime_s"`
	Connections uint64             `json:"connections"`
	Restarts    int                `json:"restarts"`
	Alarms      []string           `json:"alarms"`
	Segment     string             `json:"segment"` // path of the shared memory
	Workers     []Worker           `json:"workers"`
	Totals      map[string]uint64  `json:"totals"`
	Ops         map[string]uint64  `json:"ops"`
	Statuses    map[string]uint64  `json:"statuses"`
	LatencyUs   map[string]Latency `json:"latency_us"`
	Locks       Locks              `json:"locks"`
	Journal     Journal            `json:"journal"`
	Ledger      Ledger             `json:"ledger"`
	Verify      Verdict            `json:"verify"`
}

// Worker is one worker slot.
type Worker struct {
	Slot        int    `json:"slot"`
	PID         int    `json:"pid"`
	State       State  `json:"state"`
	Generation  uint32 `json:"generation"`
	Restarts    int    `json:"restarts"`
	HeartbeatMs int64  `json:"heartbeat_ms"` // age; -1 while none runs
	Connections uint64 `json:"connections"`
	Requests    uint64 `json:"requests"`

	// LocksHeld names the locks that it holds, exact while the process stands still: what a worker that hangs keeps from others.
	LocksHeld []string `json:"locks_held,omitempty"`
}

// Latency sums up one histogram, in microseconds.
type Latency struct {
	P50   float64 `json:"p50"`
	P95   float64 `json:"p95"`
	P99   float64 `json:"p99"`
	Max   float64 `json:"max"`
	Count uint64  `json:"count"`
}

// Locks sums up the waits for locks.
type Locks struct {
	Waits    uint64 `json:"waits"`
	WaitUs   uint64 `json:"wait_us"`
	Timeouts uint64 `json:"timeouts"`
}

// Journal is what stands behind the log.
type Journal struct {
	State      string  `json:"state"` // starting, running, down; failed: the server is read-only
	ReadOnly   bool    `json:"read_only"`
	Failure    string  `json:"failure,omitempty"`
	Durability string  `json:"durability"`
	PID        int     `json:"pid"`
	Restarts   int     `json:"restarts"`
	Head       uint64  `json:"head"`    // the log's
	Durable    uint64  `json:"durable"` // of these, have what the durability promises
	Lag        uint64  `json:"lag"`     // records that do not
	Groups     uint64  `json:"groups"`
	PerGroup   float64 `json:"records_per_group"`
	Snapshots  uint64  `json:"snapshots"`
}

// Ledger is how much there is.
type Ledger struct {
	Users uint32 `json:"users"`
	Rooms uint32 `json:"rooms"`
	Head  uint64 `json:"head"`
}

// Verdict is the outcome of a Verify of the running server, amounts in minor units.
type Verdict struct {
	OK          bool         `json:"ok"`
	Error       string       `json:"error,omitempty"` // why it could not be had
	AgeMs       int64        `json:"age_ms"`
	Users       uint32       `json:"users"`
	Records     uint64       `json:"records"`
	Folded      uint64       `json:"folded"`
	Supply      uint64       `json:"supply"`
	Balances    ledger.Total `json:"balances"`
	Deposits    ledger.Total `json:"deposits"`
	Withdrawals ledger.Total `json:"withdrawals"`
	Problems    []string     `json:"problems,omitempty"`
}

// Encode makes the JSON of a report; it has at most libproto.FieldLenMax bytes.
func Encode(r Report) ([]byte, error) {
	encoded, err := json.Marshal(r)
	if err == nil && len(encoded) > libproto.FieldLenMax {
		err = fmt.Errorf("stats: report of %d bytes, %d fit into a frame's field", len(encoded), libproto.FieldLenMax)
	}
	return encoded, err
}

// Make reads everything and makes a report.
func Make(s Source) Report {
	total := s.Segment.MetricsTotal()
	r := Report{
		Version:     version.Agent,
		UptimeS:     time.Since(s.Started).Seconds(),
		Connections: total.OpenConnections(),
		Alarms:      append([]string{}, s.Alarms...),
		Segment:     s.Segment.Path(),
		Workers:     make([]Worker, 0, len(s.Processes)),
		Totals:      named(shmstore.Counters[:], total.Counters[:]),
		Ops:         make(map[string]uint64),
		Statuses:    make(map[string]uint64),
		LatencyUs:   make(map[string]Latency),
		Locks: Locks{
			Waits:    total.Counters[shmstore.CounterLockWaits],
			WaitUs:   total.Counters[shmstore.CounterLockWaitNs] / uint64(time.Microsecond),
			Timeouts: total.Counters[shmstore.CounterLockTimeouts],
		},
		Journal: journal(s, &total),
		Ledger:  Ledger{Users: s.Segment.UserCount(), Rooms: s.Segment.RoomCount(), Head: s.Segment.Head()},
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

func worker(seg *shmstore.Segment, p Process) Worker {
	info, metrics := seg.SlotInfo(p.Slot), seg.MetricsOf(p.Slot)
	w := Worker{
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
	return Process{State: StateDown}
}

func journal(s Source, total *shmstore.MetricsSnapshot) Journal {
	state, failure := s.Segment.JournalState()
	durable := s.Segment.Durable() // before the head, which is never behind it
	writer := s.process(role.LogWriter)
	j := Journal{
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

func summary(h *shmstore.Histogram) Latency {
	return Latency{
		P50: micros(h.Quantile(0.50)), P95: micros(h.Quantile(0.95)), P99: micros(h.Quantile(0.99)),
		Max: micros(h.Max()), Count: h.Count(),
	}
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }

func verdict(s Source) Verdict {
	v := Verdict{AgeMs: time.Since(s.VerifiedAt).Milliseconds()}
	if s.VerifyErr != nil {
		v.Error = s.VerifyErr.Error()
		return v
	}
	r := s.Verified
	v.OK, v.Users, v.Records, v.Folded = r.OK(), r.Users, r.Head, r.Folded
	v.Supply, v.Balances, v.Deposits, v.Withdrawals = r.Supply, r.Balances, r.Deposits, r.Withdrawals
	v.Problems = r.Problems[:min(len(r.Problems), problemsMax)]
	return v
}
