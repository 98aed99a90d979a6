package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"tradechat.internal/client"
)

// Stats is what the measurements read of SERVER_STATS.
type Stats struct {
	Connections uint64             `json:"connections"`
	Restarts    int                `json:"restarts"`
	Workers     []Worker           `json:"workers"`
	Ops         map[string]uint64  `json:"ops"`
	Statuses    map[string]uint64  `json:"statuses"`
	Totals      map[string]uint64  `json:"totals"` // counters by name
	LatencyUs   map[string]Latency `json:"latency_us"`
	Locks       Locks              `json:"locks"`
	Journal     Journal            `json:"journal"`
	Verify      Verify             `json:"verify"`
}

// Latency sums up one of the server's own histograms, in microseconds.
type Latency struct {
	P99   float64 `json:"p99"`
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
	PID      int    `json:"pid"` // 0: none
	State    string `json:"state"`
	ReadOnly bool   `json:"read_only"` // the server takes no money requests until it is started again
	Restarts int    `json:"restarts"`
	Head     uint64 `json:"head"`
	Groups   uint64 `json:"groups"` // that were written
}

// Worker is one worker slot.
type Worker struct {
	Slot        int    `json:"slot"`
	PID         int    `json:"pid"` // 0: none
	State       string `json:"state"`
	Restarts    int    `json:"restarts"`
	Connections uint64 `json:"connections"`

	LocksHeld []string `json:"locks_held"` // exact while the process stands still
}

// Running says that the slot has a process that accepts.
func (w Worker) Running() bool { return w.State == "running" }

// Verify is the outcome of a check of the running server's books, amounts in minor units.
type Verify struct {
	OK          bool     `json:"ok"`
	Error       string   `json:"error"`
	AgeMs       int64    `json:"age_ms"` // the server uses an outcome again for a second
	Users       uint64   `json:"users"`
	Records     uint64   `json:"records"`
	Supply      uint64   `json:"supply"`
	Balances    uint64   `json:"balances"`
	Deposits    uint64   `json:"deposits"`
	Withdrawals uint64   `json:"withdrawals"`
	Problems    []string `json:"problems"`
}

// WorkerPIDs are the numbers of the worker processes that there are.
func (s Stats) WorkerPIDs() (pids []int) {
	for _, w := range s.Workers {
		if w.PID != 0 {
			pids = append(pids, w.PID)
		}
	}
	return pids
}

// ErrNoWorker says that no worker runs.
var ErrNoWorker = errors.New("no worker runs")

// Busiest is the running worker that has the most connections.
func (s Stats) Busiest() (busiest Worker, err error) {
	for _, w := range s.Workers {
		if w.Running() && (busiest.PID == 0 || w.Connections > busiest.Connections) {
			busiest = w
		}
	}
	if busiest.PID == 0 {
		return busiest, fmt.Errorf("server: %w: %+v", ErrNoWorker, s.Workers)
	}
	return busiest, nil
}

// Admin is a connection to the server's admin socket.
type Admin struct{ *client.Admin }

// DialAdmin connects to the admin socket; the caller closes it.
func (s *Server) DialAdmin(ctx context.Context) (Admin, error) {
	a, err := client.DialAdmin(ctx, s.DataFolder())
	return Admin{a}, err
}

// Stats asks for SERVER_STATS.
func (a Admin) Stats(ctx context.Context) (stats Stats, err error) {
	ctx, cancel := context.WithTimeout(ctx, adminMax)
	defer cancel()
	encoded, err := a.Admin.Stats(ctx)
	if err != nil {
		return stats, err
	}
	if err := json.Unmarshal(encoded, &stats); err != nil {
		return stats, fmt.Errorf("server: statistics: %w", err)
	}
	return stats, nil
}

// KillBusiest kills the worker that has the most connections, with SIGKILL.
func (a Admin) KillBusiest(ctx context.Context) (victim Worker, err error) {
	stats, err := a.Stats(ctx)
	if err != nil {
		return victim, err
	}
	if victim, err = stats.Busiest(); err != nil {
		return victim, err
	}
	if err := unix.Kill(victim.PID, unix.SIGKILL); err != nil {
		return victim, fmt.Errorf("server: kill %d: %w", victim.PID, err)
	}
	return victim, nil
}

// ErrNoSuccessor says that a worker was not replaced.
var ErrNoSuccessor = errors.New("no successor")

// AwaitSuccessor returns the first other process that is seen to run in a slot, and when that was. ErrNoSuccessor if there
// is none within successorMax.
func (a Admin) AwaitSuccessor(ctx context.Context, victim Worker) (successor Worker, seen time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, successorMax)
	defer cancel()
	err = a.await(ctx, func(s Stats) bool {
		successor, seen = s.Workers[victim.Slot], time.Now()
		return successor.Running() && successor.PID != victim.PID
	})
	if ctx.Err() != nil {
		err = fmt.Errorf("server: %w of worker %d (pid %d): %w", ErrNoSuccessor, victim.Slot, victim.PID, ctx.Err())
	}
	return successor, seen, err
}

// await asks for the statistics until they are as wanted.
func (a Admin) await(ctx context.Context, wanted func(Stats) bool) error {
	look := time.NewTicker(statsEvery)
	defer look.Stop()
	for {
		stats, err := a.Stats(ctx)
		if err != nil || wanted(stats) {
			return err
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// awaitWorkers returns when the statistics show that n workers run. They may lag behind the ready line.
func (s *Server) awaitWorkers(ctx context.Context, n int) error {
	admin, err := s.DialAdmin(ctx)
	if err != nil {
		return err
	}
	defer admin.Close()
	return admin.await(ctx, func(stats Stats) bool {
		running := 0
		for _, w := range stats.Workers {
			if w.Running() {
				running++
			}
		}
		return running == n
	})
}

// Stats asks for SERVER_STATS on a connection of its own.
func (s *Server) Stats(ctx context.Context) (Stats, error) {
	admin, err := s.DialAdmin(ctx)
	if err != nil {
		return Stats{}, err
	}
	defer admin.Close()
	return admin.Stats(ctx)
}

// PIDs are the numbers of all processes that the server has, the master's first.
func (s *Server) PIDs(ctx context.Context) ([]int, error) {
	stats, err := s.Stats(ctx)
	if err != nil {
		return nil, err
	}
	pids := append([]int{s.PID()}, stats.WorkerPIDs()...)
	if stats.Journal.PID != 0 {
		pids = append(pids, stats.Journal.PID)
	}
	return pids, nil
}
