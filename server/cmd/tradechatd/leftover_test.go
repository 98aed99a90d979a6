package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"tradechat.internal/liblog/program"
	"tradechat.internal/testkit/proc"
)

const versionAt, readyAt, hashAt = 8, 12, 16 // docs/shm-layout.md

// goesOn starts a successor that must have the books of crashed, and lets it end.
func (s *server) goesOn(t *testing.T, logged string, args ...string) {
	t.Helper()
	next := s.successor().start(args...).ready()
	if !strings.Contains(next.stderr(), logged) {
		t.Errorf("the log lacks %q", logged)
	}
	if v := next.stats().Verify; !v.OK || v.Users != 1 || v.Supply != 700 {
		t.Errorf("verify %+v, want one user and 700", v)
	}
	next.signal(unix.SIGTERM)
	next.stopped()
}

// TestLeftoverThatIsGivenUp: what this build cannot use is replaced if the journal has all of it, as after --durability sync.
func TestLeftoverThatIsGivenUp(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(t *testing.T, path string){
		"another layout version": func(t *testing.T, path string) { patch(t, path, versionAt, 999) },
		"another layout hash":    func(t *testing.T, path string) { patch(t, path, hashAt, 999) },
		"unfinished":             func(t *testing.T, path string) { patch(t, path, readyAt, 0) },
		"truncated":              func(t *testing.T, path string) { check(t, os.Truncate(path, 1<<20)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := crashed(t)
			spoil(t, s.shm)
			s.goesOn(t, "the segment that a crashed run left is given up")
			if _, err := os.Stat(s.shm); err == nil {
				t.Errorf("%s is left", s.shm)
			}
		})
	}
}

// TestLeftoverThatNobodyCanJudge is refused: it may hold anything.
func TestLeftoverThatNobodyCanJudge(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, why string
		spoil     func(t *testing.T, path string)
	}{
		{"not a segment", "not a segment", func(t *testing.T, path string) { patch(t, path, 0, 0x21212121) }},
		{"older than the prefix", "version 2", func(t *testing.T, path string) { patch(t, path, versionAt, 2) }},
		{"cut before its head", "it has no byte", func(t *testing.T, path string) { check(t, os.Truncate(path, 4096)) }},
		{"writable by others", "its mode is 0666", func(t *testing.T, path string) { check(t, os.Chmod(path, 0o666)) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := crashed(t)
			c.spoil(t, s.shm)
			s.successor().start().refused(program.ExitFailed, c.why, s.shm, "--fresh, which discards it: what only it holds is lost")
			s.goesOn(t, "the segment of an earlier run is discarded", "--fresh")
		})
	}
}

// TestNameThatSomethingElseHas: what is not ours is neither used nor touched, and does not stop the start.
func TestNameThatSomethingElseHas(t *testing.T) {
	t.Parallel()
	for name, squat := range map[string]func(t *testing.T, s *server){
		"a link":   func(t *testing.T, s *server) { check(t, os.Symlink("/dev/null", s.shm)) },
		"a fifo":   func(t *testing.T, s *server) { check(t, unix.Mkfifo(s.shm, 0o600)) },
		"a folder": func(t *testing.T, s *server) { check(t, os.Mkdir(s.shm, 0o700)) },
		"another user's copy": func(t *testing.T, s *server) {
			if os.Geteuid() != 0 {
				t.Skip("only root can make another user's file")
			}
			check(t, exec.Command("cp", s.shm+".moved", s.shm).Run())
			patch(t, s.shm, s.findBalance(700), 900)
			check(t, os.Chmod(s.shm, 0o666))
			check(t, os.Chown(s.shm, 65534, 65534))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := crashed(t)
			check(t, os.Rename(s.shm, s.shm+".moved"))
			t.Cleanup(func() { os.Remove(s.shm + ".moved"); os.Remove(s.shm) })
			squat(t, s)
			before, err := os.Lstat(s.shm)
			check(t, err)
			check(t, os.Remove(s.shm+".moved"))
			next := s.successor().start().ready()
			if v := next.stats().Verify; !v.OK || v.Supply != 700 || next.shm == s.shm {
				t.Errorf("verify %+v on %s, want the journal's 700 on another segment", v, next.shm)
			}
			if !strings.Contains(next.stderr(), "something else has the name of the segment") {
				t.Error("nobody was told")
			}
			next.signal(unix.SIGTERM)
			next.stopped()
			after, err := os.Lstat(s.shm)
			if err != nil || !os.SameFile(before, after) || before.Mode() != after.Mode() {
				t.Errorf("what had the name was touched: %v, %v", after, err)
			}
		})
	}
}

// TestLeftoverOfAnotherJournal is not mixed with this one.
func TestLeftoverOfAnotherJournal(t *testing.T) {
	t.Parallel()
	s := crashed(t)
	journal := filepath.Join(s.data, "journal")
	check(t, os.Rename(journal, journal+".away"))
	s.successor().start().refused(program.ExitFailed, filepath.Base(s.shm), "belongs to journal", "put the journal's folder back", "--fresh")
	check(t, os.RemoveAll(journal))
	check(t, os.Rename(journal+".away", journal))
	s.goesOn(t, "its segment was repaired and is used")
}

