package run

import (
	"bytes"
	"encoding/csv"
	"io"
	"strings"
	"testing"
	"time"

	"tradechat.internal/loadgen/internal/config"
	"tradechat.internal/loadgen/internal/progress"
	"tradechat.internal/loadgen/internal/report"
	"tradechat.internal/loadgen/internal/sweep"
)

// A warm-up is judged and not counted: with one that takes all the time until the interrupt, next to nothing is left to count.
func TestWarmUpIsNotCounted(t *testing.T) {
	for name, change := range map[string]func(*config.Config){
		"closed": func(c *config.Config) { c.WarmUp = time.Hour },
		"open":   func(c *config.Config) { c.WarmUp, c.Rate = time.Hour, 20_000 },
	} {
		s := startServer(t, deeds{})
		summary := runAgainst(t, s, change)
		if summary.RequestsOK > enoughRequests/10 || summary.RequestsFailed != 0 || !summary.Verdict.OK() || !summary.Interrupted {
			t.Errorf("%s: %s", name, table(summary))
		}
		if money := summary.Verdict.Details.Money; money.Transferred == 0 || money.Final != s.supply() {
			t.Errorf("%s: the warm-up moved no money, or was not judged: %+v", name, money)
		}
	}
}

// An open loop asks at its rate and for its time: so many requests are due, and each of them is counted once.
func TestOpenLoopKeepsToItsRate(t *testing.T) {
	s := startServer(t, deeds{})
	var rows, latencies, sinceSent bytes.Buffer
	cfg := small(t, s, func(c *config.Config) {
		c.Mix, c.Rate, c.Interval = "balance=1", 2000, 200*time.Millisecond
		c.Duration, c.WarmUp = 1200*time.Millisecond, 300*time.Millisecond
		c.SLO = "p99<10s,errors<=0%,rate>100"
	})
	out := Outputs{CSV: &rows, Latencies: &latencies, SinceSent: &sinceSent}
	summary, err := Run(t.Context(), cfg, progress.NewPlain(io.Discard), out)
	if err != nil {
		t.Fatal(err)
	}
	o := summary.OpenLoop
	if o == nil || o.Due != 2400 || summary.RequestsOK != 2400 || o.Skipped != 0 || !summary.Verdict.OK() || !summary.SLOMet {
		t.Fatalf("%+v\n%s", o, table(summary))
	}
	if l := summary.LatencyUs; l.P50 < o.SinceSentUs.P50 || l.Max < o.SinceSentUs.Max {
		t.Errorf("latencies %+v are below those since the sending, %+v", l, o.SinceSentUs)
	}
	for name, text := range map[string]string{"latencies": latencies.String(), "since sent": sinceSent.String()} {
		if !strings.Contains(text, "Total count    =         2400]") {
			t.Errorf("%s:\n%s", name, text)
		}
	}
	table, err := csv.NewReader(&rows).ReadAll()
	if err != nil || len(table) < 7 || table[2][0] != "0.2" {
		t.Errorf("%v, %v", table, err)
	}
}

func TestMissedObjective(t *testing.T) {
	summary := runAgainst(t, startServer(t, deeds{}), func(c *config.Config) { c.SLO = "p50<1ns,errors<1%" })
	if summary.SLOMet || len(summary.SLO) != 2 || summary.SLO[0].Met || !summary.SLO[1].Met || !summary.Verdict.OK() {
		t.Errorf("%+v", summary.SLO)
	}
	if !strings.Contains(table(summary), "slo    FAILED  p50<1ns") {
		t.Error(table(summary))
	}
}

// Every request of every step is counted once, and a rate that nobody can hold is not held.
func TestSweepCountsItsSteps(t *testing.T) {
	s := startServer(t, deeds{})
	var rows bytes.Buffer
	cfg := small(t, s, func(c *config.Config) {
		c.Mix, c.RateSweep = "chat=1,transfer=1", sweep.Range{From: 200, To: 1_000_200, Step: 1_000_000}
		c.Duration, c.Interval, c.Timeout = 400*time.Millisecond, 100*time.Millisecond, 2*time.Second
	})
	summary, err := Run(t.Context(), cfg, progress.NewPlain(io.Discard), Outputs{CSV: &rows})
	if err != nil {
		t.Fatal(err)
	}
	checkSteps(t, summary, 80, 400_080)
	if steps := summary.Sweep.Steps; steps[1].Held || steps[1].Skipped == 0 {
		t.Errorf("a million a second are held: %+v", steps[1])
	}
	if last := rows.String(); !strings.Contains(last, "\n0.4,") {
		t.Errorf("no row of the second step:\n%s", last)
	}
}

// checkSteps compares a sweep with how many requests were due in each step. Whether one was held depends on the machine; what
// follows from it does not.
func checkSteps(t *testing.T, summary *report.Summary, due ...uint64) {
	t.Helper()
	steps := summary.Sweep.Steps
	if len(steps) != len(due) || !summary.Verdict.OK() {
		t.Fatalf("%d steps, want %d:%s", len(steps), len(due), table(summary))
	}
	best, chosen := 0.0, 0
	for i, step := range steps {
		if got := step.OK + step.Failed + step.Skipped; got != due[i] {
			t.Errorf("%d requests are counted at %v/s, %d were due", got, step.Rate, due[i])
		}
		if step.Held && step.Rate > best {
			best, chosen = step.Rate, i
		}
	}
	if summary.Sweep.Best != best || summary.SLOMet != (best > 0) {
		t.Errorf("best rate %v, objective met %v; want %v:%s", summary.Sweep.Best, summary.SLOMet, best, table(summary))
	}
	if o := summary.OpenLoop; o.Rate != steps[chosen].Rate || o.Due != due[chosen] || summary.RequestsOK != steps[chosen].OK {
		t.Errorf("the summary is of %+v, and not of step %d", o, chosen)
	}
}

func TestSweepThatHoldsNothing(t *testing.T) {
	cfg := small(t, startServer(t, deeds{}), func(c *config.Config) {
		c.Mix, c.RateSweep, c.SLO = "balance=1", sweep.Range{From: 100, To: 100, Step: 1}, "max<1ns"
		c.Duration = 200 * time.Millisecond
	})
	summary, err := Run(t.Context(), cfg, progress.NewPlain(io.Discard), Outputs{})
	if err != nil || summary.SLOMet || summary.Sweep.Best != 0 || len(summary.Sweep.Steps) != 1 || !summary.Verdict.OK() {
		t.Errorf("%v: %+v", err, summary.Sweep)
	}
}
