package report

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"tradechat.internal/loadgen/internal/chatcheck"
	"tradechat.internal/loadgen/internal/config"
	"tradechat.internal/loadgen/internal/findings"
	"tradechat.internal/loadgen/internal/mix"
	"tradechat.internal/loadgen/internal/moneycheck"
	"tradechat.internal/loadgen/internal/slo"
	"tradechat.internal/loadgen/internal/stats"
)

func TestGrouped(t *testing.T) {
	for n, want := range map[uint64]string{
		0: "0", 7: "7", 999: "999", 1000: "1,000", 65536: "65,536", 1234567: "1,234,567", 1<<64 - 1: "18,446,744,073,709,551,615",
	} {
		if got := Grouped(n); got != want {
			t.Errorf("Grouped(%d) = %s, want %s", n, got, want)
		}
	}
}

// sample is a summary of three requests, one of which failed, over two seconds.
func sample(t *testing.T, violations *findings.Log) *Summary {
	timeline := stats.NewTimeline(1, time.Second, true)
	thread := timeline.Thread(0)
	thread.Start(0)
	thread.Succeeded(mix.Transfer, 150_000, 100_000)
	thread.Answered++
	thread.Succeeded(mix.ChatSend, 2_500_000, 2_000_000)
	thread.Failed(mix.Transfer, stats.Busy)
	thread.Statuses[6]++
	thread.Delivered()
	thread.SentLate()
	thread.Skip(3)
	thread.Behind++
	thread.LegsOK, thread.LegsRefused = 8, 1
	thread.CPU = stats.CPU{Wall: 2 * time.Second, Used: 1950 * time.Millisecond, Waiting: 10 * time.Millisecond}
	thread.End()
	timeline.Run(func(stats.Row) {})
	totals := timeline.Totals()
	s := &Summary{Config: config.Defaults(), DurationS: 2, CPU: CPU{UserS: 3e-6, SystemS: 6e-6}}
	if err := s.Config.Complete(); err != nil {
		t.Fatal(err)
	}
	s.CPU.SetThreads(timeline.CPU(), 2)
	s.SetTotals(&totals, 5)
	s.SetWarnings()
	codec := chatcheck.NewCodec(1, 1, 64)
	group := chatcheck.NewGroup(codec, []chatcheck.Owner{{UserID: 1}}, []uint32{2}, 1)
	s.SetVerdict(group, moneycheck.Verdict{OK: true, Users: 100, Final: -5, ExpectedMin: 1000, ExpectedMax: 2000}, violations)
	return s
}

func TestTotals(t *testing.T) {
	s := sample(t, &findings.Log{})
	if s.RequestsOK != 2 || s.RequestsFailed != 1 || s.ReqPerS != 1 || s.FailedPerS != 0.5 || s.Errors != (Errors{Busy: 1}) ||
		s.Deliveries != 1 || s.Statuses["ERR_SERVER_BUSY"] != 1 || s.CPU.UsPerRequest != 3 {
		t.Errorf("%+v", s)
	}
	if len(s.PerOp) != 2 || s.PerOp["TRANSFER"].OK != 1 || s.PerOp["TRANSFER"].Failed != 1 || s.PerOp["TRANSFER"].LatencyUs.Max != 150 {
		t.Errorf("per_op %+v", s.PerOp)
	}
}

// A violation of the protocol fails both parts, whatever the checks found.
func TestViolationFailsBoth(t *testing.T) {
	var violations findings.Log
	if s := sample(t, &violations); !s.Verdict.OK() || !s.Verdict.ChatOK || !s.Verdict.MoneyOK {
		t.Errorf("without violation: %+v", s.Verdict)
	}
	violations.Add("something")
	if s := sample(t, &violations); s.Verdict.OK() || s.Verdict.ChatOK || s.Verdict.MoneyOK {
		t.Errorf("with a violation: %+v", s.Verdict)
	}
}

func TestTableSaysEverything(t *testing.T) {
	var violations findings.Log
	violations.Add("a frame too many")
	var text strings.Builder
	if err := sample(t, &violations).WriteTable(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"mixed on 127.0.0.1:7878: 100 connections, 8 threads, pipeline 1, 100 users, 2.0 s",
		"2 ok, 1/s; 1 failed, 1/s",
		"3.00 µs a request",
		"TRANSFER   1       1    150",
		"timeout 0, busy 1, checksum 0, auth 0, other 0",
		"1 answered ERR_SERVER_BUSY",
		"chat   FAILED",
		"money  FAILED  100 users have -5 in sum, expected 1,000 … 2,000",
		"- a frame too many",
		"5/s offered (constant), 1/s achieved; of 6 due: 1 late, 1 of them by the load generator's own fault; 3 skipped",
		"8 transfers, 4/s; 1 refused",
		"the load threads used 98 % of their processors",
		"all, since sent                100  2,000",
		"warning: the load threads used 98 %",
		"warning: the load generator came to 16.7 % of the requests more than a millisecond after they were due",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in:\n%s", want, text.String())
		}
	}
}

