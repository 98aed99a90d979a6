package bench_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// programs are ours, by the module that they are made from.
var programs = map[string]string{"tradechatd": "server", "tradechat": "client", "tradechat-loadgen": "loadgen", "tradechat-bench": "bench"}

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

func (r *benchRun) exitCode() int { return r.cmd.ProcessState.ExitCode() }

func (r *benchRun) output() string {
	return fmt.Sprintf("stdout:\n%s\nstderr:\n%s", &r.stdout, &r.stderr)
}

// wantNothingLeft checks that no folder of the run is there. Segments are the programs' own to check.
func (r *benchRun) wantNothingLeft(t *testing.T) {
	t.Helper()
	left, err := os.ReadDir(r.tmp)
	if err != nil || len(left) != 0 {
		t.Errorf("left in its TMPDIR: %v, %v", left, err)
	}
}
