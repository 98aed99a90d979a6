package report

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"tradechat.internal/loadgen/internal/chatcheck"
	"tradechat.internal/loadgen/internal/config"
	"tradechat.internal/loadgen/internal/findings"
	"tradechat.internal/loadgen/internal/mix"
	"tradechat.internal/loadgen/internal/moneycheck"
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
	timeline := stats.NewTimeline(1)
	thread := timeline.Thread(0)
	thread.Start(0)
	thread.Succeeded(mix.Transfer, 150_000)
	thread.Succeeded(mix.ChatSend, 2_500_000)
	thread.Failed(mix.Transfer, stats.Busy)
	thread.Statuses[6]++
	thread.Delivered()
	thread.End()
	timeline.Run(func(stats.Row) {})
	totals := timeline.Totals()
	s := &Summary{Config: config.Defaults(), DurationS: 2, CPU: CPU{UserS: 3e-6, SystemS: 6e-6}}
	if err := s.Config.Complete(); err != nil {
		t.Fatal(err)
	}
	s.SetTotals(&totals)
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
		Second: 3, OK: 10, Failed: 15, Errors: [stats.ErrorKindCount]uint64{1, 2, 3, 4, 5}, Deliveries: 6, Reconnects: 7,
		Latency: stats.Quantiles{P50: 1.25, P95: 2, P99: 3, P999: 4, Max: 5},
	}
	if err := csv.Row(row, 8); err != nil {
		t.Fatal(err)
	}
	want := "second,ok,failed,timeout,busy,checksum,auth,other,p50_us,p95_us,p99_us,p999_us,max_us,deliveries,reconnects,connections\n" +
		"3,10,15,1,2,3,4,5,1.2,2.0,3.0,4.0,5.0,6,7,8\n"
	if text.String() != want {
		t.Errorf("got\n%swant\n%s", text.String(), want)
	}
}
