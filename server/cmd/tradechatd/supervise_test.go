package main

import (
	"encoding/binary"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"tradechat.internal/liblog/program"
	"tradechat.internal/libproto/serverstats"
	"tradechat.internal/testkit/proc"
)

// TestKilledWorkerIsReplaced kills the only worker and connects while there is none: the connection waits on the listening
// socket that the master holds, and the successor serves it.
func TestKilledWorkerIsReplaced(t *testing.T) {
	t.Parallel()
	s := newServer(t).start("--workers=1").ready()
	s.hello()
	victim := s.pid(0)
	check(t, unix.Kill(victim, unix.SIGKILL))
	begin := time.Now()
	s.hello()
	t.Logf("kill -9 to first answer of the successor: %v", time.Since(begin))
	if crash := s.awaitMessage("worker crashed"); crash.PID != victim || crash.How != "killed by SIGKILL" {
		t.Errorf("logged %+v", crash)
	}
	s.awaitMessage("slot repaired")
	s.awaitMessage("worker accepts")
	report := s.stats()
	w := report.Workers[0]
	if w.PID == victim || w.Restarts != 1 || w.Generation != 2 || w.State != serverstats.StateRunning || report.Restarts != 1 {
		t.Errorf("worker %+v, %d restarts", w, report.Restarts)
	}
	s.signal(unix.SIGTERM)
	s.stopped()
}

// TestWorkerThatEndsByItselfIsReplaced: an exit that nobody asked for is a crash (SIGQUIT has Go print the stacks and exit).
func TestWorkerThatEndsByItselfIsReplaced(t *testing.T) {
	t.Parallel()
	s := newServer(t).start().ready()
	victim := s.pid(1)
	check(t, unix.Kill(victim, unix.SIGQUIT))
	if crash := s.awaitMessage("worker crashed"); crash.PID != victim || crash.How != "exit code 2" {
		t.Errorf("logged %+v", crash)
	}
	s.await("a successor", func(l logLine) bool { return l.Message == "worker accepts" && l.Slot == 1 && l.PID != victim })
	s.signal(unix.SIGTERM)
	s.stopped()
}

func TestStoppedWorkerIsKilledByTheWatchdog(t *testing.T) {
	t.Parallel()
	s := newServer(t).start("--watchdog=500ms").ready()
	victim := s.pid(1)
	check(t, unix.Kill(victim, unix.SIGSTOP))
	crash := s.awaitMessage("worker crashed")
	if crash.PID != victim || crash.Killed != "no heartbeat" {
		t.Errorf("logged %+v", crash)
	}
	s.await("a successor", func(l logLine) bool { return l.Message == "worker accepts" && l.Slot == 1 && l.PID != victim })
	s.signal(unix.SIGTERM)
	s.stopped()
}

// TestStoppedMasterDoesNotJudge stops everything for longer than the watchdog waits: when it goes on, the master must not
// take the age of the heartbeats, which was its own doing as well, for death.
func TestStoppedMasterDoesNotJudge(t *testing.T) {
	t.Parallel()
	s := newServer(t).start("--watchdog=500ms").ready()
	group := -s.cmd.Process.Pid
	check(t, unix.Kill(group, unix.SIGSTOP))
	time.Sleep(700 * time.Millisecond) // the passing of time is what is tested
	check(t, unix.Kill(group, unix.SIGCONT))
	s.hello()
	s.signal(unix.SIGTERM)
	s.stopped()
	if strings.Contains(s.stderr(), "watchdog") {
		t.Error("the watchdog killed a worker that had only been stopped together with the master")
	}
}

func TestCrashLoopBacksOff(t *testing.T) {
	t.Parallel()
	s := newServer(t).start("--workers=1").ready()
	var starts []time.Time
	for range 4 {
		check(t, unix.Kill(s.pid(0), unix.SIGKILL))
		s.awaitMessage("worker accepts")
		starts = append(starts, time.Now())
	}
	// Pauses of none, 100, 200, 400 ms lie before the four; the last two are told apart from an immediate respawn.
	if pause := starts[3].Sub(starts[1]); pause < 600*time.Millisecond {
		t.Errorf("two respawns of a crash loop within %v, want pauses of 200 ms and 400 ms", pause)
	}
	if report := s.stats(); report.Restarts != 4 {
		t.Errorf("%d restarts", report.Restarts)
	}
	s.signal(unix.SIGTERM)
	s.stopped()
}

func TestStopOfAServerWithAStoppedWorker(t *testing.T) {
	t.Parallel()
	s := newServer(t).start().ready()
	check(t, proc.Freeze(s.pid(0)))
	s.signal(unix.SIGTERM)
	s.awaitMessage("stopping")
	s.signal(unix.SIGTERM) // hurries
	end := s.await("the end of worker 0", func(l logLine) bool { return l.Message == "worker ended" && l.Slot == 0 })
	if end.How != "killed by SIGKILL" {
		t.Errorf("worker 0: %s", end.How)
	}
	s.stopped()
}

func TestStatsOnSignal(t *testing.T) {
	t.Parallel()
	s := newServer(t).start("--stats-every=100ms").ready()
	s.awaitMessage("stats")
	s.signal(unix.SIGUSR1)
	if line := s.awaitMessage("statistics"); !strings.Contains(string(line.Stats), `"total_requests"`) {
		t.Errorf("stats %s", line.Stats)
	}
	s.signal(unix.SIGTERM)
	s.stopped()
}

