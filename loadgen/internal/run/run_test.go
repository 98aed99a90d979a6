package run

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"tradechat.internal/loadgen/internal/config"
	"tradechat.internal/loadgen/internal/progress"
	"tradechat.internal/loadgen/internal/report"
)

// small is a run that ends when the server has had enough.
func small(t *testing.T, s *server, change func(*config.Config)) config.Config {
	t.Helper()
	cfg := config.Defaults()
	cfg.Server = s.addr()
	cfg.Connections, cfg.Threads, cfg.RoomSize = 12, 3, 5
	cfg.Duration = time.Hour
	cfg.Timeout = 10 * time.Second
	if change != nil {
		change(&cfg)
	}
	if err := cfg.Complete(); err != nil {
		t.Fatal(err)
	}
	return cfg
}

func runAgainst(t *testing.T, s *server, change func(*config.Config)) *report.Summary {
	t.Helper()
	summary, err := Run(untilEnough(t, s), small(t, s, change), progress.NewPlain(io.Discard), Outputs{})
	if err != nil {
		t.Fatal(err)
	}
	if e := summary.Errors; e.Timeout+e.Busy+e.Checksum+e.Auth+e.Other != summary.RequestsFailed {
		t.Errorf("errors %+v do not sum up to %d failed requests", e, summary.RequestsFailed)
	}
	return summary
}

// untilEnough is a context that ends when the server has had enough requests, or the test is over.
func untilEnough(t *testing.T, s *server) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		select {
		case <-s.enough:
		case <-t.Context().Done():
		}
		cancel()
	}()
	return ctx
}

// table is the summary as a person sees it, for failures of tests.
func table(summary *report.Summary) string {
	var text strings.Builder
	_ = summary.WriteTable(&text)
	return text.String()
}

// everything is what the mixed mix asks for.
var everything = []string{"BALANCE", "CHAT_SEND", "DEPOSIT", "HEARTBEAT", "TRANSFER", "WITHDRAW"}

func TestRightServerIsPassed(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*config.Config)
		ops    []string
	}{
		{"mixed", nil, everything},
		{"chat", func(c *config.Config) { c.Mix = "chat" }, []string{"CHAT_SEND", "HEARTBEAT"}},
		{"trade", func(c *config.Config) { c.Mix = "trade" }, []string{"BALANCE", "DEPOSIT", "TRANSFER", "WITHDRAW"}},
		{"trade ratio", func(c *config.Config) { c.Mix, c.TradeRatio = "trade", [4]uint32{1, 0, 0, 1} }, []string{"BALANCE", "TRANSFER"}},
		{"pipelined", func(c *config.Config) { c.Pipeline = 16 }, everything},
		{"few users", func(c *config.Config) { c.Mix, c.Users = "trade", 2 }, []string{"BALANCE", "DEPOSIT", "TRANSFER", "WITHDRAW"}},
		{"many rooms", func(c *config.Config) { c.Mix, c.Rooms, c.RoomSize = "chat", 20, 7 }, []string{"CHAT_SEND", "HEARTBEAT"}},
		{"long messages", func(c *config.Config) { c.Mix, c.Payload = "chat", config.Payload{Least: 4000, Most: 4000} }, []string{"CHAT_SEND", "HEARTBEAT"}},
		{"drawn lengths", func(c *config.Config) { c.Mix, c.Payload = "chat", config.Payload{Least: 22, Most: 1024} },
			[]string{"CHAT_SEND", "HEARTBEAT"}},
		{"custom mix", func(c *config.Config) { c.Mix = "chat=2,transfer=1,balance=1" }, []string{"BALANCE", "CHAT_SEND", "TRANSFER"}},
		{"batches", func(c *config.Config) { c.Mix, c.Batch, c.Pipeline = "trade", 7, 4 },
			[]string{"BALANCE", "DEPOSIT", "TRANSFER_BATCH", "WITHDRAW"}},
		{"hot accounts", func(c *config.Config) { c.Mix, c.Skew = "transfer=1", 1.2 }, []string{"TRANSFER"}},
		{"thinking", func(c *config.Config) { c.Pipeline, c.Think = 4, time.Millisecond }, everything},
		{"connecting slowly", func(c *config.Config) { c.Mix, c.ConnectRate = "balance=1", 100 }, []string{"BALANCE"}},
		{"warm-up", func(c *config.Config) { c.Mix, c.WarmUp = "balance=1", 100*time.Millisecond }, []string{"BALANCE"}},
		{"constant arrivals", func(c *config.Config) { c.Rate = 20_000 }, everything},
		{"poisson arrivals", func(c *config.Config) { c.Rate, c.Arrivals, c.Pipeline = 20_000, "poisson", 8 }, everything},
		{"short messages", func(c *config.Config) { c.Mix, c.Payload = "chat", config.Payload{Least: 32, Most: 32} }, []string{"CHAT_SEND", "HEARTBEAT"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := startServer(t, deeds{})
			summary := runAgainst(t, s, test.change)
			if !summary.Verdict.OK() || summary.RequestsOK == 0 || summary.RequestsFailed != 0 {
				t.Fatalf("not passed: %s", table(summary))
			}
			var ops []string
			for op := range summary.PerOp {
				ops = append(ops, op)
			}
			if slices.Sort(ops); !slices.Equal(ops, test.ops) {
				t.Errorf("operations %v, want %v", ops, test.ops)
			}
			if got := summary.Verdict.Details.Money.Final; got != s.supply() {
				t.Errorf("final sum %d, the server has %d", got, s.supply())
			}
		})
	}
}