// TestDataFolderMovedAfterACrash: the segment, which has records that are not on disk, is found by what the folder knows, and without
// that by the journal's identity, but never taken from a folder that knows it.
func TestDataFolderMovedAfterACrash(t *testing.T) {
	t.Parallel()
	for _, named := range []bool{true, false} {
		s := newServer(t).start("--durability=none").ready()
		journal := s.stats().Journal.PID
		check(t, proc.Freeze(journal))
		s.addUser("ann", 700)
		ended := watchEnds(t, s.pid(0), s.pid(1), journal)
		check(t, unix.Kill(-s.cmd.Process.Pid, unix.SIGKILL))
		ended()
		s.exit()

		copied := newServer(t)
		check(t, exec.Command("cp", "-a", s.data, copied.data).Run())
		check(t, os.Remove(filepath.Join(copied.data, "segment")))
		copied.start().ready()
		if v := copied.stats().Verify; copied.shm == s.shm || v.Supply != 0 {
			t.Errorf("a copy took %s of the folder that knows it, verify %+v", s.shm, v)
		}
		copied.signal(unix.SIGTERM)
		copied.stopped()

		moved := s.successor()
		moved.data += ".moved"
		check(t, os.Rename(s.data, moved.data))
		if !named {
			check(t, os.Remove(filepath.Join(moved.data, "segment")))
		}
		moved.goesOn(t, "its segment was repaired and is used", "--durability=none")
		if _, err := os.Stat(s.shm); err == nil {
			t.Errorf("%s is left", s.shm)
		}
	}
}

// written waits until the journal has all that is in the log.
func (s *server) written(t *testing.T) {
	t.Helper()
	for over := time.Now().Add(patience); time.Now().Before(over); {
		if j := s.stats().Journal; j.Lag == 0 && j.Durable != 0 {
			return
		}
	}
	t.Fatal("the journal does not write")
}

// TestDataFolderMovedUnderTheServer raises an alarm, which ends when the folder is back.
func TestDataFolderMovedUnderTheServer(t *testing.T) {
	t.Parallel()
	s := newServer(t).start("--durability=none").ready()
	s.written(t)
	check(t, os.Rename(s.data, s.data+".away"))
	s.awaitMessage("ALARM: a crash now would lose what is not in the journal")
	check(t, os.Rename(s.data+".away", s.data))
	s.awaitMessage("the alarms are over")
	if alarms := s.stats().Alarms; len(alarms) != 0 {
		t.Errorf("alarms %q", alarms)
	}
	check(t, os.Chmod(s.shm, 0o666))
	s.awaitMessage("ALARM: a crash now would lose what is not in the journal")
	if alarms := s.stats().Alarms; len(alarms) != 1 || !strings.Contains(alarms[0], "its mode is 0666") {
		t.Errorf("alarms %q", alarms)
	}
	s.signal(unix.SIGTERM)
	s.stopped()
}

// TestABuildWithOneMoreCounter: it is of the same layout, so it goes on with what the build before it left, records that are not on
// disk included, and reads that build's counters by name.
func TestABuildWithOneMoreCounter(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds the server")
	}
	t.Parallel()
	s := newServer(t).start("--durability=none", "--workers=1").ready()
	s.addUser("ann", 700)
	s.hello()
	before := s.stats()
	for before.Totals["bytes_in"] == 0 { // a turn is counted once its answers are written
		before = s.stats()
	}
	journal := before.Journal.PID
	check(t, proc.Freeze(journal))
	s.addUser("bob", 11)
	ended := watchEnds(t, s.pid(0), journal)
	check(t, unix.Kill(-s.cmd.Process.Pid, unix.SIGKILL))
	ended()
	s.exit()

	next := s.successor()
	next.program = buildWithACounter(t)
	next.start("--durability=none", "--workers=1").ready()
	report := next.stats()
	if v := report.Verify; !v.OK || v.Users != 2 || v.Supply != 711 || next.shm != s.shm {
		t.Errorf("verify %+v on %s, want 2 users and 711 on %s", v, next.shm, s.shm)
	}
	if n, has := report.Totals["one_more"]; !has || n != 0 {
		t.Errorf("one_more is %d, %v", n, has)
	}
	for _, name := range []string{"total_connections", "total_requests", "bytes_in"} {
		if report.Totals[name] < before.Totals[name] || report.Totals[name] > before.Totals[name]+1000 || before.Totals[name] == 0 {
			t.Errorf("%s is %d, was %d", name, report.Totals[name], before.Totals[name])
		}
	}
	next.signal(unix.SIGTERM)
	next.stopped()
}

// buildWithACounter builds tradechatd with another counter before all others.
func buildWithACounter(t *testing.T) string {
	t.Helper()
	source, err := filepath.Abs("../../../shmstore/metrics.go")
	check(t, err)
	text, err := os.ReadFile(source)
	check(t, err)
	list, table := []byte("CounterRequests Counter = iota\n"), []byte("= [counters]CounterInfo{\n")
	if !bytes.Contains(text, list) || !bytes.Contains(text, table) {
		t.Fatal("shmstore/metrics.go has another form")
	}
	text = bytes.Replace(text, list, []byte("CounterOneMore Counter = iota\n\tCounterRequests\n"), 1)
	text = bytes.Replace(text, table, append(table[:len(table):len(table)], "\tCounterOneMore: {\"one_more\", \"a new one\"},\n"...), 1)
	folder := t.TempDir()
	changed := filepath.Join(folder, "metrics.go")
	check(t, os.WriteFile(changed, text, 0o600))
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {source: changed}})
	check(t, err)
	check(t, os.WriteFile(filepath.Join(folder, "overlay.json"), overlay, 0o600))
	program := filepath.Join(folder, "tradechatd")
	if out, err := exec.Command("go", "build", "-overlay", filepath.Join(folder, "overlay.json"), "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}
