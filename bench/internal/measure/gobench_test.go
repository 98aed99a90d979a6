package measure

import (
	"errors"
	"strings"
	"testing"

	"tradechat.internal/testkit/figure"
	"tradechat.internal/testkit/proc"
)

const benchOutput = `goos: linux
cpu: Some Processor
BenchmarkEncodeTransfer-2   	 3631166	        31.93 ns/op	1377.82 MB/s	       0 B/op	       0 allocs/op
BenchmarkEncodeTransfer-2   	 3631166	        30.00 ns/op	1377.82 MB/s	       0 B/op	       0 allocs/op
BenchmarkEncodeTransfer-2   	 3631166	        39.00 ns/op	1377.82 MB/s	       0 B/op	       0 allocs/op
BenchmarkDecodeTransfer   	 4744510	        26.65 ns/op	1651.08 MB/s	       0 B/op	       0 allocs/op
BenchmarkTransfer/account-16  	 2925150	        78.43 ns/op	       0 B/op	       0 allocs/op
BenchmarkTransferTwoProcesses-2  1639428	       100 ns/op	       0 B/op	       0 allocs/op
BenchmarkTransferTwoProcesses-2  1639428	       125 ns/op	       0 B/op	       0 allocs/op
BenchmarkAppend/group=256-2  2000000	       200 ns/op	         5 Mrecords/s	       0 B/op	       0 allocs/op
BenchmarkRecover/group=24-2  1	       2000000000 ns/op	         5 Mrecords/s	       90 B/op	       9 allocs/op
PASS
ok  	tradechat.internal/shmstore	1.253s
`

func TestParseBenchmarks(t *testing.T) {
	r, err := parseBenchmarks(benchOutput)
	if err != nil {
		t.Fatal(err)
	}
	if e := r.Benchmarks["BenchmarkEncodeTransfer"]; e.NsPerOp.Median != 31.93 || e.NsPerOp.Min != 30 || e.NsPerOp.Count != 3 || e.AllocsPerOp != 0 {
		t.Errorf("encode: %+v", e)
	}
	figures := r.Figures()
	if len(figures) != 6 || !figure.AllMet(figures) {
		t.Errorf("%+v", figures)
	}
	if rate := figures[3]; rate.Value < 8.88 || rate.Value > 8.89 || rate.Spread.Max != 10 || rate.Spread.Min != 8 {
		t.Errorf("two processes at 100 and 125 ns: %+v %+v", rate, rate.Spread)
	}
}

func TestAllocationsMissATarget(t *testing.T) {
	r, err := parseBenchmarks(strings.ReplaceAll(benchOutput, "39.00 ns/op\t1377.82 MB/s\t       0 B/op\t       0 allocs/op",
		"39.00 ns/op\t1377.82 MB/s\t       8 B/op\t       1 allocs/op"))
	if err != nil {
		t.Fatal(err)
	}
	if f := r.Figures()[0]; f.Met || f.Detail != "1 allocations" {
		t.Errorf("%+v", f)
	}
}

func TestParseBenchmarksRefuses(t *testing.T) {
	for name, output := range map[string]string{
		"one is missing": strings.ReplaceAll(benchOutput, "BenchmarkDecodeTransfer", "BenchmarkDecode"),
		"no number":      strings.ReplaceAll(benchOutput, "26.65", "fast"),
		"nothing":        "",
	} {
		if r, err := parseBenchmarks(output); err == nil {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func TestWithoutProcessors(t *testing.T) {
	for name, want := range map[string]string{"A-2": "A", "A/b-c-16": "A/b-c", "A/b-c": "A/b-c", "A": "A"} {
		if got := withoutProcessors(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

func TestNoSourceTreeIsSaid(t *testing.T) {
	binaries, err := proc.FindBinaries(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	b := Bench{Binaries: binaries, Say: t.Logf}
	if _, err := b.GoBench(t.Context(), DefaultGoBenchOptions()); !errors.Is(err, ErrNoSource) {
		t.Errorf("%v", err)
	}
	if folder, err := b.sourceFolder("../../.."); err != nil || folder != "../../.." {
		t.Errorf("the source tree that this test is in: %q, %v", folder, err)
	}
}
