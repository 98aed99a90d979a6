package peers

import (
	"encoding/csv"
	"math"
	"slices"
	"strings"
	"testing"

	"tradechat.internal/testkit/sample"
)

// comparison has two contenders in two rounds: the second has half the rate at twice the cost, as the machine speeds up.
func comparison(t *testing.T) Result {
	t.Helper()
	row := func(name string, perS, cost float64) *Row {
		r := &Row{Name: name, MemoryBytes: 3 << 19}
		for _, speed := range []float64{1, 2} {
			r.Rounds = append(r.Rounds, Round{PerS: perS * speed, CPUUs: cost / speed, ClientCPUUs: 4})
			r.Latencies = append(r.Latencies, Latency{P50Us: 10 * cost / speed, P99Us: 100 * cost / speed})
		}
		return r
	}
	c := Class{Name: "transfers", Key: "in-memory", Unit: "request", RatePerS: 500, Rows: []*Row{row("tradechat", 2000, 5), row("other, in Lua", 1000, 10)}}
	c.Rows[1].Version = "Other 1.2"
	if err := c.sumUp(); err != nil {
		t.Fatal(err)
	}
	return Result{Options: DefaultOptions(), Classes: []Class{c}, Skipped: []Skipped{{"PostgreSQL", "initdb is not installed"}}}
}

func TestRatiosAreOfNeighbouringRounds(t *testing.T) {
	row := comparison(t).Classes[0].Rows[1]
	for name, c := range map[string]struct {
		got  sample.Spread
		want float64
	}{
		"rate": {row.PerSRatio, 0.5}, "processor time": {row.CPURatio, 2}, "p50": {row.P50Ratio, 2}, "p99": {row.P99Ratio, 2},
	} {
		if c.got.Median != c.want || c.got.Min != c.want || c.got.Max != c.want || c.got.Count != 2 {
			t.Errorf("%s: %+v, want %v throughout", name, c.got, c.want)
		}
	}
	if row.PerS.Median != 1500 || row.P99Us.Min != 500 {
		t.Errorf("%+v", row)
	}
}

func TestVersionsAreNamedOnce(t *testing.T) {
	r := comparison(t)
	r.Classes = append(r.Classes, r.Classes[0])
	if got := r.Versions(); !slices.Equal(got, []string{"Other 1.2"}) {
		t.Errorf("%v", got)
	}
}

func TestRoundsThatDoNotPairUp(t *testing.T) {
	c := Class{Rows: []*Row{{Rounds: make([]Round, 2)}, {Rounds: make([]Round, 1)}}}
	if err := c.sumUp(); err == nil {
		t.Error("two rounds and one were compared")
	}
}

func TestTables(t *testing.T) {
	var out strings.Builder
	for _, table := range comparison(t).Tables() {
		if err := table.Text(&out); err != nil {
			t.Fatal(err)
		}
	}
	for _, part := range []string{
		"transfers: 50 connections, 1 at a time; latency at 500 requests/s, an open loop\n",
		"what           request/s  ÷ tradechat        CPU µs/request  ÷ tradechat",
		"tradechat      3000       1 ×", "other, in Lua  1500       0.5 × (0.5 … 0.5)  7.5             2 × (2 … 2)  75 ", "1.5\n",
		"skipped\n\nwhat        why\nPostgreSQL  initdb is not installed\n",
	} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("no %q in:\n%s", part, out.String())
		}
	}
}

func TestCSV(t *testing.T) {
	var out strings.Builder
	if err := comparison(t).CSV(&out); err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(strings.NewReader(out.String())).ReadAll()
	if err != nil || len(lines) != 3 {
		t.Fatalf("%v\n%s", err, out.String())
	}
	for i, want := range map[int]string{0: "class", 1: "name", 2: "version", 5: "memory_bytes", 9: "per_s_ratio"} {
		if lines[0][i] != want {
			t.Errorf("column %d is %q, want %q", i, lines[0][i], want)
		}
	}
	if got := strings.Join(lines[2][:12], "|"); got != "in-memory|other, in Lua|Other 1.2|request|500|1572864|1500|1000|2000|0.5|0.5|0.5" {
		t.Errorf("%s", got)
	}
}

func TestTheRateIsWhatTheSlowestRoundCanHold(t *testing.T) {
	h := &heat{run: &run{options: DefaultOptions()}}
	for _, perS := range []float64{900, 300, 600} {
		h.rivals = append(h.rivals, &entrant{row: &Row{Rounds: []Round{{PerS: 1000}, {PerS: perS}}}})
	}
	if got := h.rate(); got != 150 {
		t.Errorf("%v, want 150", got)
	}
	h.together = true
	if got := h.rate(); math.Abs(got-1.5) > 1e-9 { // messages to 100
		t.Errorf("fan-out: %v, want 1.5", got)
	}
}
