package server

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"tradechat.internal/client"
	"tradechat.internal/libproto/serverstats"
)

// Admin is a connection to the server's admin socket.
type Admin struct{ *client.Admin }

// DialAdmin connects to the admin socket; the caller closes it.
func (s *Server) DialAdmin(ctx context.Context) (Admin, error) {
	a, err := client.DialAdmin(ctx, s.DataFolder())
	return Admin{a}, err
}

// Stats asks for SERVER_STATS.
func (a Admin) Stats(ctx context.Context) (stats serverstats.Report, err error) {
	ctx, cancel := context.WithTimeout(ctx, adminMax)
	defer cancel()
	encoded, err := a.Admin.Stats(ctx)
	if err != nil {
		return stats, err
	}
	return serverstats.Decode(encoded)
}

// KillBusiest kills the worker that has the most connections, with SIGKILL.
func (a Admin) KillBusiest(ctx context.Context) (victim serverstats.Worker, err error) {
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
func (a Admin) AwaitSuccessor(ctx context.Context, victim serverstats.Worker) (successor serverstats.Worker, seen time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, successorMax)
	defer cancel()
	err = a.await(ctx, func(s serverstats.Report) bool {
		successor, seen = s.Workers[victim.Slot], time.Now()
		return successor.Running() && successor.PID != victim.PID
	})
	if ctx.Err() != nil {
		err = fmt.Errorf("server: %w of worker %d (pid %d): %w", ErrNoSuccessor, victim.Slot, victim.PID, ctx.Err())
	}
	return successor, seen, err
}

// await asks for the statistics until they are as wanted.
func (a Admin) await(ctx context.Context, wanted func(serverstats.Report) bool) error {
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
	return admin.await(ctx, func(stats serverstats.Report) bool {
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
func (s *Server) Stats(ctx context.Context) (serverstats.Report, error) {
	admin, err := s.DialAdmin(ctx)
	if err != nil {
		return serverstats.Report{}, err
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
