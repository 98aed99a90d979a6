package programs

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Run is one run of a program, with a TMPDIR of its own in which nothing may be left.
type Run struct {
	Cmd            *exec.Cmd
	Stdout, Stderr bytes.Buffer
	written        string // the file that StartUntil has one of them in
	Tmp            string
}

// New prepares a run.
func New(t *testing.T, name string, args ...string) *Run {
	t.Helper()
	tmp, err := os.MkdirTemp("", "tb") // short: a socket's path goes in there
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(tmp) })
	if err := os.Chmod(tmp, 0o711); err != nil { // PostgreSQL, which does not run as root, has a folder in there
		t.Fatal(err)
	}
	r := &Run{Tmp: tmp, Cmd: exec.Command(filepath.Join(Folder(t), name), args...)}
	r.Cmd.Env = append(os.Environ(), "TMPDIR="+tmp)
	r.Cmd.Stdout, r.Cmd.Stderr = &r.Stdout, &r.Stderr
	return r
}

// Start runs it in the background.
func (r *Run) Start(t *testing.T) {
	t.Helper()
	if err := r.Cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Cmd.Process.Kill() }) // it may have ended by itself
}

// StartUntil starts it, and returns what it has written to stream, one of the command's, once a part is in that.
func (r *Run) StartUntil(t *testing.T, stream *io.Writer, part string) string {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "written"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	*stream = file
	r.written = file.Name()
	r.Start(t)
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		text, err := os.ReadFile(r.written)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), part) {
			return string(text)
		}
	}
	t.Fatalf("no %q after a minute\n%s", part, r.Output())
	return ""
}

// WantInterruptible interrupts it, and checks that it says so and leaves nothing.
func (r *Run) WantInterruptible(t *testing.T) {
	t.Helper()
	if err := r.Cmd.Process.Signal(unix.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := r.Cmd.Wait(); err == nil || r.ExitCode() != 130 {
		t.Errorf("%v, want exit code 130\n%s", err, r.Output())
	}
	r.WantNothingLeft(t)
}

// ExitCode is how it ended.
func (r *Run) ExitCode() int { return r.Cmd.ProcessState.ExitCode() }

// Output is all that it has written.
func (r *Run) Output() string {
	written, _ := os.ReadFile(r.written) // none, or what the stream has that StartUntil was given
	return fmt.Sprintf("stdout:\n%s\nstderr:\n%s\n%s", &r.Stdout, &r.Stderr, written)
}

// WantNothingLeft checks that no folder of the run is there. Segments are the programs' own to check.
func (r *Run) WantNothingLeft(t *testing.T) {
	t.Helper()
	left, err := os.ReadDir(r.Tmp)
	if err != nil || len(left) != 0 {
		t.Errorf("left in its TMPDIR: %v, %v", left, err)
	}
}
