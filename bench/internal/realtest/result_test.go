package realtest

import (
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tradechat.internal/libproto/serverstats"
	"tradechat.internal/testkit/load"
)

var began = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func after(seconds float64) time.Time {
	return began.Add(time.Duration(seconds * float64(time.Second)))
}

func near(a, b float64) bool { return math.Abs(a-b) < 1e-6 }

func TestCountsBetweenSightingsLieOnALine(t *testing.T) {
	seen := []sighting{{at: after(-1), requests: 100, waits: 10}, {at: after(1), requests: 300, waits: 10, waitUs: 50},
		{at: after(2), requests: 400, waits: 30, waitUs: 90}}
	for _, c := range []struct{ from, to, requests, waits, waitUs float64 }{
		{-1, 2, 300, 20, 90}, {0, 1, 100, 0, 25}, {1.5, 2, 50, 10, 20}, {-9, 9, 300, 20, 90}, {5, 6, 0, 0, 0},
	} {
		requests, waits, waitUs := between(seen, after(c.from), after(c.to))
		if !near(requests, c.requests) || !near(waits, c.waits) || !near(waitUs, c.waitUs) {
			t.Errorf("%v … %v: %v requests, %v waits, %v µs; want %+v", c.from, c.to, requests, waits, waitUs, c)
		}
	}
	if requests, _, _ := between(nil, began, after(1)); requests != 0 {
		t.Errorf("nothing was seen, and %v requests", requests)
	}
}

// A run of a second in two intervals and what was left, during which the server answered 1,000 requests and waited 5 ms; before, in
// the warm-up, as much again.
func TestARunLeavesOutItsWarmUpAndWhatIsNoWholeInterval(t *testing.T) {
	run := Run{Load: load.Result{Started: began, DurationS: 1, Intervals: []load.Interval{
		{Second: 0, OK: 400, LatencyUs: load.Quantiles{P99: 70}}, {Second: 0.5, OK: 600}, {Second: 1, OK: 3},
	}}}
	seen := []sighting{
		{at: after(-1)}, {at: began, requests: 1000, waits: 50, waitUs: 5000},
		{at: after(0.5), requests: 1400, waits: 60, waitUs: 6000}, {at: after(1), requests: 2000, waits: 70, waitUs: 10_000,
			waitP99Ms: 2, timeouts: 1},
	}
	killed := &killing{at: after(0.5), replaced: after(0.512), victim: serverstats.Worker{Slot: 3, Connections: 25}}
	run.take(seen, killed, plan{length: time.Second, interval: 500 * time.Millisecond})
	if l := run.Locks; !near(l.WaitsPer1000, 20) || !near(l.UsPerRequest, 5) || !near(l.MsPerS, 5) || l.P99Ms != 2 ||
		l.Timeouts != 1 {
		t.Errorf("%+v", l)
	}
	if len(run.Moves) != 2 || !near(run.Moves[0].PerSecond, 800) || !near(run.Moves[1].PerSecond, 1200) ||
		run.Moves[0].LatencyUs.P99 != 70 ||
		!near(run.Moves[0].LockMsPerS, 2) || !near(run.Moves[0].LockUsPerReq, 2.5) || !near(run.Moves[1].LockMsPerS, 8) {
		t.Errorf("%+v", run.Moves)
	}
	if k := run.Kill; k == nil || !near(k.AtS, 0.5) || !near(k.ReplacedS, 0.512) || k.Connections != 25 || k.Slot != 3 {
		t.Errorf("%+v", k)
	}
}

// measured is a result of a test in which every run found numbers that rise from case to case and from round to round.
func measured(t *testing.T, test Test) *Result {
	t.Helper()
	p := DefaultOptions().plan(test)
	r := newResult(test, p, DefaultOptions())
	for i := range r.Cases {
		for round := range p.rounds {
			v := float64(100*(i+1) + 20*round)
			l := load.Quantiles{P50: v, P95: 2 * v, P99: 3 * v, P999: 4 * v, Max: 5 * v}
			run := Run{
				Load: load.Result{PerSecond: 10 * v, RequestsOK: uint64(v), RequestsFailed: 2, DurationS: 1, LatencyUs: l,
					Legs:  &load.Legs{PerSecond: 3 * v},
					PerOp: map[string]load.Op{"TRANSFER": {OK: 5, LatencyUs: l}, "CHAT_SEND": {OK: 7, LatencyUs: l}},
					Latencies: []load.Percentile{{Quantile: 0, Ms: v / 2, Count: 1, OneIn: 1}, {Quantile: 0.5, Ms: v,
						Count: 50, OneIn: 2}, {Quantile: 0.9, Ms: 3 * v, Count: 90, OneIn: 10}}},
				Locks: Locks{WaitsPer1000: v, UsPerRequest: v / 10, MsPerS: v, P99Ms: v / 100},
				Moves: []Moment{{Interval: load.Interval{Second: 0, OK: v, LatencyUs: l}, PerSecond: v},
					{Interval: load.Interval{Second: 1, OK: v, LatencyUs: l}, PerSecond: v}},
			}
			if test.Kill {
				run.Kill = &Kill{AtS: 0.5, ReplacedS: 0.52, Connections: 30, Slot: 2}
			}
			r.Cases[i].Runs = append(r.Cases[i].Runs, run)
		}
	}
	r.sumUp(test)
	return r
}

