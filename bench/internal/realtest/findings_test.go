package realtest

import (
	"strings"
	"testing"

	"tradechat.internal/testkit/load"
)

func TestChange(t *testing.T) {
	for _, c := range []struct {
		from, to float64
		want     string
	}{
		{100, 100.2, "the same"}, {100, 128, "28 % more"}, {100, 72, "28 % less"}, {100, 350, "3.5 times as much"},
		{0, 5, "no comparison"},
	} {
		if got := change(c.from, c.to); got != c.want {
			t.Errorf("%v → %v: %s, want %s", c.from, c.to, got, c.want)
		}
	}
	for v, want := range map[float64]string{0: "0", 999: "999", 1000: "1,000", 1234567.4: "1,234,567"} {
		if got := thousands(v); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	for v, want := range map[float64]string{0: "0", 0.02634: "0.026", 5.55: "5.5", 10: "10", 4321: "4,321"} {
		if got := digits(v); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	for us, want := range map[float64]string{870: "870 µs", 1234: "1.23 ms", 56_700: "57 ms"} {
		if got := ms(us); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// 4 workers; a p99 of 10 ms.
func TestP99IsExplainedByLockWaitsOnlyIfTheyAreFrequentAndLong(t *testing.T) {
	for _, c := range []struct {
		msPerS, p99Ms float64
		says          string
	}{
		{20, 9, "0.5 % of their time waiting, so about as few requests"},
		{400, 9, "10 % of their time waiting, and a long wait is 90 % of the p99 of 10 ms: lock waits are frequent and long " +
			"enough"},
		{400, 0.2, "but even a long wait is only 2 % of the p99 of 10 ms"},
	} {
		got := explainP99(&CaseResult{Workers: 4, LatencyUs: load.Quantiles{P99: 10_000},
			Locks: Locks{MsPerS: c.msPerS, P99Ms: c.p99Ms}})
		if !strings.Contains(got, c.says) {
			t.Errorf("%v ms/s, %v ms: %s; want %s", c.msPerS, c.p99Ms, got, c.says)
		}
	}
}

// 4 workers, ten intervals, the last two of which are spikes: 4,000 ms of a second are all of their time.
func TestSpikesAreComparedWithTheOtherIntervals(t *testing.T) {
	moments := func(spikeUs, spikeMs, restMs float64) *CaseResult {
		run := Run{}
		for i := range 10 {
			m := Moment{LockMsPerS: restMs, Interval: load.Interval{LatencyUs: load.Quantiles{P99: 100}}}
			if i >= 8 {
				m.LatencyUs.P99, m.LockMsPerS = spikeUs, spikeMs
			}
			run.Moves = append(run.Moves, m)
		}
		return &CaseResult{Workers: 4, Runs: []Run{run}}
	}
	for _, c := range []struct {
		result *CaseResult
		says   string
	}{
		{moments(400, 360, 80), "In 2 of 10 intervals p99 is more than 1.5 times the median of them; there the workers spent " +
			"9 % of their time waiting for locks, elsewhere 2 %: the spikes come with"},
		{moments(400, 80, 80), "The spikes do not come from lock waits"},
		{moments(400, 20, 1), "0.5 % of their time waiting for locks, elsewhere 0.025 %: too little to make them"},
		{moments(100, 360, 80), "No interval's p99 is more"},
		{&CaseResult{}, "No interval was whole"},
	} {
		if got := explainSpikes(c.result); !strings.Contains(got, c.says) {
			t.Errorf("%s; want %s", got, c.says)
		}
	}
}

func TestShownHasOnlyColumnsWithSomethingInThem(t *testing.T) {
	r := measured(t, pipeline())
	shown := r.Shown()
	if !strings.Contains(strings.Join(shown.Header, ";"), "transfers/s;p50") || len(shown.Rows) != 10 ||
		len(shown.Rows[0]) != len(shown.Header) {
		t.Errorf("%+v", shown)
	}
	for i := range r.Cases {
		r.Cases[i].LegsPerS, r.Cases[i].Locks = 0, Locks{}
	}
	if header := strings.Join(r.Shown().Header, ";"); strings.Contains(header, "transfers") || strings.Contains(header, "lock") {
		t.Errorf("%s", header)
	}
	if flags := r.Flags(); len(flags) != 10 || !strings.Contains(flags[9], "batch: 1024: tradechatd --workers 4 "+
		"--registration open --idle-timeout 1h; tradechat-loadgen --connections 100 --threads 2 --mix transfer=1 --batch 1024 --duration 30s") {
		t.Errorf("%q", flags)
	}
	if m := measured(t, locks()).Measured(); !strings.HasPrefix(m, "2 rounds of each in turns, 15 s each") {
		t.Errorf("%s", m)
	}
}

func TestKillIsTold(t *testing.T) {
	text := strings.Join(measured(t, kill()).Findings, " ")
	for _, part := range []string{"At 0.5 s worker 2 was killed, which had 30 connections; its successor ran 20 ms later. " +
		"2 requests failed", "the longest after that took 500 µs"} {
		if !strings.Contains(text, part) {
			t.Errorf("no %q in %q", part, text)
		}
	}
}

func TestFailuresAreToldByTheirKind(t *testing.T) {
	r := Result{Cases: []CaseResult{{Label: "good", Runs: make([]Run, 1)}, {Label: "bad", Runs: make([]Run, 2)}}}
	r.Cases[1].Runs[0].Load.Errors = map[string]uint64{"busy": 1000, "timeout": 0}
	r.Cases[1].Runs[1].Load.Errors = map[string]uint64{"busy": 234, "timeout": 5}
	if got := r.failures(); len(got) != 1 || got[0] != "bad: of its requests failed 1,234 busy, 5 timeout (all rounds together)." {
		t.Errorf("%q", got)
	}
}

func TestHolderIsTold(t *testing.T) {
	r := measured(t, lockHolder())
	r.Cases[0].SlowPer1000, r.Cases[1].SlowPer1000, r.Cases[0].Holds = 120, 30, 24
	text := strings.Join(findHolder(r), " ")
	for _, part := range []string{"global: a worker was stopped 24 times. 120 of 1,000 requests took longer than 50 ms", "120 → 30 of 1,000 (75 % less)"} {
		if !strings.Contains(text, part) {
			t.Errorf("no %q in %q", part, text)
		}
	}
}

// The log's lock is one for all in both modes: a stop that holds it would show nothing.
func TestAHoldIsOfAnAccountAndNotOfTheLog(t *testing.T) {
	for _, c := range []struct {
		locks []string
		want  bool
	}{
		{nil, false}, {[]string{"account 3"}, true}, {[]string{"account 3", "account 4"}, true}, {[]string{"all accounts"}, true},
		{[]string{"account 3", "account 4", "log"}, false}, {[]string{"room 1"}, false}, {[]string{"log"}, false},
	} {
		if got := holdsAccount(c.locks); got != c.want {
			t.Errorf("%q: %v", c.locks, got)
		}
	}
}
