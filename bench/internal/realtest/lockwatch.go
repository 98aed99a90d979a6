package realtest

import (
	"context"
	"errors"
	"slices"
	"time"

	"tradechat.internal/libproto/serverstats"
	"tradechat.internal/testkit/server"
)

// sighting is what the server had counted at a moment.
type sighting struct {
	at               time.Time
	requests, waits  float64
	waitUs, timeouts float64
	waitP99Ms        float64
}

// lockWatch asks for the server's statistics again and again.
type lockWatch struct {
	admin  server.Admin
	cancel context.CancelFunc
	done   chan struct{}
	seen   []sighting
	err    error
}

// watchLocks begins at once; the caller calls end.
func watchLocks(ctx context.Context, s *server.Server, every time.Duration) (*lockWatch, error) {
	admin, err := s.DialAdmin(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	w := &lockWatch{admin: admin, cancel: cancel, done: make(chan struct{})}
	go w.run(ctx, every)
	return w, nil
}

func (w *lockWatch) run(ctx context.Context, every time.Duration) {
	defer close(w.done)
	look := time.NewTicker(every)
	defer look.Stop()
	for {
		stats, err := w.admin.Stats(ctx)
		if err != nil {
			if ctx.Err() == nil {
				w.err = err
			}
			return
		}
		w.seen = append(w.seen, sightingOf(stats))
		select {
		case <-look.C:
		case <-ctx.Done():
			return
		}
	}
}

func sightingOf(s serverstats.Report) sighting {
	return sighting{
		at: time.Now(), requests: float64(s.Totals["total_requests"]), waits: float64(s.Locks.Waits),
		waitUs:   float64(s.Locks.WaitUs),
		timeouts: float64(s.Locks.Timeouts), waitP99Ms: s.LatencyUs["lock_wait"].P99 / 1e3,
	}
}

// end stops the watch and returns what it saw.
func (w *lockWatch) end() ([]sighting, error) {
	w.cancel()
	<-w.done
	return w.seen, errors.Join(w.err, w.admin.Close())
}

// between is what was counted from one moment to another, along straight lines between the sightings.
func between(seen []sighting, from, to time.Time) (requests, waits, waitUs float64) {
	a, b := at(seen, from), at(seen, to)
	return b.requests - a.requests, b.waits - a.waits, b.waitUs - a.waitUs
}

// at is what had been counted at a moment; before the first and after the last sighting, as much as there.
func at(seen []sighting, moment time.Time) sighting {
	i, _ := slices.BinarySearchFunc(seen, moment, func(s sighting, m time.Time) int { return s.at.Compare(m) })
	switch {
	case len(seen) == 0:
		return sighting{}
	case i == 0:
		return seen[0]
	case i == len(seen):
		return seen[len(seen)-1]
	}
	a, b := seen[i-1], seen[i]
	part := float64(moment.Sub(a.at)) / float64(b.at.Sub(a.at))
	mix := func(x, y float64) float64 { return x + (y-x)*part }
	return sighting{
		at: moment, requests: mix(a.requests, b.requests), waits: mix(a.waits, b.waits), waitUs: mix(a.waitUs, b.waitUs),
	}
}
