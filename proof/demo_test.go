package proof_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"tradechat.internal/testkit/programs"
)

func TestDemoHolds(t *testing.T) {
	r := programs.New(t, "tradechat-proof", "demo", "--workers", "2", "--connections", "10", "--duration", "2s")
	t.Parallel()
	if err := r.Cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, r.Output())
	}
	out := r.Stdout.String()
	for _, part := range []string{
		"── Server: 2 workers", "── Load: 10 connections", "kill -9 ", "replaced after ", "── Metrics", "── Stop", "audit ok: ",
		"── Verdict", "ok      the killed worker was replaced", "ok      the load generator is content",
		"ok      every message was delivered once and in order", "ok      the money that it moved adds up",
		"ok      the running server's books are right", "ok      nothing is left in /dev/shm", "everything held\n",
	} {
		if !strings.Contains(out, part) {
			t.Errorf("no %q in the output", part)
		}
	}
	if t.Failed() {
		t.Log(r.Output())
	}
	r.WantNothingLeft(t)
	startedBy(t, out).wantGone(t)
}

func TestDemoThatIsInterruptedLeavesNothing(t *testing.T) {
	r := programs.New(t, "tradechat-proof", "demo", "--workers", "2", "--connections", "10", "--duration", "1m")
	t.Parallel()
	started := startDemo(t, r)
	if err := r.Cmd.Process.Signal(unix.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := r.Cmd.Wait(); err == nil || r.ExitCode() != 130 {
		t.Errorf("%v, want exit code 130\n%s", err, r.Output())
	}
	r.WantNothingLeft(t)
	started.wantGone(t)
}

// Nobody tells the server that a killed bench is gone, but the kernel.
func TestDemoThatIsKilledTakesTheServerWithIt(t *testing.T) {
	r := programs.New(t, "tradechat-proof", "demo", "--workers", "2", "--connections", "10", "--duration", "1m")
	t.Parallel()
	started := startDemo(t, r)
	if err := r.Cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = r.Cmd.Wait() // killed
	started.awaitGone(t)
}

// started is what a demo said that it has started.
type started struct {
	segment string
	pids    []int
}

// startDemo runs the demo and returns when its server is ready.
func startDemo(t *testing.T, r *programs.Run) started {
	t.Helper()
	return startedBy(t, r.StartUntil(t, &r.Cmd.Stdout, "\n$ tradechat-loadgen"))
}

var (
	segmentPath = regexp.MustCompile(`segment (/dev/shm/\S+),`)
	processes   = regexp.MustCompile(`master (\d+), workers ([\d ]+)`)
)

func startedBy(t *testing.T, output string) started {
	t.Helper()
	name, numbers := segmentPath.FindStringSubmatch(output), processes.FindStringSubmatch(output)
	if name == nil || numbers == nil {
		t.Fatalf("it does not say what it has started:\n%s", output)
	}
	s := started{segment: name[1]}
	for _, number := range append(strings.Fields(numbers[2]), numbers[1]) {
		pid, err := strconv.Atoi(number)
		if err != nil {
			t.Fatal(err)
		}
		s.pids = append(s.pids, pid)
	}
	return s
}

// left says what is still there. A zombie has no command line, and a process that took over a number another one.
func (s started) left() (list []string) {
	if _, err := os.Lstat(s.segment); !errors.Is(err, fs.ErrNotExist) {
		list = append(list, s.segment)
	}
	for _, pid := range s.pids {
		command, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
		if err == nil && strings.Contains(string(command), "tradechatd") {
			list = append(list, "process "+strconv.Itoa(pid))
		}
	}
	return list
}

func (s started) wantGone(t *testing.T) {
	t.Helper()
	if list := s.left(); len(list) > 0 {
		t.Errorf("left: %v", list)
	}
}

func (s started) awaitGone(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); len(s.left()) > 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.wantGone(t)
			return
		}
	}
}
