package measure

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"tradechat.internal/testkit/clock"
	"tradechat.internal/testkit/figure"
	"tradechat.internal/testkit/procfs"
	"tradechat.internal/testkit/sample"
	"tradechat.internal/testkit/server"
	"tradechat.internal/testkit/session"
)

var (
	// ErrLost says that connections were not served that were opened while a worker was down.
	ErrLost = errors.New("connections were lost")

	// ErrNoneQueued says that no connection happened to wait for the successor.
	ErrNoneQueued = errors.New("no connection landed on the killed worker's socket")
)

// RespawnOptions says how often to kill.
type RespawnOptions struct {
	Workers     int
	Rounds      int
	Connections int // opened after each kill, over all workers' sockets
}

// DefaultRespawnOptions is what the reported figure is measured with.
func DefaultRespawnOptions() RespawnOptions {
	return RespawnOptions{Workers: 2, Rounds: 20, Connections: 64}
}

// Validate checks every setting.
func (o RespawnOptions) Validate() error {
	return errors.Join(
		within("workers", o.Workers, 2, WorkersMax),
		within("rounds", o.Rounds, 1, RoundsMax),
		within("connections", o.Connections, 1, 4096),
	)
}

// RespawnRound is one kill. Times count from just before kill(2).
type RespawnRound struct {
	Slot      int     `json:"slot"`
	Opened    int     `json:"opened"`     // connections
	Queued    int     `json:"queued"`     // of these, on the killed worker's socket
	FirstMs   float64 `json:"first_ms"`   // until the successor answered the first of them
	LastMs    float64 `json:"last_ms"`    // … and the last
	RunningMs float64 `json:"running_ms"` // until SERVER_STATS showed the successor
}

// RespawnResult is all kills.
type RespawnResult struct {
	Workers   int            `json:"workers"`
	Rounds    []RespawnRound `json:"rounds"`
	FirstMs   sample.Spread  `json:"first_ms"`
	LastMs    sample.Spread  `json:"last_ms"`
	RunningMs sample.Spread  `json:"running_ms"`
}

// Figures is the slowest of all kills: the target is meant for each.
func (r RespawnResult) Figures() []figure.Figure {
	opened := 0
	for _, round := range r.Rounds {
		opened += round.Opened
	}
	detail := fmt.Sprintf("the slowest of %d kills, their median is %.1f ms; all of %d connections were served, the last %.1f ms after the kill",
		len(r.Rounds), r.FirstMs.Median, opened, r.LastMs.Max)
	f := figure.New("kill -9 of a worker → first request served by its successor", r.FirstMs.Max, "ms", respawnTarget, detail)
	f.Spread = &r.FirstMs
	return []figure.Figure{f}
}

// Respawn kills workers and measures until their successors serve.
func (b Bench) Respawn(ctx context.Context, o RespawnOptions) (r RespawnResult, err error) {
	if err := o.Validate(); err != nil {
		return r, err
	}
	s, err := server.Start(ctx, b.Binaries, server.Options{Workers: o.Workers})
	if err != nil {
		return r, err
	}
	defer s.Discard()
	k, err := newKiller(ctx, s)
	if err != nil {
		return r, err
	}
	defer k.admin.Close()
	r.Workers = o.Workers
	for i := range o.Rounds {
		round, err := k.round(ctx, i%o.Workers, o.Connections)
		if err != nil {
			return r, err
		}
		r.Rounds = append(r.Rounds, round)
		b.Say("respawn: kill %d of %d: first answer after %.1f ms, %d connections waited", i+1, o.Rounds, round.FirstMs, round.Queued)
	}
	r.sumUp()
	_, err = s.Stop()
	return r, err
}

func (r *RespawnResult) sumUp() {
	var first, last, running []float64
	for _, round := range r.Rounds {
		first, last, running = append(first, round.FirstMs), append(last, round.LastMs), append(running, round.RunningMs)
	}
	r.FirstMs, r.LastMs, r.RunningMs = sample.Of(first), sample.Of(last), sample.Of(running)
}

