package bench_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// programs are ours, by the module that they are made from.
var programs = map[string]string{"tradechatd": "server", "tradechat": "cli", "tradechat-loadgen": "loadgen", "tradechat-bench": "bench"}

// binFolder makes the programs, once for all tests; TestMain removes the folder, which madeFolder names.
var (
	binFolder = sync.OnceValues(func() (string, error) {
		folder, err := os.MkdirTemp("", "tradechat-programs-")
		if err != nil {
			return "", err
		}
		madeFolder = folder
		for name, module := range programs {
			cmd := exec.Command("go", "build", "-o", filepath.Join(folder, name), "./cmd/"+name)
			cmd.Dir = filepath.Join("..", module)
			cmd.Env = append(os.Environ(), "GOWORK=off")
			if out, err := cmd.CombinedOutput(); err != nil {
				return folder, fmt.Errorf("go build %s: %w\n%s", name, err, out)
			}
		}
		return folder, nil
	})
	madeFolder string
)

func TestMain(m *testing.M) {
	code := m.Run()
	if madeFolder != "" {
		os.RemoveAll(madeFolder)
	}
	os.Exit(code)
}

// bin is the folder of the real programs.
func bin(t *testing.T) string {
	t.Helper()
	folder, err := binFolder()
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

// benchRun is one tradechat-bench, with a TMPDIR of its own in which nothing may be left.
type benchRun struct {
	cmd            *exec.Cmd
	stdout, stderr bytes.Buffer
	written        string // the file that startUntil has one of them in
	tmp            string
}

func newBenchRun(t *testing.T, args ...string) *benchRun {
	t.Helper()
	tmp, err := os.MkdirTemp("", "tb") // short: a socket's path goes in there
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(tmp) })
	if err := os.Chmod(tmp, 0o711); err != nil { // PostgreSQL, which does not run as root, has a folder in there
		t.Fatal(err)
	}
	r := &benchRun{tmp: tmp, cmd: exec.Command(filepath.Join(bin(t), "tradechat-bench"), args...)}
	r.cmd.Env = append(os.Environ(), "TMPDIR="+tmp)
	r.cmd.Stdout, r.cmd.Stderr = &r.stdout, &r.stderr
	return r
}

// start runs it in the background.
func (r *benchRun) start(t *testing.T) {
	t.Helper()
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.cmd.Process.Kill() })
}

// startUntil starts it, and returns what it has written to stream, one of the command's, once a part is in that.
func (r *benchRun) startUntil(t *testing.T, stream *io.Writer, part string) string {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "written"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	*stream = file
	r.written = file.Name()
	r.start(t)
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		text, err := os.ReadFile(r.written)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), part) {
			return string(text)
		}
	}
	t.Fatalf("no %q after a minute\n%s", part, r.output())
	return ""
}

// wantInterruptible interrupts it, and checks that it says so and leaves nothing.
func (r *benchRun) wantInterruptible(t *testing.T) {
	t.Helper()
	if err := r.cmd.Process.Signal(unix.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := r.cmd.Wait(); err == nil || r.exitCode() != 130 {
		t.Errorf("%v, want exit code 130\n%s", err, r.output())
	}
	r.wantNothingLeft(t)
}

func (r *benchRun) exitCode() int { return r.cmd.ProcessState.ExitCode() }

func (r *benchRun) output() string {
	written, _ := os.ReadFile(r.written) // none, or what the stream has that startUntil was given
	return fmt.Sprintf("stdout:\n%s\nstderr:\n%s\n%s", &r.stdout, &r.stderr, written)
}

// wantNothingLeft checks that no folder of the run is there. Segments are the programs' own to check.
func (r *benchRun) wantNothingLeft(t *testing.T) {
	t.Helper()
	left, err := os.ReadDir(r.tmp)
	if err != nil || len(left) != 0 {
		t.Errorf("left in its TMPDIR: %v, %v", left, err)
	}
}
