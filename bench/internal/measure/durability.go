package measure

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"tradechat.internal/testkit/clock"
	"tradechat.internal/testkit/figure"
	"tradechat.internal/testkit/load"
	"tradechat.internal/testkit/openloop"
	"tradechat.internal/testkit/sample"
	"tradechat.internal/testkit/server"
)

// DurabilityOptions says how to compare --durability sync with none.
type DurabilityOptions struct {
	Workers     int
	Connections int
	Rounds      int           // of each server, at each depth
	Duration    time.Duration // of a round
}

// DefaultDurabilityOptions is what the reported figures are measured with.
func DefaultDurabilityOptions() DurabilityOptions {
	return DurabilityOptions{Workers: 2, Connections: 100, Rounds: 5, Duration: 3 * time.Second}
}

// Validate checks every setting.
func (o DurabilityOptions) Validate() error {
	return errors.Join(
		within("workers", o.Workers, 1, WorkersMax),
		within("connections", o.Connections, 2, ConnectionsMax),
		within("rounds", o.Rounds, 1, RoundsMax),
		within("duration", o.Duration, 100*time.Millisecond, time.Hour),
	)
}

// DurabilityRound is one round of each server at one depth.
type DurabilityRound struct {
	Depth int     `json:"depth"`
	Sync  float64 `json:"sync_requests_per_s"`
	None  float64 `json:"none_requests_per_s"`
	Ratio float64 `json:"ratio"`
}

// DurabilityResult is the comparison.
type DurabilityResult struct {
	Rounds          []DurabilityRound `json:"rounds"`
	Ratio           sample.Spread     `json:"ratio"`                   // one request of a connection at a time
	RatioPipelined  sample.Spread     `json:"ratio_pipelined"`         // 16
	GroupRecords    float64           `json:"group_records"`           // that the sync server wrote at once, one request of a connection at a time
	GroupPipelined  float64           `json:"group_records_pipelined"` // 16
	HalfLoad        float64           `json:"half_load_per_s"`         // half of what the sync server does
	AddedUs         sample.Spread     `json:"added_us"`                // p50 at half load, sync less none
	SyncUs          sample.Spread     `json:"sync_p50_us"`             // p50 at half load
	NoneUs          sample.Spread     `json:"none_p50_us"`             // likewise
	FdatasyncUs     sample.Spread     `json:"fdatasync_us"`            // 4 KiB, between the rounds
	AddedFdatasyncs sample.Spread     `json:"added_in_fdatasync"`      // added ÷ fdatasync, round by round
}

const (
	pipelinedDepth = 16
	fdatasyncs     = 200
	fdatasyncBytes = 4 << 10
)

// Figures are the two ratios and the added latency.
func (r DurabilityResult) Figures() []figure.Figure {
	ratio := func(what string, s sample.Spread, group float64) figure.Figure {
		return figure.OfSpread("throughput of --durability sync ÷ none, "+what, s, "×", durabilityTarget, fmt.Sprintf("trade mix; %.0f records a sync", group))
	}
	detail := fmt.Sprintf("%.0f µs against %.0f µs at %.0f/s, and one fdatasync of 4 KiB takes %.0f µs", r.SyncUs.Median, r.NoneUs.Median, r.HalfLoad, r.FdatasyncUs.Median)
	return []figure.Figure{
		ratio("100 connections", r.Ratio, r.GroupRecords),
		ratio("100 connections, 16 requests each under way", r.RatioPipelined, r.GroupPipelined),
		figure.OfSpread("latency that sync adds at half load, p50", r.AddedFdatasyncs, "fdatasyncs", addedLatencyTarget, detail),
	}
}

// Durability compares servers that do and do not wait for the disk.
func (b Bench) Durability(ctx context.Context, o DurabilityOptions) (r DurabilityResult, err error) {
	if err := o.Validate(); err != nil {
		return r, err
	}
	sync, err := b.durabilityServer(ctx, o, "sync")
	if err != nil {
		return r, err
	}
	defer sync.Discard()
	none, err := b.durabilityServer(ctx, o, "none")
	if err != nil {
		return r, err
	}
	defer none.Discard()
	for _, depth := range []int{1, pipelinedDepth} {
		if err := b.compareThroughput(ctx, o, depth, sync, none, &r); err != nil {
			return r, err
		}
	}
	if err := b.compareLatency(ctx, o, sync, none, &r); err != nil {
		return r, err
	}
	_, syncErr := sync.Stop()
	_, noneErr := none.Stop()
	return r, errors.Join(syncErr, noneErr)
}

func (b Bench) durabilityServer(ctx context.Context, o DurabilityOptions, mode string) (*server.Server, error) {
	return server.Start(ctx, b.Binaries, server.Options{Workers: o.Workers, Args: []string{
		"--durability", mode, "--registration", "open", "--idle-timeout", "1h",
	}})
}

