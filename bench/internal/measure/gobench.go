package measure

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"tradechat.internal/testkit/figure"
	"tradechat.internal/testkit/proc"
	"tradechat.internal/testkit/sample"
)

var (
	// ErrNoSource says that there is no source tree to take the benchmarks from.
	ErrNoSource = errors.New("no source tree")

	// ErrNoBenchmark says that a benchmark is not in the output.
	ErrNoBenchmark = errors.New("benchmark not found")
)

// GoBenchOptions says where the benchmarks are and how long they run.
type GoBenchOptions struct {
	Go     string        // the go command
	Source string        // folder of the source tree; "": the one that the programs' folder lies in
	Output string        // file with the output of `go test -bench`, to be read instead
	Time   time.Duration // of one run of one benchmark
	Count  int           // runs of each

	ReplayRecords, ReplayAccounts int // of the journal that is replayed, once
}

// DefaultGoBenchOptions is what the reported figures are measured with.
func DefaultGoBenchOptions() GoBenchOptions {
	return GoBenchOptions{Go: "go", Time: 500 * time.Millisecond, Count: 5, ReplayRecords: 10_000_000, ReplayAccounts: 1_000_000}
}

// Validate checks every setting.
func (o GoBenchOptions) Validate() error {
	return errors.Join(
		within("benchtime", o.Time, time.Millisecond, time.Hour),
		within("count", o.Count, 1, RoundsMax),
		within("replay-accounts", o.ReplayAccounts, 10, 10_000_000),
		within("replay-records", o.ReplayRecords, 3*o.ReplayAccounts, 1_000_000_000),
	)
}

// GoBenchmark is one benchmark's runs.
type GoBenchmark struct {
	NsPerOp     sample.Spread `json:"ns_per_op"`
	AllocsPerOp float64       `json:"allocs_per_op"` // the most of any run
	MillionPerS sample.Spread `json:"million_per_s"` // where the benchmark says so itself
}

// GoBenchResult is by benchmark.
type GoBenchResult struct {
	Benchmarks map[string]GoBenchmark `json:"benchmarks"`

	ReplayRecords  int `json:"replay_records"`
	ReplayAccounts int `json:"replay_accounts"`
}

// The benchmarks that are figures.
const (
	encodeBenchmark       = "BenchmarkEncodeTransfer"
	decodeBenchmark       = "BenchmarkDecodeTransfer"
	transferBenchmark     = "BenchmarkTransfer/account"
	transferRateBenchmark = "BenchmarkTransferTwoProcesses"
	journalBenchmark      = "BenchmarkAppend/group=256"
	recoverBenchmark      = "BenchmarkRecover/group=24"
)

// benchmarkRuns are the modules and which of their benchmarks to run.
var benchmarkRuns = []struct {
	folder, pattern string
	once            bool // one run of one iteration: it takes long, and is measured within
}{
	{"libproto", "^Benchmark(En|De)codeTransfer$", false},
	{"shmstore", "^BenchmarkTransfer$/^account$|^BenchmarkTransferTwoProcesses$", false},
	{"ledger/journal", "^BenchmarkAppend$/^group=256$", false},
	{"ledger/journal", "^BenchmarkRecover$/^group=24$", true},
}

// Figures are those of the two libraries.
func (r GoBenchResult) Figures() []figure.Figure {
	perOp := func(what, name string, target figure.Target) figure.Figure {
		b := r.Benchmarks[name]
		f := figure.OfSpread(what, b.NsPerOp, "ns", target, fmt.Sprintf("%v allocations", b.AllocsPerOp))
		f.Met = f.Met && b.AllocsPerOp == 0
		return f
	}
	perSecond := inverse(r.Benchmarks[transferRateBenchmark].NsPerOp)
	replay := r.Benchmarks[recoverBenchmark]
	journal := r.Benchmarks[journalBenchmark]
	return []figure.Figure{
		perOp("libproto: encode a TRANSFER frame with its checksum", encodeBenchmark, encodeTarget),
		perOp("libproto: decode a TRANSFER frame with its checksum", decodeBenchmark, decodeTarget),
		perOp("shmstore: one transfer, uncontended", transferBenchmark, transferTarget),
		figure.OfSpread("shmstore: transfers of two processes on 1,024 accounts", perSecond, "million/s", transferRateTarget, ""),
		figure.OfSpread("journal: fold, hash and write, the process alone", inverse(journal.NsPerOp), "million records/s", journalTarget, fmt.Sprintf("groups of 256, 50,000 accounts, %v allocations", journal.AllocsPerOp)),
		figure.OfSpread(fmt.Sprintf("cold start: %d million records of %d accounts replayed", r.ReplayRecords/1e6, r.ReplayAccounts), replay.MillionPerS, "million records/s", coldStartTarget, "no snapshot, blocks of 24 records"),
	}
}

// GoBench runs the benchmarks of the libraries, or reads what running them has printed.
func (b Bench) GoBench(ctx context.Context, o GoBenchOptions) (r GoBenchResult, err error) {
	if err := o.Validate(); err != nil {
		return r, err
	}
	var output []byte
	if o.Output != "" {
		output, err = os.ReadFile(o.Output)
	} else {
		output, err = b.runBenchmarks(ctx, o)
	}
	if err != nil {
		return r, err
	}
	r, err = parseBenchmarks(string(output))
	r.ReplayRecords, r.ReplayAccounts = o.ReplayRecords, o.ReplayAccounts
	return r, err
}