// TestKilledMaster: its workers notice and end, and the next start goes on with what is in memory.
func TestKilledMaster(t *testing.T) {
	t.Parallel()
	s := newServer(t).start().ready()
	s.addUser("ann", 700)
	ended := watchEnds(t, s.pid(0), s.pid(1))
	s.signal(unix.SIGKILL)
	took := ended()
	t.Logf("the workers ended %v after their master", took)
	if took > 2*time.Second {
		t.Errorf("the workers ended only %v after their master", took)
	}
	next := s.successor().start()
	next.awaitMessage("an earlier run did not end cleanly: its segment was repaired and is used")
	next.ready()
	next.addUser("bob", 1)
	if v := next.stats().Verify; !v.OK || v.Users != 2 || v.Supply != 701 {
		t.Errorf("verify %+v", v)
	}
	next.signal(unix.SIGTERM)
	next.stopped()
}

// TestStartDuringTheEndOfAnEarlierRun starts at once after the master was killed: the lock of the folder, which the workers
// hold too, makes it wait for them.
func TestStartDuringTheEndOfAnEarlierRun(t *testing.T) {
	t.Parallel()
	s := newServer(t).start().ready()
	s.addUser("ann", 5)
	s.signal(unix.SIGKILL)
	next := s.successor().start().ready()
	if v := next.stats().Verify; !v.OK || v.Supply != 5 {
		t.Errorf("verify %+v", v)
	}
	next.signal(unix.SIGTERM)
	next.stopped()
}

// crashed is a server all of whose processes were killed at once.
func crashed(t *testing.T, args ...string) *server {
	s := newServer(t).start(args...).ready()
	s.addUser("ann", 700)
	ended := watchEnds(t, s.pid(0), s.pid(1))
	check(t, unix.Kill(-s.cmd.Process.Pid, unix.SIGKILL))
	ended()
	s.exit()
	return s
}

func TestAllProcessesKilledAtOnce(t *testing.T) {
	t.Parallel()
	next := crashed(t).successor().start().ready()
	if v := next.stats().Verify; !v.OK || v.Users != 1 || v.Supply != 700 {
		t.Errorf("verify %+v", v)
	}
	next.hello()
	next.signal(unix.SIGTERM)
	next.stopped()
}

// TestLeftoverOfOtherSettings: other tables need another segment, which is filled from the journal.
func TestLeftoverOfOtherSettings(t *testing.T) {
	t.Parallel()
	for _, flag := range []string{"--workers=3", "--lock-mode=global", "--log-records=1024"} {
		t.Run(flag, func(t *testing.T) {
			t.Parallel()
			next := crashed(t).successor().start(flag).ready()
			if !strings.Contains(next.stderr(), "the segment that a crashed run left is given up") {
				t.Error("nobody was told that the segment was given up")
			}
			if v := next.stats().Verify; !v.OK || v.Users != 1 {
				t.Errorf("verify %+v, want the journal's one user", v)
			}
			next.signal(unix.SIGTERM)
			next.stopped()
		})
	}
}

func patch(t *testing.T, path string, at int64, word uint32) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	check(t, err)
	defer file.Close()
	_, err = file.WriteAt(binary.NativeEndian.AppendUint32(nil, word), at)
	check(t, err)
}

// TestDamagedBooks changes a balance behind the server's back: the audits notice, and the segment is kept.
func TestDamagedBooks(t *testing.T) {
	t.Parallel()
	s := newServer(t).start().ready()
	s.addUser("ann", 7_777_777)
	patch(t, s.shm, s.findBalance(7_777_777), 7_777_778)
	if v := s.stats().Verify; v.OK || len(v.Problems) == 0 {
		t.Errorf("verify %+v", v)
	}
	s.signal(unix.SIGTERM)
	if line := s.line(); !strings.HasPrefix(line, "audit FAILED") {
		t.Errorf("stdout has %q", line)
	}
	s.refused(program.ExitFailed, "the final audit failed", s.shm, "--fresh")
	if _, err := os.Stat(s.shm); err != nil {
		t.Errorf("the segment was not kept: %v", err)
	}
	// The journal never saw the balance that was patched: it has the right one.
	next := s.successor().start().ready()
	if !strings.Contains(next.stderr(), "sum of balances 7777778 is not the supply 7777777") {
		t.Error("nobody was told what was wrong")
	}
	if v := next.stats().Verify; !v.OK || v.Supply != 7_777_777 {
		t.Errorf("verify %+v", v)
	}
	next.signal(unix.SIGTERM)
	next.stopped()
}

// findBalance is the offset of the balance of the one account that was opened with amount: an account's row has the balance,
// the last seq, the sum of deposits and the sum of withdrawals.
func (s *server) findBalance(amount uint64) int64 {
	s.t.Helper()
	content, err := os.ReadFile(s.shm)
	check(s.t, err)
	word := func(at int) uint64 { return binary.NativeEndian.Uint64(content[at:]) }
	for at := 0; at+32 <= len(content); at += 8 {
		if word(at) == amount && word(at+16) == amount && word(at+24) == 0 {
			return int64(at)
		}
	}
	s.t.Fatalf("no balance of %d in %s", amount, s.shm)
	return 0
}