// compareThroughput runs the load generator against each in turns: A B A B.
func (b Bench) compareThroughput(ctx context.Context, o DurabilityOptions, depth int, sync, none *server.Server, r *DurabilityResult) error {
	before, err := sync.Stats(ctx)
	if err != nil {
		return err
	}
	var ratios []float64
	for i := range o.Rounds {
		round := DurabilityRound{Depth: depth}
		if round.Sync, err = b.generate(ctx, sync, o, depth); err != nil {
			return err
		}
		if round.None, err = b.generate(ctx, none, o, depth); err != nil {
			return err
		}
		round.Ratio = round.Sync / round.None
		ratios = append(ratios, round.Ratio)
		r.Rounds = append(r.Rounds, round)
		b.Say("durability: depth %d, round %d of %d: sync %.0f/s, none %.0f/s: %.3f ×", depth, i+1, o.Rounds, round.Sync, round.None, round.Ratio)
	}
	after, err := sync.Stats(ctx)
	if err != nil {
		return err
	}
	group := float64(after.Journal.Head-before.Journal.Head) / float64(max(after.Journal.Groups-before.Journal.Groups, 1))
	if depth == 1 {
		r.Ratio, r.GroupRecords = sample.Of(ratios), group
	} else {
		r.RatioPipelined, r.GroupPipelined = sample.Of(ratios), group
	}
	return nil
}

// generate runs tradechat-loadgen's trade mix once, whose own verdict must be good.
func (b Bench) generate(ctx context.Context, s *server.Server, o DurabilityOptions, depth int) (perSecond float64, err error) {
	unix.Sync() // what the other server has left in memory is not to be written during this one's round
	l, err := load.Start(b.Binaries, load.Options{Server: s.Address, Args: []string{
		"--mix", "trade", "--connections", strconv.Itoa(o.Connections), "--pipeline", strconv.Itoa(depth),
		"--threads", "2", "--duration", o.Duration.String(),
	}})
	if err != nil {
		return 0, err
	}
	defer l.Discard()
	result, err := l.Wait(ctx)
	return result.PerSecond, err
}

// compareLatency drives both at half of what the sync server does at most, from an open loop.
func (b Bench) compareLatency(ctx context.Context, o DurabilityOptions, sync, none *server.Server, r *DurabilityResult) error {
	var rates []float64
	for _, round := range r.Rounds {
		if round.Depth == 1 {
			rates = append(rates, round.Sync)
		}
	}
	r.HalfLoad = sample.Of(rates).Median / 2
	syncLoop, err := openTraders(ctx, sync, o.Connections)
	if err != nil {
		return err
	}
	defer syncLoop.Close()
	noneLoop, err := openTraders(ctx, none, o.Connections)
	if err != nil {
		return err
	}
	defer noneLoop.Close()
	var syncUs, noneUs, added, disk, inDisk []float64
	for i := range o.Rounds {
		unix.Sync()
		s, err := median(syncLoop.Run(ctx, r.HalfLoad, o.Duration))
		if err != nil {
			return err
		}
		unix.Sync()
		n, err := median(noneLoop.Run(ctx, r.HalfLoad, o.Duration))
		if err != nil {
			return err
		}
		d, err := fdatasync(sync.DataFolder())
		if err != nil {
			return err
		}
		syncUs, noneUs, added, disk = append(syncUs, clock.Micros(s)), append(noneUs, clock.Micros(n)), append(added, clock.Micros(s-n)), append(disk, clock.Micros(d))
		inDisk = append(inDisk, float64(s-n)/float64(d))
		b.Say("durability: half load, round %d of %d: p50 sync %.0f µs, none %.0f µs, fdatasync %.0f µs: %.2f", i+1, o.Rounds, clock.Micros(s), clock.Micros(n), clock.Micros(d), inDisk[i])
	}
	r.SyncUs, r.NoneUs, r.AddedUs, r.FdatasyncUs, r.AddedFdatasyncs = sample.Of(syncUs), sample.Of(noneUs), sample.Of(added), sample.Of(disk), sample.Of(inDisk)
	return nil
}

func openTraders(ctx context.Context, s *server.Server, n int) (*openloop.Loop, error) {
	peers, err := s.Traders(ctx, n)
	if err != nil {
		return nil, err
	}
	return openloop.New(peers)
}

func median(run openloop.Result, err error) (time.Duration, error) {
	if err = errors.Join(err, run.Failure); err != nil || len(run.Latencies) == 0 {
		return 0, errors.Join(err, fmt.Errorf("measure: %d answers, %d failures", len(run.Latencies), run.Failed))
	}
	return run.Percentile(50), nil
}

// fdatasync is the median time of a small write and its sync into a file that was written before, on the disk of the journal.
func fdatasync(folder string) (time.Duration, error) {
	file, err := os.CreateTemp(folder, "fdatasync-")
	if err != nil {
		return 0, fmt.Errorf("measure: %w", err)
	}
	defer os.Remove(file.Name())
	defer file.Close()
	if _, err := file.Write(make([]byte, fdatasyncs*fdatasyncBytes)); err != nil {
		return 0, fmt.Errorf("measure: %w", err)
	}
	if err := file.Sync(); err != nil {
		return 0, fmt.Errorf("measure: %w", err)
	}
	block, times := make([]byte, fdatasyncBytes), make([]time.Duration, 0, fdatasyncs)
	for i := range fdatasyncs {
		block[0] = byte(i)
		began := time.Now()
		if _, err := file.WriteAt(block, int64(i)*fdatasyncBytes); err != nil {
			return 0, fmt.Errorf("measure: %w", err)
		}
		if err := unix.Fdatasync(int(file.Fd())); err != nil {
			return 0, fmt.Errorf("measure: %w", err)
		}
		times = append(times, time.Since(began))
	}
	slices.Sort(times)
	return times[len(times)/2], nil
}
