package proc

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const shell = "/bin/sh"

func start(t *testing.T, script string) *Process {
	t.Helper()
	p, err := Start(Command{Path: shell, Args: []string{"-c", script}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	return p
}

func TestAwaitLine(t *testing.T) {
	p := start(t, "echo first; echo ready here; exec sleep 60")
	rest, err := p.AwaitLine(t.Context(), "ready ")
	if err != nil || rest != "here" {
		t.Fatalf("%q, %v", rest, err)
	}
	if lines := p.Lines(); len(lines) != 2 || lines[0] != "first" {
		t.Errorf("%q", lines)
	}
	if err := p.Stop(); !errors.Is(err, ErrUnclean) {
		t.Errorf("ended by SIGTERM: %v", err)
	}
}

func TestAwaitLineOfAProcessThatEnds(t *testing.T) {
	p := start(t, "echo almost")
	if rest, err := p.AwaitLine(t.Context(), "ready "); !errors.Is(err, ErrEnded) {
		t.Errorf("%q, %v", rest, err)
	}
	p = start(t, "echo ready at last")
	<-p.Ended()
	if rest, err := p.AwaitLine(t.Context(), "ready "); err != nil || rest != "at last" {
		t.Errorf("%q, %v", rest, err)
	}
}

func TestAwaitLineIsCutShort(t *testing.T) {
	p := start(t, "exec sleep 60")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if rest, err := p.AwaitLine(ctx, "ready "); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%q, %v", rest, err)
	}
}

func TestWaitTellsTheExitCode(t *testing.T) {
	if err := start(t, "exit 0").Wait(t.Context()); err != nil {
		t.Error(err)
	}
	if err := start(t, "exit 3").Wait(t.Context()); !errors.Is(err, ErrUnclean) || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("%v", err)
	}
}

func TestWaitStopsTheProcessWhenItsContextEnds(t *testing.T) {
	p := start(t, "trap 'exit 0' TERM; echo set; while :; do sleep 0.01; done")
	if _, err := p.AwaitLine(t.Context(), "set"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Wait(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	select {
	case <-p.Ended():
	default:
		t.Error("it still runs")
	}
	if err := p.Stop(); err != nil {
		t.Errorf("it ended with exit code 0, and can be stopped again: %v", err)
	}
}

func TestAProcessIsAGroupOfItsOwnAndSeesNoVariablesOfOurs(t *testing.T) {
	t.Setenv("TRADECHAT_WORKERS", "63")
	p, err := Start(Command{Path: shell, Folder: "/", Env: []string{"GIVEN=yes"},
		Args: []string{"-c", `echo "$GIVEN/$TRADECHAT_WORKERS/$PWD"; cut -d ' ' -f 5 /proc/$$/stat`}})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	lines := p.Lines()
	if len(lines) != 2 || lines[0] != "yes///" || strings.TrimSpace(lines[1]) != strconv.Itoa(p.PID()) {
		t.Errorf("%q, want yes/// and %d", lines, p.PID())
	}
}

func TestOutputKeepsWhatItHasRoomFor(t *testing.T) {
	o := newOutput()
	changed := o.changed()
	if n, err := o.Write([]byte("a\nb")); n != 3 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	<-changed
	if lines := o.lines(); len(lines) != 1 || lines[0] != "a" {
		t.Errorf("%q", lines)
	}
	flood := make([]byte, outputBytesMax)
	for range 2 {
		if n, err := o.Write(flood); n != len(flood) || err != nil {
			t.Errorf("%d, %v", n, err)
		}
	}
	if len(o.text) != outputBytesMax {
		t.Errorf("%d bytes are kept", len(o.text))
	}
}

func TestBinaries(t *testing.T) {
	folder := t.TempDir()
	for name, mode := range map[string]os.FileMode{"program": 0o755, "data": 0o644} {
		if err := os.WriteFile(filepath.Join(folder, name), nil, mode); err != nil {
			t.Fatal(err)
		}
	}
	b, err := FindBinaries(folder)
	if err != nil {
		t.Fatal(err)
	}
	if path, err := b.Path("program"); err != nil || path != filepath.Join(folder, "program") {
		t.Errorf("%q, %v", path, err)
	}
	for _, name := range []string{"data", "missing", "."} {
		if path, err := b.Path(name); !errors.Is(err, ErrNoBinary) {
			t.Errorf("%s: %q, %v", name, path, err)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if b, err := FindBinaries(""); err != nil || b.Folder() != filepath.Dir(self) {
		t.Errorf("%q, %v", b.Folder(), err)
	}
}

func TestAMissingProgramIsSaid(t *testing.T) {
	if _, err := Start(Command{Path: "/nonexistent/program"}); !errors.Is(err, syscall.ENOENT) {
		t.Errorf("%v", err)
	}
}

func TestAnotherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can choose another user")
	}
	p, err := Start(Command{Path: shell, Args: []string{"-c", "echo ready $(id -u):$(id -g); exec sleep 60"}, User: &syscall.Credential{Uid: 65534, Gid: 65534}})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Kill()
	if who, err := p.AwaitLine(t.Context(), "ready "); err != nil || who != "65534:65534" {
		t.Errorf("%q, %v", who, err)
	}
}