// inverse makes million a second of nanoseconds each.
func inverse(ns sample.Spread) sample.Spread {
	return sample.Spread{Median: 1e3 / ns.Median, Min: 1e3 / ns.Max, Max: 1e3 / ns.Min, Count: ns.Count}
}

// runBenchmarks builds each module's tests and runs them itself: a go command that is told to stop leaves the program
// that it has started behind.
func (b Bench) runBenchmarks(ctx context.Context, o GoBenchOptions) ([]byte, error) {
	source, err := b.sourceFolder(o.Source)
	if err != nil {
		return nil, err
	}
	goTool, err := exec.LookPath(o.Go)
	if err != nil {
		return nil, fmt.Errorf("measure: the go command: %w; --bench-output reads what it has printed elsewhere", err)
	}
	folder, err := os.MkdirTemp("", "tradechat-bench-")
	if err != nil {
		return nil, fmt.Errorf("measure: %w", err)
	}
	defer os.RemoveAll(folder)
	var all bytes.Buffer
	for _, run := range benchmarkRuns {
		b.Say("go-bench: %s %s", run.folder, run.pattern)
		module, program := filepath.Join(source, run.folder), filepath.Join(folder, "program.test")
		if err := runIn(ctx, module, &all, goTool, "test", "-c", "-o", program, "."); err != nil {
			return nil, err
		}
		args := append([]string{"-test.run", "^$", "-test.bench", run.pattern, "-test.benchmem"}, o.extent(run.once)...)
		err := runIn(ctx, module, &all, program, args...)
		if err != nil {
			return nil, err
		}
	}
	return all.Bytes(), nil
}

// extent is how long, and how often, a run's benchmarks run.
func (o GoBenchOptions) extent(once bool) []string {
	if once {
		return []string{
			"-test.benchtime", "1x", "-bench-records=" + strconv.Itoa(o.ReplayRecords), "-bench-accounts=" + strconv.Itoa(o.ReplayAccounts),
		}
	}
	return []string{"-test.benchtime", o.Time.String(), "-test.count", strconv.Itoa(o.Count)}
}

// runIn runs a program in a folder, and quotes what it printed if it fails.
func runIn(ctx context.Context, folder string, out *bytes.Buffer, path string, args ...string) error {
	process, err := proc.Start(proc.Command{Path: path, Args: args, Folder: folder, Stdout: out, Stderr: out})
	if err != nil {
		return err
	}
	if err := process.Wait(ctx); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}

// sourceFolder finds the source tree: it has a go.work, and the libraries.
func (b Bench) sourceFolder(named string) (string, error) {
	folder := named
	if folder == "" {
		folder = filepath.Dir(b.Binaries.Folder())
	}
	for _, needed := range []string{"go.work", "libproto/go.mod", "shmstore/go.mod"} {
		if _, err := os.Stat(filepath.Join(folder, needed)); err != nil {
			return "", fmt.Errorf("measure: %w in %s (%w); --source DIR names it, --bench-output FILE reads what its benchmarks have printed", ErrNoSource, folder, err)
		}
	}
	return folder, nil
}

// parseBenchmarks reads lines such as "BenchmarkTransfer/account-2  2925150  78.43 ns/op  0 B/op  0 allocs/op".
func parseBenchmarks(output string) (GoBenchResult, error) {
	times, rates, allocs := make(map[string][]float64), make(map[string][]float64), make(map[string]float64)
	for line := range strings.Lines(output) {
		fields := strings.Fields(line)
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		name := withoutProcessors(fields[0])
		for i := 2; i+1 < len(fields); i += 2 {
			value, err := strconv.ParseFloat(fields[i], 64)
			if err != nil {
				return GoBenchResult{}, fmt.Errorf("measure: benchmark output %q: %w", line, err)
			}
			switch fields[i+1] {
			case "ns/op":
				times[name] = append(times[name], value)
			case "Mrecords/s":
				rates[name] = append(rates[name], value)
			case "allocs/op":
				allocs[name] = max(allocs[name], value)
			}
		}
	}
	r := GoBenchResult{Benchmarks: make(map[string]GoBenchmark)}
	for name, values := range times {
		r.Benchmarks[name] = GoBenchmark{NsPerOp: sample.Of(values), AllocsPerOp: allocs[name], MillionPerS: sample.Of(rates[name])}
	}
	for _, name := range []string{encodeBenchmark, decodeBenchmark, transferBenchmark, transferRateBenchmark, journalBenchmark, recoverBenchmark} {
		if r.Benchmarks[name].NsPerOp.Min <= 0 {
			return r, fmt.Errorf("measure: %w: %s is not in the output", ErrNoBenchmark, name)
		}
	}
	return r, nil
}

// withoutProcessors drops the number of processors that a benchmark's name ends in.
func withoutProcessors(name string) string {
	at := strings.LastIndexByte(name, '-')
	if at < 0 {
		return name
	}
	if _, err := strconv.Atoi(name[at+1:]); err != nil {
		return name
	}
	return name[:at]
}
