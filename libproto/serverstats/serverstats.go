// Package serverstats is the JSON that SERVER_STATS answers with, as Go types: the server writes them, and every view reads them.
//
// Maps are by the names of the server's own tables: counters, opcodes, statuses, latencies. A later server has more keys; a reader
// passes over those that it does not know.
package serverstats

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

// State says what the process of a slot is doing.
type State string

const (
	StateStarting State = "starting" // runs, does not accept yet
	StateRunning  State = "running"
	StateStopping State = "stopping"
	StateDown     State = "down" // none runs
)

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
	OK          bool     `json:"ok"`
	Error       string   `json:"error,omitempty"` // why it could not be had
	AgeMs       int64    `json:"age_ms"`
	Users       uint32   `json:"users"`
	Records     uint64   `json:"records"`
	Folded      uint64   `json:"folded"`
	Supply      uint64   `json:"supply"`
	Balances    Sum      `json:"balances"`
	Deposits    Sum      `json:"deposits"`
	Withdrawals Sum      `json:"withdrawals"`
	Problems    []string `json:"problems,omitempty"`
}

// Running says that the slot has a process that accepts.
func (w Worker) Running() bool { return w.State == StateRunning }

// WorkerPIDs are the numbers of the worker processes that there are.
func (r Report) WorkerPIDs() (pids []int) {
	for _, w := range r.Workers {
		if w.PID != 0 {
			pids = append(pids, w.PID)
		}
	}
	return pids
}

// ErrNoWorker says that no worker runs.
var ErrNoWorker = errors.New("no worker runs")

// Busiest is the running worker that has the most connections.
func (r Report) Busiest() (busiest Worker, err error) {
	for _, w := range r.Workers {
		if w.Running() && (busiest.PID == 0 || w.Connections > busiest.Connections) {
			busiest = w
		}
	}
	if busiest.PID == 0 {
		return busiest, fmt.Errorf("%w: %+v", ErrNoWorker, r.Workers)
	}
	return busiest, nil
}

// Decode reads what SERVER_STATS has answered.
func Decode(text []byte) (r Report, err error) {
	if err := json.Unmarshal(text, &r); err != nil {
		return r, fmt.Errorf("server statistics: %w", err)
	}
	return r, nil
}

// Sum is a sum of the amounts of many accounts, in minor units, as decimal digits: it may need more than 64 bits.
type Sum string

// SumOf is a sum that fits into 64 bits.
func SumOf(amount uint64) Sum { return Sum(strconv.FormatUint(amount, 10)) }

// Uint64 is the sum if it fits.
func (s Sum) Uint64() (amount uint64, fits bool) {
	amount, err := strconv.ParseUint(string(s), 10, 64)
	return amount, err == nil
}

// MarshalJSON writes a number.
func (s Sum) MarshalJSON() ([]byte, error) {
	if s == "" {
		return []byte("0"), nil
	}
	return []byte(s), nil
}

// UnmarshalJSON reads a number without sign, point or exponent.
func (s *Sum) UnmarshalJSON(text []byte) error {
	for _, c := range text {
		if c < '0' || c > '9' {
			return fmt.Errorf("%w: %.60q", errSum, text)
		}
	}
	*s = Sum(text)
	return nil
}

var errSum = errors.New("not a sum of amounts")