// quickDrain is for deeds after which a member may never catch up.
func quickDrain(c *config.Config) { c.DrainTimeout = 300 * time.Millisecond }

// Each wrong deed fails the verdict that it belongs to, and a violation of the protocol both.
func TestWrongDeedsAreFound(t *testing.T) {
	const chat, money, both = 1, 2, 3
	for _, test := range []struct {
		name   string
		deeds  deeds
		fails  int
		change func(*config.Config)
	}{
		{"drop", deeds{dropPush: 500}, chat, quickDrain},
		{"repeat", deeds{repeatPush: 500}, chat, nil},
		{"swap", deeds{swapPush: 500}, chat, quickDrain},
		{"corrupt", deeds{corruptPush: 500}, chat, nil},
		{"gap that stays", deeds{gapPushForever: 500}, chat, nil},
		{"one cent too much", deeds{extraCent: 5}, money, nil},
		{"lost deposit", deeds{forgetDeposit: 5}, money, nil},
		{"half a transfer", deeds{forgetTransferHalf: 20}, money, nil},
		{"a leg that is not carried out", deeds{forgetLeg: 20}, money, func(c *config.Config) { c.Mix, c.Batch = "trade", 5 }},
		{"a leg without a result", deeds{dropLeg: 20}, both, func(c *config.Config) { c.Mix, c.Batch = "trade", 5 }},
		{"a cent too much in the open loop", deeds{extraCent: 5}, money, func(c *config.Config) { c.Rate = 20_000 }},
		{"drop in the open loop", deeds{dropPush: 500}, chat, func(c *config.Config) {
			quickDrain(c)
			c.Rate, c.Arrivals = 20_000, "poisson"
		}},
		{"a cent too much in the warm-up", deeds{extraCent: 1}, money, func(c *config.Config) { c.WarmUp = 200 * time.Millisecond }},
		{"negative balance", deeds{negativeBalance: 20}, money, nil},
		{"unknown req_id", deeds{wrongReqID: 100}, both, nil},
		{"wrong opcode", deeds{wrongOpcode: 100}, both, nil},
		{"damaged answer", deeds{damagedAnswer: 100}, both, nil},
		{"response as a push", deeds{pushUnasked: 100}, both, nil},
		{"a cent amid kills", deeds{extraCent: 5, killBefore: 200, killAfter: 300}, money, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			summary := runAgainst(t, startServer(t, test.deeds), test.change)
			verdict := summary.Verdict
			if verdict.ChatOK != (test.fails&chat == 0) || verdict.MoneyOK != (test.fails&money == 0) {
				t.Errorf("chat OK %v, money OK %v: %s", verdict.ChatOK, verdict.MoneyOK, table(summary))
			}
			if violated := verdict.Details.Protocol.Violations > 0; violated != (test.fails == both) {
				t.Errorf("protocol violations: %v", verdict.Details.Protocol)
			}
		})
	}
}

