package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"tradechat.internal/server/internal/heritage"
	"tradechat.internal/testkit/proc"
)

// TestSignalsToChildrenAreIgnored: children end on the master's word alone.
func TestSignalsToChildrenAreIgnored(t *testing.T) {
	t.Parallel()
	s := newServer(t).start().ready()
	writer := s.stats().Journal.PID
	for _, pid := range []int{s.pid(0), s.pid(1), writer} {
		for _, sig := range heritage.Signals {
			check(t, unix.Kill(pid, sig.(unix.Signal)))
		}
	}
	s.addUser("ann", 700)
	s.hello()
	report := s.stats()
	if report.Restarts != 0 || report.Workers[0].PID != s.pid(0) || report.Workers[1].PID != s.pid(1) || report.Journal.PID != writer {
		t.Errorf("%d restarts, workers %+v, log writer %d", report.Restarts, report.Workers, report.Journal.PID)
	}
	s.signal(unix.SIGTERM)
	s.stopped()
}

// TestLogWriterKilledDuringAStop: with a worker that holds the stop up, the log writer is killed. It has a successor, which brings to disk
// what there is; only then it is asked to end.
func TestLogWriterKilledDuringAStop(t *testing.T) {
	t.Parallel()
	s := newServer(t).start("--durability=none", "--watchdog=1m").ready()
	s.addUser("ann", 700)
	writer := s.stats().Journal.PID
	check(t, proc.Freeze(s.pid(0)))
	s.signal(unix.SIGTERM)
	s.awaitMessage("stopping")
	check(t, unix.Kill(writer, unix.SIGKILL))
	s.awaitMessage("log writer crashed; answers wait for its successor")
	s.awaitMessage("log writer goes on")
	check(t, proc.Thaw(s.pid(0)))
	s.stopped()
}

// TestStoppedMasterIsNoticed: nobody but a child can say it.
func TestStoppedMasterIsNoticed(t *testing.T) {
	t.Parallel()
	s := newServer(t).start("--watchdog=500ms").ready()
	s.signal(unix.SIGSTOP)
	s.await("the master's silence", func(l logLine) bool {
		return l.Role == "logwriter" && strings.HasPrefix(l.Message, "the master stands still")
	})
	s.signal(unix.SIGCONT)
	s.awaitMessage("the master goes on")
	s.signal(unix.SIGTERM)
	s.stopped()
}

// TestStrangersAreReaped: a shell leaves a child to the tradechatd that it becomes, as a container leaves its orphans to PID 1.
func TestStrangersAreReaped(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.launch(actServer, func(cmd *exec.Cmd) {
		cmd.Path = "/bin/sh"
		cmd.Args = append([]string{"sh", "-c", `sleep 0.1 & exec "$0" "$@"`, cmd.Args[0]}, cmd.Args[1:]...)
		if self, err := os.Executable(); err == nil {
			cmd.Args[3] = self
		}
	})
	s.ready()
	deadline := time.Now().Add(patience)
	for {
		strangers := strangersOf(t, s.cmd.Process.Pid)
		if len(strangers) == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("children that are none of the server's: %v", strangers)
		}
		time.Sleep(10 * time.Millisecond)
	}
	s.hello()
	s.signal(unix.SIGTERM)
	s.stopped()
}

// strangersOf are the children of a process, zombies too, that are not called tradechatd.
func strangersOf(t *testing.T, pid int) (strangers []string) {
	t.Helper()
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	check(t, err)
	for _, list := range lists {
		children, err := os.ReadFile(list)
		if errors.Is(err, os.ErrNotExist) {
			continue // that thread has ended
		}
		check(t, err)
		for child := range strings.FieldsSeq(string(children)) {
			if comm, err := os.ReadFile("/proc/" + child + "/comm"); err == nil && !strings.HasPrefix(string(comm), "tradechatd") {
				strangers = append(strangers, child+" "+strings.TrimSpace(string(comm)))
			}
		}
	}
	return strangers
}
