package cli

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/pflag"

	"tradechat.internal/bench/internal/measure"
	"tradechat.internal/testkit/commandline"
	"tradechat.internal/testkit/figure"
	"tradechat.internal/testkit/proc"
)

// measurements are the rows, in the order of their figures; each call makes settings of its own.
func measurements() []*commandline.Measurement {
	return []*commandline.Measurement{goBench(), allocs(), echo(), idleMemory(), respawn(), durability(), warmStart()}
}

func goBench() *commandline.Measurement {
	o := measure.DefaultGoBenchOptions()
	return &commandline.Measurement{
		Name:  "go-bench",
		Short: "The Go benchmarks of libproto and shmstore",
		Long: `Builds the tests of the libraries with the Go tool and runs the benchmarks that are figures: a TRANSFER frame encoded and
decoded, one transfer alone, two processes transferring among 1,024 accounts, the journal's fold, hash and write alone, and the
replay of a long journal. The median of the runs counts; the replay is run once.`,
		Example: `  tradechat-bench go-bench --count 10
  tradechat-bench go-bench --bench-output bench.txt`,
		AddFlags: func(f *pflag.FlagSet) {
			f.StringVar(&o.Go, "go", o.Go, "the Go `command`")
			f.StringVar(&o.Source, "source", o.Source, "`folder` of the source tree (default the one above the programs' folder)")
			f.StringVar(&o.Output, "bench-output", o.Output, "`file` to read, instead of running them: what go test -bench -benchmem has printed")
			f.DurationVar(&o.Time, "benchtime", o.Time, "duration of a run")
			f.IntVar(&o.Count, "count", o.Count, "`number` of runs")
			f.IntVar(&o.ReplayRecords, "replay-records", o.ReplayRecords, "`number` of records of the journal that is replayed")
			f.IntVar(&o.ReplayAccounts, "replay-accounts", o.ReplayAccounts, "`number` of accounts that these are about")
		},
		Validate: func() error { return o.Validate() },
		Quicken: func() {
			o.Time, o.Count, o.ReplayRecords, o.ReplayAccounts = 10*time.Millisecond, 1, 30_000, 1000
		},
		Run: func(ctx context.Context, b proc.Bench) (figure.Result, error) {
			return measure.Bench(b).GoBench(ctx, o)
		},
	}
}

func allocs() *commandline.Measurement {
	o := measure.DefaultAllocsOptions()
	return &commandline.Measurement{
		Name:  "allocs",
		Short: "Heap allocations per request of the running server",
		Long: `Sends TRANSFERs to a server with one worker and finds the most that its heap can have been given out meanwhile: memory that is
allocated is either new to the process, which the kernel counts, or was freed by a garbage collection, which the Go runtime
reports (GODEBUG=gctrace=1). That bound, divided by the smallest object's 8 bytes and rounded, is the figure. With 32 connections
and more, gnet makes itself other lists of events now and then, and collections find those.`,
		Example: `  tradechat-bench allocs
  tradechat-bench allocs --depth 64`,
		AddFlags: func(f *pflag.FlagSet) {
			f.IntVar(&o.Connections, "connections", o.Connections, "`number` of connections")
			f.IntVar(&o.Depth, "depth", o.Depth, "`number` of requests of a connection on their way at once")
			f.DurationVar(&o.Duration, "duration", o.Duration, "duration of the load")
		},
		Validate: func() error { return o.Validate() },
		Quicken:  func() { o.Duration = 300 * time.Millisecond },
		Run:      func(ctx context.Context, b proc.Bench) (figure.Result, error) { return measure.Bench(b).Allocs(ctx, o) },
	}
}

func echo() *commandline.Measurement {
	o := measure.DefaultEchoOptions()
	return &commandline.Measurement{
		Name:  "echo",
		Short: "Server CPU per request against a bare gnet echo",
		Long: `Drives tradechatd and an echo server of a few lines of gnet with the same client and the same TRANSFER frames, one request of a
connection on its way at a time, in turns (A B A B). The echo answers as many bytes as a TRANSFER's answer has. Processor
time is that of all processes of a server, user and system, by their CPU-time clocks: the journal's belongs to it, but as an echo
waits for no disk, neither does the server unless told to. The median of the ratios counts.`,
		Example: `  tradechat-bench echo
  tradechat-bench echo --durability sync
  tradechat-bench echo --workers 2 --rounds 10`,
		AddFlags: func(f *pflag.FlagSet) {
			f.IntVar(&o.Workers, "workers", o.Workers, "`number` of workers, and of loops of the echo")
			f.IntVar(&o.Connections, "connections", o.Connections, "`number` of connections to each")
			f.IntVar(&o.Rounds, "rounds", o.Rounds, "`number` of rounds of each")
			f.DurationVar(&o.Duration, "duration", o.Duration, "duration of a round")
			f.StringVar(&o.Durability, "durability", o.Durability, "the server's `mode`: sync, async or none")
		},
		Validate: func() error { return o.Validate() },
		Quicken:  func() { o.Connections, o.Rounds, o.Duration = 20, 2, 100*time.Millisecond },
		Run:      func(ctx context.Context, b proc.Bench) (figure.Result, error) { return measure.Bench(b).Echo(ctx, o) },
	}
}

