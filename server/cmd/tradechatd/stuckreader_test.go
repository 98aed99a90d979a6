package main

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"tradechat.internal/liblog"
	"tradechat.internal/liblog/program"
	"tradechat.internal/libproto/serverstats"
)

// stuffed is a pipe into which nothing more fits, and whose reader does not read.
func stuffed(t *testing.T) (read, write *os.File) {
	t.Helper()
	read, write, err := os.Pipe()
	check(t, err)
	t.Cleanup(func() { _, _ = read.Close(), write.Close() })
	check(t, write.SetWriteDeadline(time.Now().Add(20*time.Millisecond)))
	line := []byte(strings.Repeat("x", 127) + "\n")
	for err == nil {
		_, err = write.Write(line)
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal(err)
	}
	return read, write
}

// TestStderrIsNotRead: the reader of the log has stopped reading before the first line. Workers are replaced, the watchdog works, clients are
// served, lost lines are counted, and a signal stops the server.
func TestStderrIsNotRead(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	read, write := stuffed(t)
	s.launch(actServer, func(cmd *exec.Cmd) {
		check(t, cmd.Stderr.(*os.File).Close())
		cmd.Stderr = write
	}, "--watchdog=500ms", "--stats-every=100ms")
	s.readyLine()
	first := s.stats()
	for n := 0; s.stats().Totals["log_lines_dropped"] == 0; n++ {
		if n > 100_000 {
			t.Fatal("no line of the log was dropped")
		}
		s.signal(unix.SIGUSR1) // some KiB of log
		s.hello()
	}
	check(t, unix.Kill(first.Workers[0].PID, unix.SIGKILL))
	check(t, unix.Kill(first.Workers[1].PID, unix.SIGSTOP))
	for deadline := time.Now().Add(patience); !replaced(first, s.stats()); {
		if time.Now().After(deadline) {
			t.Fatalf("not replaced: %+v", s.stats().Workers)
		}
	}
	s.hello()
	s.addUser("ann", 700)
	lines := make(chan string, 100_000)
	go func() {
		defer close(lines)
		for in := bufio.NewScanner(read); in.Scan(); {
			lines <- in.Text()
		}
	}()
	awaitLine(t, lines, "lines of the log were dropped", `"role":"master"`)
	s.signal(unix.SIGTERM)
	s.stopped()
}

// replaced tells whether both workers are other processes than before.
func replaced(before, now serverstats.Report) bool {
	if len(now.Workers) != len(before.Workers) {
		return false // the master has not started them yet
	}
	for i, w := range now.Workers {
		if w.State != serverstats.StateRunning || w.PID == before.Workers[i].PID {
			return false
		}
	}
	return true
}

func awaitLine(t *testing.T, lines <-chan string, parts ...string) {
	t.Helper()
	late := time.After(patience)
next:
	for {
		select {
		case line, open := <-lines:
			if !open {
				t.Fatalf("the log ended without %q", parts)
			}
			for _, part := range parts {
				if !strings.Contains(line, part) {
					continue next
				}
			}
			return
		case <-late:
			t.Fatalf("no line with %q", parts)
		}
	}
}

// TestStopWhileNothingIsRead: neither stdout nor stderr is ever read. The server serves and stops.
func TestStopWhileNothingIsRead(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	_, out := stuffed(t)
	_, errs := stuffed(t)
	s.launch(actServer, func(cmd *exec.Cmd) {
		check(t, errors.Join(cmd.Stdout.(*os.File).Close(), cmd.Stderr.(*os.File).Close()))
		cmd.Stdout, cmd.Stderr = out, errs
	})
	none := serverstats.Report{Workers: make([]serverstats.Worker, 2)}
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(s.data + "/admin.sock"); err == nil && replaced(none, s.stats()) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the workers do not start")
		}
	}
	s.addUser("ann", 700)
	began := time.Now()
	s.signal(unix.SIGTERM)
	if code := s.exit(); code != program.ExitOK {
		t.Errorf("exit code %d", code)
	}
	if took := time.Since(began); took > 5*time.Second+4*liblog.FlushMax {
		t.Errorf("the stop took %v", took)
	}
	s.gone()
}

// TestLastWordsAreWritten: what is queued is written before a process ends.
func TestLastWordsAreWritten(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	check(t, os.WriteFile(s.data, nil, 0o600)) // a file where the folder should be
	read, write, err := os.Pipe()
	check(t, err)
	s.launch(actServer, func(cmd *exec.Cmd) {
		check(t, cmd.Stderr.(*os.File).Close())
		cmd.Stderr = write
	})
	text, err := io.ReadAll(read)
	if err != nil || !strings.Contains(string(text), "not a directory") {
		t.Errorf("stderr %q, %v", text, err)
	}
	if code := s.exit(); code != program.ExitFailed {
		t.Errorf("exit code %d", code)
	}
}
