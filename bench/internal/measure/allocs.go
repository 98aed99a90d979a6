package measure

import (
	"context"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"tradechat.internal/testkit/closedloop"
	"tradechat.internal/testkit/figure"
	"tradechat.internal/testkit/procfs"
	"tradechat.internal/testkit/server"
)

// AllocsOptions says how much to send.
type AllocsOptions struct {
	Connections int
	Depth       int // requests of a connection on their way at once
	Duration    time.Duration
}

// DefaultAllocsOptions is what the reported figure is measured with: few connections, because gnet makes itself another
// list of events whenever the number of those that are ready crosses 32, 64 or 128, and those lists are no requests'. Sixteen requests of
// each make the many requests that the megabytes of a garbage collection are to be divided by.
func DefaultAllocsOptions() AllocsOptions {
	return AllocsOptions{Connections: 16, Depth: 16, Duration: 8 * time.Second}
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
// allocated, but memory that is allocated is either new to the process, which the kernel sees, or was freed by a garbage
// collection, which the Go runtime reports when it is started with GODEBUG=gctrace=1.
type AllocsResult struct {
	Requests        uint64  `json:"requests"`
	GrownBytes      int64   `json:"grown_bytes"`       // of the worker's anonymous memory
	Collections     int     `json:"collections"`       // in any process of the server in the time
	FreedBytes      int64   `json:"freed_bytes"`       // at most, by these, and by earlier ones if it can have been filled again
	BytesPerRequest float64 `json:"bytes_per_request"` // at most
}

// Figures is the number of objects that the bytes can have been. The runtime's bookkeeping leaves room for a few bytes a
// request, which are no whole object.
func (r AllocsResult) Figures() []figure.Figure {
	detail := fmt.Sprintf("at most %.2g bytes of heap each, and an object has %d or more: %d KiB of new memory and %d garbage collections in %d TRANSFERs",
		r.BytesPerRequest, objectBytesMin, r.GrownBytes>>10, r.Collections, r.Requests)
	objects := math.Round(r.BytesPerRequest / objectBytesMin)
	return []figure.Figure{figure.New("server: heap allocations per request in steady state", objects, "", allocsTarget, detail)}
}

// Allocs bounds the heap allocations of a request.
func (b Bench) Allocs(ctx context.Context, o AllocsOptions) (r AllocsResult, err error) {
	if err := o.Validate(); err != nil {
		return r, err
	}
	// No snapshots: their copies of the books are no requests' either.
	s, err := server.Start(ctx, b.Binaries, server.Options{
		Workers: 1, Args: []string{"--snapshot-every", "1000000000"}, Env: []string{"GODEBUG=gctrace=1"},
	})
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
	if err := s.CheckTransfers(ctx, warmUp.Requests+r.Requests); err != nil {
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
		r.FreedBytes += c.freedBytes
	}
	if all := append(earlier, during...); len(all) > 0 {
		// What the last one has freed may have been filled again, up to its goal: then there would have been another.
		r.FreedBytes += all[len(all)-1].roomBytes
	}
	r.BytesPerRequest = float64(r.GrownBytes+r.FreedBytes) / float64(max(requests, 1))
	return r, nil
}

// collection is one garbage collection. The runtime writes whole megabytes; these are what they can be at most.
type collection struct {
	freedBytes int64
	roomBytes  int64 // from what was left to the heap at which the next one begins
}

// gctrace is a line of GODEBUG=gctrace=1 (package runtime, "Environment Variables").
var gctrace = regexp.MustCompile(`(?m)^gc \d+ @.* (\d+)->\d+->(\d+) MB, (\d+) MB goal`)

// collections finds the collections in a log.
func collections(log string) (all []collection, err error) {
	matches := gctrace.FindAllStringSubmatch(log, -1)
	if lines := strings.Count("\n"+log, "\ngc "); lines != len(matches) {
		return nil, fmt.Errorf("measure: %d of %d lines about garbage collections are understood", len(matches), lines)
	}
	for _, m := range matches {
		var mb [3]int64 // at the begin, at the end, at which the next begins
		for i := range mb {
			mb[i], _ = strconv.ParseInt(m[i+1], 10, 32) // digits, by the expression
		}
		all = append(all, collection{freedBytes: (mb[0] + 1 - mb[1]) << 20, roomBytes: (mb[2] + 1 - mb[1]) << 20})
	}
	return all, nil
}