func TestRoundsAreSummedUpByTheirMedian(t *testing.T) {
	c := measured(t, contention()).Cases[1]
	if c.PerSecond.Median != 2100 || c.PerSecond.Min != 2000 || c.PerSecond.Max != 2200 || c.LatencyUs.P99 != 630 ||
		c.LatencyUs.Max != 1100 || c.Failed != 4 ||
		!near(c.Locks.UsPerRequest, 21) {
		t.Errorf("%+v", c)
	}
}

func TestEveryTestCanBeDrawn(t *testing.T) {
	for _, test := range Tests() {
		for _, f := range measured(t, test).figures(test) {
			if err := errors.Join(f.SVG(io.Discard), f.Gnuplot(io.Discard)); err != nil {
				t.Errorf("%s: %s: %v", test.Name, f.Table.Name, err)
			}
		}
	}
}

// Files of two tests, from their JSON to their scripts, and their JSON read back.
func TestResultsAreWrittenAndReadBack(t *testing.T) {
	folder := t.TempDir()
	tests := []Test{contention(), kill()}
	for _, test := range tests {
		r := measured(t, test)
		if err := r.write(test, folder); err != nil {
			t.Fatalf("%s: %v", test.Name, err)
		}
		if len(r.Figures) < 2 || len(r.Findings) == 0 {
			t.Errorf("%s: figures %v, findings %q", test.Name, r.Figures, r.Findings)
		}
		for _, f := range r.Figures {
			for _, extension := range []string{".csv", ".svg", ".png", ".gp"} {
				if info, err := os.Stat(filepath.Join(folder, f.Name+extension)); err != nil || info.Size() == 0 {
					t.Errorf("%s%s: %v", f.Name, extension, err)
				}
			}
		}
	}
	results, err := Read(folder)
	if err != nil || len(results) != len(tests) {
		t.Fatalf("%d results, %v", len(results), err)
	}
	for i, test := range tests {
		if results[i].Name != test.Name || len(results[i].Cases) != len(test.Cases) || len(results[i].Cases[0].Runs) == 0 {
			t.Errorf("%d is %s with %d cases, want %s", i, results[i].Name, len(results[i].Cases), test.Name)
		}
	}
}

func TestReadOfNothingNamesTheWayOut(t *testing.T) {
	if _, err := Read(t.TempDir()); err == nil || !strings.Contains(err.Error(), "real-test --out") {
		t.Errorf("%v", err)
	}
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "locks.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(folder); err == nil || !strings.Contains(err.Error(), "locks.json") {
		t.Errorf("%v", err)
	}
}

func TestTables(t *testing.T) {
	r := measured(t, locks())
	cases := r.caseTable()
	if want := cells("global", 0, "uniform", 2, 1100.0, 1000.0, 1200.0, 330.0, 0.11); !slices.Equal(cases.Rows[0][:9], want) {
		t.Errorf("%v, want %v", cases.Rows[0][:9], want)
	}
	if last := cases.Rows[3]; !strings.Contains(strings.Join(last, ";"), "--workers 4 --lock-mode account") ||
		len(last) != len(caseHeader) {
		t.Errorf("%v", last)
	}
	if names, rows := groups(cases); !slices.Equal(names, []string{"global", "account"}) || rows[1].First != 2 ||
		rows[1].Count != 2 {
		t.Errorf("%v %v", names, rows)
	}
	percentiles := r.percentileTable()
	for _, row := range percentiles.Rows {
		if row[1] < "0.1" {
			t.Errorf("%v is among the quickest few", row)
		}
	}
	if names, _ := groups(percentiles); len(names) != 4 || names[0] != "global: uniform" {
		t.Errorf("%v", names)
	}
	ops := measured(t, mixed()).opTable()
	if len(ops.Rows) != 3 || ops.Rows[0][2] != "all" || ops.Rows[1][2] != "chat send" || ops.Rows[2][3] != "5" {
		t.Errorf("%v", ops.Rows)
	}
}

func TestNoFlagNamesAPlaceOfThisMachine(t *testing.T) {
	encoded, err := json.Marshal(measured(t, pipeline()))
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{os.TempDir() + "/", "--data", "--shm-name", "--json", "127.0.0.1"} {
		if strings.Contains(string(encoded), part) {
			t.Errorf("the JSON has %s", part)
		}
	}
}