func TestJSONReadsBack(t *testing.T) {
	want := sample(t, &findings.Log{})
	var text bytes.Buffer
	if err := want.WriteJSON(&text); err != nil {
		t.Fatal(err)
	}
	var got Summary
	if err := json.Unmarshal(text.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.LatencyUs != want.LatencyUs || got.Config != want.Config || got.Verdict.Details.Money.Final != -5 || !got.Verdict.ChatOK {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

func TestCSVRow(t *testing.T) {
	var text strings.Builder
	csv, err := NewCSV(&text)
	if err != nil {
		t.Fatal(err)
	}
	row := stats.Row{
		Number: 3, Begin: 1500 * time.Millisecond, OK: 10, Failed: 15, Errors: [stats.ErrorKindCount]uint64{1, 2, 3, 4, 5}, Deliveries: 6, Reconnects: 7,
		Latency:   stats.Quantiles{P50: 1.25, P95: 2, P99: 3, P999: 4, Max: 5},
		LateSends: 9, Skipped: 11, SinceSent: stats.Quantiles{P50: 6, P99: 7},
	}
	if err := csv.Row(&row, 2*time.Second, 8, 12.5); err != nil {
		t.Fatal(err)
	}
	want := "second,ok,failed,timeout,busy,checksum,auth,other,p50_us,p95_us,p99_us,p999_us,max_us,deliveries,reconnects,connections," +
		"rate,late,skipped,since_sent_p50_us,since_sent_p99_us\n" +
		"3.5,10,15,1,2,3,4,5,1.2,2.0,3.0,4.0,5.0,6,7,8,12.5,9,11,6.0,7.0\n"
	if text.String() != want {
		t.Errorf("got\n%swant\n%s", text.String(), want)
	}
}

// The warnings come when, and only when, there is a reason.
func TestWarnings(t *testing.T) {
	for _, test := range []struct {
		cpu  CPU
		open *OpenLoop
		want string
	}{
		{CPU{OfCores: 0.9, Busiest: 0.9}, &OpenLoop{Due: 1000, Behind: 10}, ""},
		{CPU{OfCores: 0.91}, nil, "run the load generator on more processors"},
		{CPU{Busiest: 0.91}, nil, "more --threads"},
		{CPU{Waiting: 0.5}, &OpenLoop{Due: 1000, Behind: 11}, "1.1 % of the requests"},
	} {
		s := Summary{Config: config.Defaults(), DurationS: 1, CPU: test.cpu, OpenLoop: test.open}
		s.SetWarnings()
		if got := strings.Join(s.Warnings, "\n"); !strings.Contains(got, test.want) || (test.want == "") != (got == "") {
			t.Errorf("%+v, %+v: %q", test.cpu, test.open, got)
		}
	}
}

func TestThreadsShareOfTheirProcessors(t *testing.T) {
	busy, idle := stats.CPU{Wall: time.Second, Used: 800 * time.Millisecond, Waiting: 100 * time.Millisecond}, stats.CPU{Wall: time.Second}
	var c CPU
	c.SetThreads([]stats.CPU{busy, idle, idle, idle}, 2)
	if c.OfCores != 0.4 || c.Busiest != 0.8 || c.Waiting != 0.025 {
		t.Errorf("four threads on two processors: %+v", c)
	}
	c = CPU{}
	c.SetThreads([]stats.CPU{busy}, 2)
	if c.OfCores != 0.8 || c.Busiest != 0.8 || c.Waiting != 0.1 {
		t.Errorf("one thread: %+v", c)
	}
}

func TestSweepTable(t *testing.T) {
	s := sample(t, &findings.Log{})
	s.Config.SLO = "p99<2ms"
	s.Sweep = &Sweep{Best: 1000, Steps: []Step{
		{Rate: 1000, AchievedS: 999.6, LatencyUs: stats.Quantiles{P50: 10, P99: 20, Max: 30}, Held: true},
		{Rate: 2000, AchievedS: 1500, Skipped: 1000, SLO: []slo.Result{{Term: "p99<2ms", Value: "3ms"}}},
	}}
	var text strings.Builder
	if err := s.WriteTable(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"1,000       1,000      10      20      30", "yes", "no, p99<2ms is 3ms", "the highest rate held is 1,000/s: answered within 1 % of it, and p99<2ms",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in:\n%s", want, text.String())
		}
	}
}
