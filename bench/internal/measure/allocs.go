package measure

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"tradechat.internal/bench/internal/closedloop"
	"tradechat.internal/bench/internal/figure"
	"tradechat.internal/bench/internal/procfs"
	"tradechat.internal/bench/internal/server"
)

// AllocsOptions says how much to send.
type AllocsOptions struct {
	Connections int
	Depth       int // requests of a connection on their way at once: the more, the more requests in the time
	Duration    time.Duration
}

// DefaultAllocsOptions is what the reported figure is measured with.
func DefaultAllocsOptions() AllocsOptions {
	return AllocsOptions{Connections: 16, Depth: 64, Duration: 5 * time.Second}
}

// Validate checks every setting.
func (o AllocsOptions) Validate() error {
	return errors.Join(
		within("connections", o.Connections, 2, ConnectionsMax),
		within("depth", o.Depth, 1, closedloop.DepthMax),
		within("duration", o.Duration, 10*time.Millisecond, time.Hour),
	)
}

// AllocsResult bounds what a worker's heap can have been given out in the time. No process tells how many objects it has
// allocated, but memory that is allocated is either new to the process, which the kernel sees, or was given back by a
// garbage collection, which the Go runtime reports when it is started with GODEBUG=gctrace=1.
type AllocsResult struct {
	Requests         uint64  `json:"requests"`
	GrownBytes       int64   `json:"grown_bytes"`        // of the worker's anonymous memory
	Collections      int     `json:"collections"`        // in any process of the server in the time
	CollectedBytes   int64   `json:"collected_bytes"`    // at most, and what may have been filled again unseen
	BytesPerRequest  float64 `json:"bytes_per_request"`  // at most
	AllocsPerRequest float64 `json:"allocs_per_request"` // at most, if all objects had the least size
}

// Figures is the bound on objects.
func (r AllocsResult) Figures() []figure.Figure {
	detail := fmt.Sprintf("at most: %d KiB of new memory and %d garbage collections in %d TRANSFERs", r.GrownBytes>>10, r.Collections, r.Requests)
	return []figure.Figure{figure.New("server: heap allocations per request in steady state", r.AllocsPerRequest, "", allocsTarget, detail)}
}

// Allocs bounds the heap allocations of a request.
func (b Bench) Allocs(ctx context.Context, o AllocsOptions) (r AllocsResult, err error) {
	if err := o.Validate(); err != nil {
		return r, err
	}
	s, err := server.Start(ctx, b.Binaries, server.Options{Workers: 1, Env: []string{"GODEBUG=gctrace=1"}})
	if err != nil {
		return r, err
	}
	defer s.Discard()
	// Asked for now: with a full log the statistics' Verify makes the master allocate, and perhaps collect.
	stats, err := s.Stats(ctx)
	if err != nil {
		return r, err
	}
	loop, err := traders(ctx, s, o.Connections, o.Depth)
	if err != nil {
		return r, err
	}
	defer loop.Close()
	warmUp, err := loop.Run(ctx, o.Duration/4) // buffers reach their size
	if err != nil {
		return r, err
	}
	if r, err = allocsUnder(ctx, s, stats.Workers[0].PID, loop, o.Duration); err != nil {
		return r, err
	}
	if err := checkTransfers(ctx, s, warmUp.Requests+r.Requests); err != nil {
		return r, err
	}
	b.Say("allocs: %d requests, %d bytes of new memory, %d collections", r.Requests, r.GrownBytes, r.Collections)
	_, err = s.Stop()
	return r, err
}

// allocsUnder looks at the worker before and after a load.
func allocsUnder(ctx context.Context, s *server.Server, worker int, loop *closedloop.Loop, d time.Duration) (r AllocsResult, err error) {
	logBefore, err := s.Log()
	if err != nil {
		return r, err
	}
	before, err := procfs.ResidentMemory(worker)
	if err != nil {
		return r, err
	}
	run, err := loop.Run(ctx, d)
	if err != nil {
		return r, err
	}
	after, err := procfs.ResidentMemory(worker)
	if err != nil {
		return r, err
	}
	logAfter, err := s.Log()
	if err != nil {
		return r, err
	}
	return allocsBound(run.Requests, after.Sub(before).AnonBytes, logBefore, logAfter[len(logBefore):])
}

// allocsBound works out what can have been allocated at most.
func allocsBound(requests uint64, grownBytes int64, logBefore, logDuring string) (AllocsResult, error) {
	earlier, err := collections(logBefore)
	if err != nil {
		return AllocsResult{}, err
	}
	during, err := collections(logDuring)
	if err != nil {
		return AllocsResult{}, err
	}
	r := AllocsResult{Requests: requests, GrownBytes: max(grownBytes, 0), Collections: len(during)}
	for _, c := range during {
		r.CollectedBytes += c.heapBytes
	}
	if all := append(earlier, during...); len(all) > 0 {
		// What it has collected last, a process may have filled again up to its goal before the next collection.
		r.CollectedBytes += all[len(all)-1].goalBytes
	}
	r.BytesPerRequest = float64(r.GrownBytes+r.CollectedBytes) / float64(max(requests, 1))
	r.AllocsPerRequest = r.BytesPerRequest / objectBytesMin
	return r, nil
}

// collection is one garbage collection.
type collection struct {
	heapBytes int64 // at its begin, rounded up
	goalBytes int64 // at which the next one begins
}

// gctrace is a line of GODEBUG=gctrace=1 (package runtime, "Environment Variables").
var gctrace = regexp.MustCompile(`(?m)^gc \d+ @.* (\d+)->\d+->\d+ MB, (\d+) MB goal`)

// collections finds the collections in a log.
func collections(log string) (all []collection, err error) {
	matches := gctrace.FindAllStringSubmatch(log, -1)
	if lines := strings.Count("\n"+log, "\ngc "); lines != len(matches) {
		return nil, fmt.Errorf("measure: %d of %d lines about garbage collections are understood", len(matches), lines)
	}
	for _, m := range matches {
		heapMB, _ := strconv.ParseInt(m[1], 10, 32) // digits, by the expression
		goalMB, _ := strconv.ParseInt(m[2], 10, 32)
		all = append(all, collection{heapBytes: (heapMB + 1) << 20, goalBytes: (goalMB + 1) << 20})
	}
	return all, nil
}
