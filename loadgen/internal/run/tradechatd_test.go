package run

import (
	"bytes"
	"context"
	"io"
	"sync"
	"testing"
	"time"

	"tradechat.internal/loadgen/internal/config"
	"tradechat.internal/loadgen/internal/progress"
	"tradechat.internal/loadgen/internal/report"
	"tradechat.internal/loadgen/internal/sweep"
	"tradechat.internal/testkit/proc"
	"tradechat.internal/testkit/programs"
	tradechatserver "tradechat.internal/testkit/server"
)

func TestMain(m *testing.M) { programs.Main(m) }

// tradechatd is a real server, with processes of its own.
type tradechatd struct{ *tradechatserver.Server }

func startTradechatd(t *testing.T, workers int) tradechatd {
	t.Helper()
	binaries, err := proc.FindBinaries(programs.Folder(t, "tradechatd"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := tradechatserver.Start(t.Context(), binaries, tradechatserver.Options{
		Workers: workers, Args: []string{"--durability", "none", "--registration", "open", "--log-level", "warn"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		defer s.Discard()
		if _, err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return tradechatd{s}
}

// run makes a load of the server and judges it.
func (d tradechatd) run(t *testing.T, display *progress.Display, change func(*config.Config)) *report.Summary {
	t.Helper()
	cfg := config.Defaults()
	cfg.Server, cfg.Connections, cfg.Threads = d.Address, 8, 2
	change(&cfg)
	if err := cfg.Complete(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	summary, err := Run(ctx, cfg, display, Outputs{})
	if err != nil {
		t.Fatal(d.Explain(err))
	}
	return summary
}

// A server that stands still for 300 ms in 3 s is seen by one in ten of those who ask at their own times. A measure from the
// sending on sees it in the requests alone that were in flight then, which are far fewer than one in a hundred.
func TestStallShowsInTheCorrectedLatencies(t *testing.T) {
	const stall = 300 * time.Millisecond
	d := startTradechatd(t, 1)
	var once sync.Once
	stalled := make(chan struct{})
	display := progress.NewPlain(writerFunc(func(p []byte) (int, error) {
		if bytes.Contains(p, []byte("ok/s")) { // the first interval is over
			once.Do(func() {
				go func() {
					defer close(stalled)
					d.standStill(t, stall)
				}()
			})
		}
		return len(p), nil
	}))
	summary := d.run(t, display, func(c *config.Config) {
		c.Mix, c.Rate, c.Duration, c.Interval = "transfer=1,balance=1", 2000, 3*time.Second, 500*time.Millisecond
	})
	<-stalled
	o := summary.OpenLoop
	if !summary.Verdict.OK() || o.Due != 6000 || o.Skipped != 0 || summary.RequestsFailed != summary.Errors.Busy {
		t.Fatalf("%+v%s", o, table(summary))
	}
	const half = float64(stall / time.Microsecond / 2)
	if corrected, uncorrected := summary.LatencyUs.P99, o.SinceSentUs.P99; corrected < half || uncorrected > corrected/3 {
		t.Errorf("p99 of %v µs, since the sending %v µs, want the first to show a stall of %v and the second not%s", corrected,
			uncorrected, stall, table(summary))
	}
	if o.SinceSentUs.Max < half || o.LateSends < 100 {
		t.Errorf("the stall is not in the longest latency since the sending, %v µs, or delayed no requests: %+v", o.SinceSentUs.Max, o)
	}
}

// standStill stops the workers and the log writer for a while.
func (d tradechatd) standStill(t *testing.T, stall time.Duration) {
	pids, err := d.PIDs(t.Context())
	if err != nil || len(pids) < 3 {
		t.Errorf("the server has the processes %v (%v), want a master, a worker and the log writer", pids, err)
		return
	}
	children := pids[1:]
	for _, pid := range children {
		if err := proc.Freeze(pid); err != nil {
			t.Error(err)
		}
	}
	time.Sleep(stall) // the stall itself
	for _, pid := range children {
		if err := proc.Thaw(pid); err != nil {
			t.Error(err)
		}
	}
}

// Everything at once against the real server, with its verdict.
func TestRealServerIsPassed(t *testing.T) {
	d := startTradechatd(t, 2)
	for _, test := range []struct {
		name   string
		change func(*config.Config)
	}{
		{"closed", func(c *config.Config) {
			c.Mix, c.Batch, c.Payload, c.Skew, c.Pipeline = "chat=3,heartbeat=1,transfer=2,withdraw=1,deposit=1,balance=1,batch=2", 20,
				config.Payload{Least: 22, Most: 900}, 0.99, 8
		}},
		{"open", func(c *config.Config) {
			c.Mix, c.Rate, c.Arrivals, c.Pipeline, c.ConnectRate = "mixed", 1000, "poisson", 4, 500
		}},
	} {
		summary := d.run(t, progress.NewPlain(io.Discard), func(c *config.Config) {
			c.Duration, c.WarmUp, c.RoomSize = time.Second, 200*time.Millisecond, 4
			test.change(c)
		})
		if !summary.Verdict.OK() || summary.RequestsOK == 0 || summary.RequestsFailed != summary.Errors.Busy || summary.Deliveries == 0 {
			t.Errorf("%s: %s", test.name, table(summary))
		}
	}
}

func TestSweepOfTheRealServer(t *testing.T) {
	summary := startTradechatd(t, 1).run(t, progress.NewPlain(io.Discard), func(c *config.Config) {
		c.Mix, c.RateSweep = "trade", sweep.Range{From: 100, To: 300, Step: 100}
		c.Duration, c.WarmUp = 500*time.Millisecond, 100*time.Millisecond
	})
	checkSteps(t, summary, 50, 100, 150)
}