// What a server may do is counted, and fails nothing.
func TestUnkindDeedsAreCounted(t *testing.T) {
	for _, test := range []struct {
		name   string
		deeds  deeds
		change func(*config.Config)
		check  func(*report.Summary) bool
	}{
		{"kills", deeds{killBefore: 300, killAfter: 401}, nil, func(s *report.Summary) bool {
			return s.Errors.Other > 0 && s.Errors.Other == s.RequestsFailed && s.Reconnects > 0 && s.Connections.Lost >= s.Reconnects
		}},
		{"kills, outcomes forgotten", deeds{killBefore: 300, killAfter: 401, forgetOutcomes: true},
			func(c *config.Config) { c.Mix = "trade" },
			func(s *report.Summary) bool { return s.Verdict.Details.Money.UnknownUndecided > 0 }},
		{"kills, witnesses known", deeds{killBefore: 300, killAfter: 401, forgetUnapplied: true},
			func(c *config.Config) { c.Mix = "trade" },
			func(s *report.Summary) bool {
				money := s.Verdict.Details.Money
				return money.UnknownNotApplied > 0 && money.UnknownApplied > 0
			}},
		{"kills of batches", deeds{killBefore: 300, killAfter: 401}, func(c *config.Config) { c.Mix, c.Batch = "batch=1", 4 },
			func(s *report.Summary) bool {
				money := s.Verdict.Details.Money
				return money.UnknownNotApplied > 0 && money.UnknownUndecided > 0 && s.Legs.OK > 0
			}},
		{"kills in the open loop", deeds{killBefore: 300, killAfter: 401}, func(c *config.Config) { c.Rate = 20_000 },
			func(s *report.Summary) bool {
				return s.Reconnects > 0 && s.Errors.Other > 0 && s.OpenLoop.Due == s.RequestsOK+s.RequestsFailed+s.OpenLoop.Skipped
			}},
		{"silent in the open loop", deeds{silentEvery: 100},
			func(c *config.Config) { c.Timeout, c.Rate, c.Pipeline = 50*time.Millisecond, 20_000, 4 },
			func(s *report.Summary) bool { return s.Errors.Timeout > 0 }},
		{"kills of a pipeline", deeds{killBefore: 700, killAfter: 901}, func(c *config.Config) { c.Pipeline = 8 },
			func(s *report.Summary) bool { return s.InFlight > s.Connections.Lost && s.Reconnects > 0 }},
		{"busy", deeds{busyEvery: 100}, nil, func(s *report.Summary) bool {
			return s.Errors.Busy > 0 && s.Errors.Busy == s.RequestsFailed && s.Connections.BusyPauses == s.Errors.Busy &&
				s.Statuses["ERR_SERVER_BUSY"] == s.Errors.Busy
		}},
		{"silent", deeds{silentEvery: 100}, func(c *config.Config) { c.Timeout = 50 * time.Millisecond }, func(s *report.Summary) bool {
			return s.Errors.Timeout > 0 && s.Errors.Timeout == s.RequestsFailed
		}},
		{"late", deeds{lateEvery: 100}, func(c *config.Config) { c.Timeout = 50 * time.Millisecond }, func(s *report.Summary) bool {
			return s.Errors.Timeout > 0 && s.LateAnswers > 0 && s.LateAnswers <= s.Errors.Timeout
		}},
		{"gap that is filled", deeds{gapPush: 500}, func(c *config.Config) { c.Mix = "chat" }, func(s *report.Summary) bool {
			chat := s.Verdict.Details.Chat
			return chat.Gaps == 1 && chat.Recovered == 1
		}},
		{"going away", deeds{goAway: 100}, nil, func(s *report.Summary) bool {
			return s.Connections.GoingAway == 1 && s.Reconnects == 1 && s.RequestsFailed == 0
		}},
		{"no money", deeds{}, func(c *config.Config) {
			c.Mix, c.OpeningDeposit, c.TradeRatio = "trade", 0, [4]uint32{1, 1, 0, 1}
		}, func(s *report.Summary) bool {
			return s.Statuses["ERR_INSUFFICIENT_FUNDS"] > 0 && s.Errors.Other == s.RequestsFailed
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			summary := runAgainst(t, startServer(t, test.deeds), test.change)
			if !summary.Verdict.OK() || summary.RequestsOK == 0 || !test.check(summary) {
				t.Errorf("%s", table(summary))
			}
		})
	}
}

// A second run finds the users and rooms of the first, with what they have.
func TestSecondRunLogsIn(t *testing.T) {
	s := startServer(t, deeds{})
	first := runAgainst(t, s, nil)
	s.again()
	second := runAgainst(t, s, nil)
	if !first.Verdict.OK() || !second.Verdict.OK() {
		t.Fatalf("not passed: %s%s", table(first), table(second))
	}
	deposits := int64(second.Config.Users) * int64(second.Config.OpeningDeposit)
	if got, want := second.Verdict.Details.Money.Opening, first.Verdict.Details.Money.Final+deposits; got != want {
		t.Errorf("the second run opens with %d, want %d", got, want)
	}
}

