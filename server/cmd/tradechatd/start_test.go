package main

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"tradechat.internal/liblog/program"
	"tradechat.internal/shmstore"
)

func TestStartServesAndStopsCleanly(t *testing.T) {
	t.Parallel()
	for _, sig := range []syscall.Signal{unix.SIGTERM, unix.SIGINT, unix.SIGHUP} {
		s := newServer(t).start().ready()
		s.hello()
		s.addUser("ann", 700)
		info, err := os.Stat(filepath.Join(s.data, "admin.sock"))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("admin socket: mode %v, %v", info.Mode(), err)
		}
		report := s.stats()
		if !report.Verify.OK || report.Verify.Supply != 700 || len(report.Workers) != 2 || report.Totals["total_connections"] != 1 {
			t.Errorf("stats %+v", report)
		}
		s.signal(sig)
		s.stopped()
		if !strings.Contains(s.stderr(), "audit ok: users=1 ") {
			t.Error("the log lacks the audit")
		}
	}
}

func TestInterruptOfTheWholeProcessGroup(t *testing.T) {
	t.Parallel()
	s := newServer(t).start().ready()
	check(t, unix.Kill(-s.cmd.Process.Pid, unix.SIGINT))
	for range 2 {
		if end := s.awaitMessage("worker ended"); end.How != "exit code 0" {
			t.Errorf("worker %d: %s; it must have drained, not died of the signal", end.Slot, end.How)
		}
	}
	s.stopped()
}

func TestRealmOutlivesTheRun(t *testing.T) {
	t.Parallel()
	s := newServer(t).start().ready()
	s.signal(unix.SIGTERM)
	s.stopped()
	before, err := os.ReadFile(filepath.Join(s.data, "realm"))
	check(t, err)
	next := s.successor().start().ready()
	after, err := os.ReadFile(filepath.Join(s.data, "realm"))
	if err != nil || string(before) != string(after) {
		t.Errorf("realm %q, then %q (%v)", before, after, err)
	}
	next.signal(unix.SIGTERM)
	next.stopped()
}

func TestWrongUsage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		args    []string
		environ string
		why     []string
	}{
		{"value", []string{"--workers=0"}, "", []string{"--workers", `"0"`, "1 … 64"}},
		{"unknown flag", []string{"--worker=1"}, "", []string{"--worker"}},
		{"argument", []string{"serve"}, "", []string{"serve"}},
		{"environment", nil, "TRADECHAT_MAX_ROOMS=none", []string{"--max-rooms", "TRADECHAT_MAX_ROOMS", "1 … 16384"}},
		{"unknown variable", nil, "TRADECHAT_ROOMS=1", []string{"TRADECHAT_ROOMS"}},
		{"fresh in the environment", nil, "TRADECHAT_FRESH=true", []string{"--fresh"}},
		{"file", []string{"--config=/nonexistent"}, "", []string{"/nonexistent"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newServer(t)
			s.launch(actServer, func(cmd *exec.Cmd) { cmd.Env = append(cmd.Env, c.environ) }, c.args...)
			s.refused(program.ExitUsage, c.why...)
			s.gone()
			if _, err := os.Stat(s.data); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the data folder was made: %v", err)
			}
		})
	}
}

func TestBusyPort(t *testing.T) {
	t.Parallel()
	other, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	defer other.Close()
	s := newServer(t).start("--listen=" + other.Addr().String())
	s.refused(program.ExitFailed, other.Addr().String(), "address already in use", "another server listens there")
	s.gone()
}

func TestPortOfAnotherServer(t *testing.T) {
	t.Parallel()
	first := newServer(t).start().ready()
	second := newServer(t).start("--listen=" + first.address)
	second.refused(program.ExitFailed, first.address, "address already in use")
	second.gone()
	first.hello()
	first.signal(unix.SIGTERM)
	first.stopped()
}

func TestDataFolderThatIsAFile(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	check(t, os.WriteFile(s.data, nil, 0o600))
	s.start().refused(program.ExitFailed, s.data, "not a directory")
}

// TestSignalDuringTheStart: whatever the start has got as far as, it is undone.
func TestSignalDuringTheStart(t *testing.T) {
	t.Parallel()
	for _, moment := range []string{"segment made", "worker started", "worker accepts"} {
		s := newServer(t).start()
		s.awaitMessage(moment)
		s.signal(unix.SIGTERM)
		if code := s.exit(); code != 0 {
			t.Errorf("at %q: exit code %d", moment, code)
		}
		s.gone()
	}
}

func TestUnwritableDataFolder(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can start the server as a user who may not write there")
	}
	s := newServer(t)
	check(t, os.Mkdir(s.data, 0o755))
	s.launch(actServer, func(cmd *exec.Cmd) {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: 65534, Gid: 65534}
	})
	s.refused(program.ExitFailed, s.data, "permission denied")
	s.gone()
}

func TestTwoServersOnOneFolder(t *testing.T) {
	t.Parallel()
	first := newServer(t).start().ready()
	second := newServer(t)
	second.data = first.data
	second.start().refused(program.ExitFailed, first.data, "in use", "pid "+strconv.Itoa(first.cmd.Process.Pid))
	first.hello()
	first.signal(unix.SIGTERM)
	first.stopped()
}

func TestSignalWhileWaitingForTheFolder(t *testing.T) {
	t.Parallel()
	first := newServer(t).start().ready()
	second := newServer(t)
	second.data = first.data
	second.start().awaitMessage("the data folder is in use: waiting for its processes to end")
	second.signal(unix.SIGINT)
	second.refused(program.ExitFailed, "waiting for the data folder "+first.data)
	first.signal(unix.SIGTERM)
	first.stopped()
}

func TestDevShmTooSmall(t *testing.T) {
	t.Parallel()
	s := newServer(t).launch(actNoRoom, nil)
	if s.exit() == actNotPossible {
		t.Skip("no mount namespace to be had")
	}
	s.refused(program.ExitFailed, "not enough shared memory", "bytes needed", "--max-users")
	s.gone()
}

func TestFileSizeLimit(t *testing.T) {
	t.Parallel()
	s := newServer(t).launch(actNoSize, nil)
	s.refused(program.ExitFailed, shmstore.Folder, "file too large")
	s.gone()
}

// TestWorkersThatCannotStart gives them too few descriptors.
func TestWorkersThatCannotStart(t *testing.T) {
	t.Parallel()
	s := newServer(t).launch(actNoFiles, nil)
	if line := s.line(); !strings.HasPrefix(line, "audit ok: ") {
		t.Errorf("stdout has %q", line)
	}
	s.refused(program.ExitFailed, "the workers do not start", "exit code")
	if !strings.Contains(s.stderr(), "RLIMIT_NOFILE") {
		t.Error("the log does not say why")
	}
	s.gone()
}

func TestAdminSocketPathTooLong(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.data = filepath.Join(s.data, strings.Repeat("x", 100))
	s.start().refused(program.ExitFailed, "admin socket", "--data")
	s.gone()
}

// TestStderrWithoutReader: a log that nobody reads does not end the server.
func TestStderrWithoutReader(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	read, write, err := os.Pipe()
	check(t, err)
	check(t, read.Close())
	s.launch(actServer, func(cmd *exec.Cmd) {
		check(t, cmd.Stderr.(*os.File).Close())
		cmd.Stderr = write
	})
	s.readyLine()
	s.hello()
	s.signal(unix.SIGTERM)
	s.stopped()
}
