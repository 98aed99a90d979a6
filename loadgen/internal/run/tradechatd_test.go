package run

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"tradechat.internal/loadgen/internal/config"
	"tradechat.internal/loadgen/internal/progress"
	"tradechat.internal/loadgen/internal/report"
	"tradechat.internal/loadgen/internal/sweep"
)

// readyMax and stopMax bound how long a tradechatd may take to start and to end.
const readyMax, stopMax = time.Minute, time.Minute

// builtFolder holds the tradechatd that was built.
var builtFolder string

// built makes the tradechatd that the tests run against, once.
var built = sync.OnceValues(func() (path string, err error) {
	if builtFolder, err = os.MkdirTemp("", "loadgen"); err != nil {
		return "", err
	}
	path = filepath.Join(builtFolder, "tradechatd")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", path, "./cmd/tradechatd")
	build.Dir = filepath.Join("..", "..", "..", "server")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if builtFolder != "" {
		_ = os.RemoveAll(builtFolder)
	}
	os.Exit(code)
}

// tradechatd is a real server, with processes of its own.
type tradechatd struct {
	address string
	master  *exec.Cmd
	log     *os.File
}

func startTradechatd(t *testing.T, workers int) *tradechatd {
	t.Helper()
	path, err := built()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	d := &tradechatd{master: exec.Command(path, "--listen", "127.0.0.1:0", "--workers", strconv.Itoa(workers),
		"--data", filepath.Join(folder, "data"),
		"--durability", "none", "--registration", "open", "--kdf-iterations", "4096", "--log-level", "warn")}
	if d.log, err = os.Create(filepath.Join(folder, "log")); err != nil {
		t.Fatal(err)
	}
	defer d.log.Close()
	d.master.Stderr = d.log
	stdout, err := d.master.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.master.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.stop(t) })
	ready := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(stdout).ReadString('\n')
		ready <- line
	}()
	select {
	case line := <-ready:
		address, ok := strings.CutPrefix(strings.TrimSpace(line), "ready ")
		if !ok {
			t.Fatalf("tradechatd said %q\n%s", line, d.said())
		}
		d.address = address
	case <-time.After(readyMax):
		t.Fatalf("tradechatd is not ready after %v", readyMax)
	}
	return d
}

// said is what it has logged.
func (d *tradechatd) said() string {
	text, err := os.ReadFile(d.log.Name())
	return fmt.Sprintf("%s%v", text, err)
}

func (d *tradechatd) stop(t *testing.T) {
	_ = d.master.Process.Signal(syscall.SIGTERM)
	kill := time.AfterFunc(stopMax, func() { _ = d.master.Process.Kill() })
	defer kill.Stop()
	if err := d.master.Wait(); err != nil {
		t.Errorf("tradechatd: %v\n%s", err, d.said())
	}
}

// children are the processes of the server but the master: its workers and the journal.
func (d *tradechatd) children(t *testing.T) (pids []int) {
	t.Helper()
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", d.master.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range lists {
		text, err := os.ReadFile(list)
		if err != nil {
			continue // the master's thread has ended
		}
		for field := range strings.FieldsSeq(string(text)) {
			pid, err := strconv.Atoi(field)
			if err != nil {
				t.Fatal(err)
			}
			pids = append(pids, pid)
		}
	}
	return pids
}

// run makes a load of the server and judges it.
func (d *tradechatd) run(t *testing.T, display *progress.Display, change func(*config.Config)) *report.Summary {
	t.Helper()
	cfg := config.Defaults()
	cfg.Server, cfg.Connections, cfg.Threads = d.address, 8, 2
	change(&cfg)
	if err := cfg.Complete(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	summary, err := Run(ctx, cfg, display, Outputs{})
	if err != nil {
		t.Fatalf("%v\n%s", err, d.said())
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

// standStill stops the worker for a while; the journal, with it.
func (d *tradechatd) standStill(t *testing.T, stall time.Duration) {
	pids := d.children(t)
	if len(pids) < 2 {
		t.Errorf("the server has the processes %v besides its master, want a worker and the journal", pids)
	}
	for _, pid := range pids {
		if err := unix.Kill(pid, unix.SIGSTOP); err != nil {
			t.Errorf("stop %d: %v", pid, err)
		}
	}
	time.Sleep(stall) // the stall itself
	for _, pid := range pids {
		if err := unix.Kill(pid, unix.SIGCONT); err != nil {
			t.Errorf("continue %d: %v", pid, err)
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