// killer kills the workers of one server.
type killer struct {
	server  *server.Server
	address netip.AddrPort
	admin   server.Admin
	born    []time.Time // by slot: when the present process was first seen to run
}

func newKiller(ctx context.Context, s *server.Server) (*killer, error) {
	address, err := netip.ParseAddrPort(s.Address)
	if err != nil {
		return nil, fmt.Errorf("measure: address of the server: %w", err)
	}
	admin, err := s.DialAdmin(ctx)
	if err != nil {
		return nil, err
	}
	stats, err := admin.Stats(ctx)
	if err != nil {
		return nil, errors.Join(err, admin.Close())
	}
	return &killer{server: s, address: address, admin: admin, born: slices.Repeat([]time.Time{time.Now()}, len(stats.Workers))}, nil
}

// round kills the worker of a slot and opens connections.
func (k *killer) round(ctx context.Context, slot, connections int) (r RespawnRound, err error) {
	if err := clock.Sleep(ctx, time.Until(k.born[slot].Add(stableFor))); err != nil {
		return r, err
	}
	stats, err := k.admin.Stats(ctx)
	if err != nil {
		return r, err
	}
	victim := stats.Workers[slot]
	killed := time.Now()
	if err := unix.Kill(victim.PID, unix.SIGKILL); err != nil {
		return r, fmt.Errorf("measure: kill %d: %w", victim.PID, err)
	}
	visitors := visit(ctx, k.server.Address, connections)
	successor, seen, err := k.admin.AwaitSuccessor(ctx, victim)
	arrived := visitors.wait()
	defer arrived.close()
	if err == nil {
		err = arrived.lost()
	}
	if err != nil {
		return r, err
	}
	k.born[slot] = seen
	queued, err := arrived.servedBy(successor.PID, k.address)
	if err != nil {
		return r, err
	}
	return RespawnRound{
		Slot: slot, Opened: connections, Queued: len(queued), RunningMs: clock.Millis(seen.Sub(killed)),
		FirstMs: clock.Millis(queued[0].Sub(killed)), LastMs: clock.Millis(queued[len(queued)-1].Sub(killed)),
	}, nil
}

// visitor is one connection that says HELLO as soon as it is open.
type visitor struct {
	conn   *session.Conn
	served time.Time
	err    error
}

type visitors []visitor

// visits are visitors on their way.
type visits struct {
	all  visitors
	done sync.WaitGroup
}

func visit(ctx context.Context, address string, n int) *visits {
	v := &visits{all: make(visitors, n)}
	for i := range v.all {
		v.done.Go(func() { v.all[i].visit(ctx, address) })
	}
	return v
}

func (v *visitor) visit(ctx context.Context, address string) {
	if v.conn, v.err = session.Dial(ctx, address); v.err == nil {
		_, v.err = v.conn.Hello()
		v.served = time.Now()
	}
}

func (v *visits) wait() visitors {
	v.done.Wait()
	return v.all
}

func (v visitors) close() {
	for i := range v {
		if v[i].conn != nil {
			_ = v[i].conn.Close()
		}
	}
}

// lost is an error if not everybody was served.
func (v visitors) lost() error {
	var failures []error
	for i := range v {
		if v[i].err != nil {
			failures = append(failures, v[i].err)
		}
	}
	if len(failures) == 0 {
		return nil
	}
	return fmt.Errorf("measure: %w: %d of %d; the first: %w", ErrLost, len(failures), len(v), failures[0])
}

// servedBy says when the visitors were served that a process has accepted, in order of time.
func (v visitors) servedBy(pid int, server netip.AddrPort) (times []time.Time, err error) {
	ports, err := procfs.ClientPorts(pid, server)
	if err != nil {
		return nil, err
	}
	for i := range v {
		if ports[v[i].conn.LocalPort()] {
			times = append(times, v[i].served)
		}
	}
	if len(times) == 0 {
		return nil, fmt.Errorf("measure: %w: open more than %d connections", ErrNoneQueued, len(v))
	}
	slices.SortFunc(times, time.Time.Compare)
	return times, nil
}