func idleMemory() *commandline.Measurement {
	o := measure.DefaultIdleMemoryOptions()
	return &commandline.Measurement{
		Name:  "idle-memory",
		Short: "Resident memory of an idle logged-in connection",
		Long: `Logs many connections in, waits until the memory of the server's processes does not change any more, and compares it with that
after the start: anonymous memory and pages of the program, of all processes together, without the shared segment.`,
		Example: `  tradechat-bench idle-memory --connections 5000`,
		AddFlags: func(f *pflag.FlagSet) {
			f.IntVar(&o.Workers, "workers", o.Workers, "`number` of workers")
			f.IntVar(&o.Connections, "connections", o.Connections, "`number` of connections; each needs a descriptor here (ulimit -n)")
		},
		Validate: func() error { return o.Validate() },
		Quicken:  func() { o.Connections = 300 },
		Run: func(ctx context.Context, b proc.Bench) (figure.Result, error) {
			return measure.Bench(b).IdleMemory(ctx, o)
		},
	}
}

func respawn() *commandline.Measurement {
	o := measure.DefaultRespawnOptions()
	return &commandline.Measurement{
		Name:  "respawn",
		Short: "From kill -9 of a worker to its successor's first answer",
		Long: `Kills one worker after the other and opens connections at once, each of which says HELLO. Those that the kernel has queued on the
killed worker's socket are known by the process that holds them in the end; the time counts from the kill to the first
of their answers. A connection that is not answered is an error. Every kill must meet the target.`,
		Example: `  tradechat-bench respawn --workers 4 --rounds 40`,
		AddFlags: func(f *pflag.FlagSet) {
			f.IntVar(&o.Workers, "workers", o.Workers, "`number` of workers")
			f.IntVar(&o.Rounds, "rounds", o.Rounds, "`number` of kills")
			f.IntVar(&o.Connections, "connections", o.Connections, "`number` of connections after each kill, over all workers' sockets")
		},
		Validate: func() error { return o.Validate() },
		Quicken:  func() { o.Rounds = 2 },
		Run: func(ctx context.Context, b proc.Bench) (figure.Result, error) {
			return measure.Bench(b).Respawn(ctx, o)
		},
	}
}

func durability() *commandline.Measurement {
	o := measure.DefaultDurabilityOptions()
	return &commandline.Measurement{
		Name:  "durability",
		Short: "What waiting for the disk costs: --durability sync against none",
		Long: `Runs two servers, one that waits for the disk before it answers and one that does not, and drives them in turns (A B A B) with the
load generator's trade mix, one request of a connection at a time and then 16. Then it drives both at half of the first one's
throughput from an open loop, which sends at a fixed rate and counts from when each request was due, and compares the median
latencies with one fdatasync on the same disk, measured between the rounds.`,
		Example: `  tradechat-bench durability
  tradechat-bench durability --rounds 10 --duration 5s`,
		AddFlags: func(f *pflag.FlagSet) {
			f.IntVar(&o.Workers, "workers", o.Workers, "`number` of workers of each server")
			f.IntVar(&o.Connections, "connections", o.Connections, "`number` of connections")
			f.IntVar(&o.Rounds, "rounds", o.Rounds, "`number` of rounds of each")
			f.DurationVar(&o.Duration, "duration", o.Duration, "duration of a round")
		},
		Validate: func() error { return o.Validate() },
		Quicken:  func() { o.Connections, o.Rounds, o.Duration = 20, 1, 200*time.Millisecond },
		Run: func(ctx context.Context, b proc.Bench) (figure.Result, error) {
			return measure.Bench(b).Durability(ctx, o)
		},
	}
}

func warmStart() *commandline.Measurement {
	o := measure.DefaultWarmStartOptions()
	return &commandline.Measurement{
		Name:  "warm-start",
		Short: "From kill -9 of everything under load to the next start's ready line",
		Long: `Kills all processes of a server that is under load, and starts it again on the segment and the journal that they left. The time
counts from the exec of the next master to its ready line: by then everything is repaired, compared with the disk, and served.`,
		Example: `  tradechat-bench warm-start --rounds 20`,
		AddFlags: func(f *pflag.FlagSet) {
			f.IntVar(&o.Workers, "workers", o.Workers, "`number` of workers")
			f.IntVar(&o.Users, "users", o.Users, "`number` of users in the books")
			f.IntVar(&o.Connections, "connections", o.Connections, "`number` of connections of the load")
			f.IntVar(&o.Rounds, "rounds", o.Rounds, "`number` of kills")
			f.DurationVar(&o.Duration, "duration", o.Duration, "duration of the load before a kill")
		},
		Validate: func() error { return o.Validate() },
		Quicken:  func() { o.Users, o.Connections, o.Rounds, o.Duration = 50, 10, 2, 100*time.Millisecond },
		Run: func(ctx context.Context, b proc.Bench) (figure.Result, error) {
			return measure.Bench(b).WarmStart(ctx, o)
		},
	}
}

// validateAll checks the settings of several rows.
func validateAll(rows []*commandline.Measurement) (err error) {
	for _, m := range rows {
		err = errors.Join(err, m.Validate())
	}
	return err
}
