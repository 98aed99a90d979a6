package measure

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"tradechat.internal/testkit/figure"
	"tradechat.internal/testkit/procfs"
	"tradechat.internal/testkit/server"
	"tradechat.internal/testkit/session"
)

var (
	// ErrDescriptors says that this process may not open as many connections as were asked for.
	ErrDescriptors = errors.New("too few descriptors")

	// ErrNotQuiet says that memory still changed after quietMax.
	ErrNotQuiet = errors.New("resident memory does not settle")
)

// IdleMemoryOptions says how many connections to keep.
type IdleMemoryOptions struct {
	Workers     int
	Connections int
}

// DefaultIdleMemoryOptions is what the reported figure is measured with.
func DefaultIdleMemoryOptions() IdleMemoryOptions {
	return IdleMemoryOptions{Workers: 2, Connections: 10_000}
}

// Validate checks every setting.
func (o IdleMemoryOptions) Validate() error {
	return errors.Join(
		within("workers", o.Workers, 1, WorkersMax),
		within("connections", o.Connections, 1, ConnectionsMax),
		enoughDescriptors(o.Connections),
	)
}

func enoughDescriptors(connections int) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("measure: RLIMIT_NOFILE: %w", err)
	}
	if need := uint64(connections + descriptorsSpare); limit.Cur < need {
		return fmt.Errorf("measure: %w: %d connections need %d, this process may open %d; see `ulimit -n`",
			ErrDescriptors, connections, need, limit.Cur)
	}
	return nil
}

// ProcessMemory is one process of the server before and with the connections.
type ProcessMemory struct {
	Role   string        `json:"role"`
	Before procfs.Memory `json:"before"`
	With   procfs.Memory `json:"with"`
}

// IdleMemoryResult is what the connections took.
type IdleMemoryResult struct {
	Connections int             `json:"connections"`
	Processes   []ProcessMemory `json:"processes"`

	// Bytes a connection, over all processes.
	AnonBytesEach    float64 `json:"anon_bytes_each"`
	PrivateBytesEach float64 `json:"private_bytes_each"` // with pages of the program that were not needed before
	ShmemBytesEach   float64 `json:"shmem_bytes_each"`   // pages of the segment that were not touched before, counted in each process
}

// Figures is the private memory of a connection.
func (r IdleMemoryResult) Figures() []figure.Figure {
	what := fmt.Sprintf("resident memory of an idle logged-in connection, %d connections", r.Connections)
	detail := fmt.Sprintf("over the start, all processes together, without the shared segment; %.0f bytes of it are anonymous", r.AnonBytesEach)
	return []figure.Figure{figure.New(what, r.PrivateBytesEach/1024, "KiB", idleMemoryTarget, detail)}
}

// IdleMemory measures what connections cost that are logged in and do nothing.
func (b Bench) IdleMemory(ctx context.Context, o IdleMemoryOptions) (r IdleMemoryResult, err error) {
	if err := o.Validate(); err != nil {
		return r, err
	}
	s, err := server.Start(ctx, b.Binaries, server.Options{Workers: o.Workers, Args: []string{
		"--max-sessions", strconv.Itoa(max(o.Connections, sessionsLeast)), "--idle-timeout", "1h",
	}})
	if err != nil {
		return r, err
	}
	defer s.Discard()
	users, err := s.AddUsers(ctx, 1, 0)
	if err != nil {
		return r, err
	}
	pids, err := s.PIDs(ctx)
	if err != nil {
		return r, err
	}
	before, err := settled(ctx, pids)
	if err != nil {
		return r, err
	}
	conns, err := b.idlers(ctx, s.Address, users[0], o.Connections)
	defer closeConns(conns)
	if err != nil {
		return r, err
	}
	with, err := settled(ctx, pids)
	if err != nil {
		return r, err
	}
	if err := stillOpen(ctx, s, len(conns)); err != nil {
		return r, err
	}
	closeConns(conns)
	_, err = s.Stop()
	return idleMemoryResult(before, with, o.Connections), err
}

func idleMemoryResult(before, with []procfs.Memory, connections int) IdleMemoryResult {
	r := IdleMemoryResult{Connections: connections}
	var grown procfs.Memory
	for i := range before {
		role := "master"
		if i > 0 {
			role = fmt.Sprintf("worker %d", i-1)
		}
		r.Processes = append(r.Processes, ProcessMemory{Role: role, Before: before[i], With: with[i]})
		grown = grown.Add(with[i].Sub(before[i]))
	}
	each := func(bytes int64) float64 { return float64(bytes) / float64(connections) }
	r.AnonBytesEach, r.PrivateBytesEach, r.ShmemBytesEach = each(grown.AnonBytes), each(grown.PrivateBytes()), each(grown.ShmemBytes)
	return r
}

// idlers logs the user in n times. It returns the connections that there are, on an error too.
func (b Bench) idlers(ctx context.Context, address string, u server.User, n int) (conns []*session.Conn, err error) {
	for i := range n {
		c, err := session.Open(ctx, address, u.Name, u.Keys)
		if err != nil {
			return conns, fmt.Errorf("measure: connection %d: %w", i+1, err)
		}
		conns = append(conns, c)
		if len(conns)%2500 == 0 {
			b.Say("idle-memory: %d of %d connections are logged in", len(conns), n)
		}
	}
	return conns, nil
}

func closeConns(conns []*session.Conn) {
	for _, c := range conns {
		_ = c.Close()
	}
}

// stillOpen makes sure that what was measured was there.
func stillOpen(ctx context.Context, s *server.Server, n int) error {
	stats, err := s.Stats(ctx)
	if err == nil && stats.Connections != uint64(n) {
		err = fmt.Errorf("measure: %w: %d connections were opened, the server has %d", server.ErrDisagree, n, stats.Connections)
	}
	return err
}

// settled waits until the processes' private memory has not changed for quietFor, and returns it.
func settled(ctx context.Context, pids []int) ([]procfs.Memory, error) {
	ticker := time.NewTicker(quietEvery)
	defer ticker.Stop()
	var q quiet
	for begin := time.Now(); ; {
		memories, private, err := memoryOf(pids)
		if err != nil {
			return nil, err
		}
		now := time.Now()
		if q.observe(private, now) >= quietFor {
			return memories, nil
		}
		if now.Sub(begin) > quietMax {
			return nil, fmt.Errorf("measure: %w: still changing after %v", ErrNotQuiet, quietMax)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// quiet is the range of a size since it last left a range of quietBytes.
type quiet struct {
	low, high int64
	since     time.Time
}

// observe takes the size that there is now, and returns for how long it has been quiet.
func (q *quiet) observe(bytes int64, now time.Time) time.Duration {
	q.low, q.high = min(q.low, bytes), max(q.high, bytes)
	if q.since.IsZero() || q.high-q.low > quietBytes {
		*q = quiet{bytes, bytes, now}
	}
	return now.Sub(q.since)
}

// memoryOf reads every process, and adds up what is private.
func memoryOf(pids []int) (memories []procfs.Memory, private int64, err error) {
	for _, pid := range pids {
		m, err := procfs.ResidentMemory(pid)
		if err != nil {
			return nil, 0, err
		}
		memories = append(memories, m)
		private += m.PrivateBytes()
	}
	return memories, private, nil
}