func TestSetupFailures(t *testing.T) {
	gone := startServer(t, deeds{})
	gone.stop()
	for _, test := range []struct {
		name   string
		server *server
		change func(*config.Config)
		says   string
	}{
		{"nobody there", gone, nil, "refused"},
		{"login refused", startServer(t, deeds{refuseLogin: true}), nil, "ERR_UNAUTHORIZED"},
		{"impostor", startServer(t, deeds{impostor: true}), nil, "signature"},
		{"message too long", startServer(t, deeds{}), func(c *config.Config) { c.Payload = config.Payload{Least: 64, Most: 5000} }, "at most 4096"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Run(context.Background(), small(t, test.server, test.change), progress.NewPlain(io.Discard), Outputs{})
			if !errors.Is(err, ErrSetup) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("Run = %v, want ErrSetup with %q", err, test.says)
			}
		})
	}
}

// An interrupt ends the load early; the run is judged all the same.
func TestInterruptIsJudged(t *testing.T) {
	s := startServer(t, deeds{})
	cfg := small(t, s, func(c *config.Config) { c.Duration = time.Hour })
	ctx, interrupt := context.WithCancel(context.Background())
	defer interrupt()
	display := progress.NewPlain(writerFunc(func(p []byte) (int, error) {
		if bytes.Contains(p, []byte("ok/s")) { // the first second is over
			interrupt()
		}
		return len(p), nil
	}))
	summary, err := Run(ctx, cfg, display, Outputs{})
	if err != nil {
		t.Fatal(err)
	}
	if !summary.Interrupted || !summary.Verdict.OK() || summary.DurationS > 60 {
		t.Errorf("interrupted %v: %s", summary.Interrupted, table(summary))
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// A server that is gone for good at the end cannot be judged: the money verdict fails.
func TestServerGoneFailsVerdict(t *testing.T) {
	s := startServer(t, deeds{})
	cfg := small(t, s, func(c *config.Config) { c.Duration, c.Timeout = time.Hour, time.Second })
	ctx, interrupt := context.WithCancel(context.Background())
	defer interrupt()
	display := progress.NewPlain(writerFunc(func(p []byte) (int, error) {
		if bytes.Contains(p, []byte("ok/s")) {
			go s.stop()
			interrupt()
		}
		return len(p), nil
	}))
	summary, err := Run(ctx, cfg, display, Outputs{})
	if err != nil {
		t.Fatal(err)
	}
	if summary.Verdict.MoneyOK {
		t.Errorf("money is OK without a server: %s", table(summary))
	}
}

func TestCSVHasARowASecond(t *testing.T) {
	s := startServer(t, deeds{})
	var text bytes.Buffer
	cfg := small(t, s, func(c *config.Config) { c.Duration = 1200 * time.Millisecond })
	summary, err := Run(context.Background(), cfg, progress.NewPlain(io.Discard), Outputs{CSV: &text})
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&text).ReadAll()
	if err != nil || len(rows) < 3 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	if rows[0][0] != "second" || rows[1][0] != "0" || rows[2][0] != "1" {
		t.Errorf("rows %v", rows)
	}
	if summary.LatencyUs.P50 <= 0 || summary.LatencyUs.P50 > summary.LatencyUs.Max {
		t.Errorf("latencies %+v", summary.LatencyUs)
	}
}

// The keys that others rely on are there, by name.
func TestJSONKeys(t *testing.T) {
	summary := runAgainst(t, startServer(t, deeds{}), nil)
	var text bytes.Buffer
	if err := summary.WriteJSON(&text); err != nil {
		t.Fatal(err)
	}
	var all map[string]any
	if err := json.Unmarshal(text.Bytes(), &all); err != nil {
		t.Fatal(err)
	}
	for key, inner := range map[string][]string{
		"requests_ok": nil, "requests_failed": nil, "req_per_s": nil,
		"latency_us": {"p50", "p95", "p99", "p999", "max"},
		"errors":     {"timeout", "busy", "checksum", "auth", "other"},
		"per_op":     {"CHAT_SEND", "TRANSFER"},
		"verdict":    {"chat_ok", "money_ok"},
	} {
		value, ok := all[key]
		if !ok {
			t.Errorf("no key %s", key)
		}
		for _, name := range inner {
			if _, ok := value.(map[string]any)[name]; !ok {
				t.Errorf("no key %s.%s", key, name)
			}
		}
	}
}
