package cli

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tradechat.internal/liblog/program"
	"tradechat.internal/loadgen/internal/config"
	"tradechat.internal/loadgen/internal/run"
)

// command runs the command with files as stdout and stderr.
func command(t *testing.T, args ...string) (code int, stdout, stderr string) {
	folder := t.TempDir()
	var files [2]*os.File
	for i, name := range []string{"stdout", "stderr"} {
		file, err := os.Create(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		files[i] = file
	}
	code = Main(args, files[0], files[1])
	var texts [2]string
	for i, file := range files {
		text, err := os.ReadFile(file.Name())
		if err != nil {
			t.Fatal(err)
		}
		texts[i] = string(text)
	}
	return code, texts[0], texts[1]
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{
		{"--no-such-flag"},
		{"argument"},
		{"--connections", "many"},
		{"--connections", "0"},
		{"--mix", "none"},
		{"--trade-ratio", "1,2"},
		{"--json", "/no/such/folder/file"},
		{"--hgrm", "/no/such/folder/file"},
		{"--slo", "p99<2"},
		{"--rate-sweep", "5:1:1"},
		{"--rate", "10", "--rate-sweep", "auto"},
		{"--payload", "9-8"},
		{"--password-file", "/no/such/file", "--json", "-", "--csv", "-"},
	} {
		code, stdout, stderr := command(t, args...)
		if code != program.ExitUsage || stdout != "" || !strings.HasPrefix(stderr, "tradechat-loadgen: ") {
			t.Errorf("%v: exit code %d, stdout %q, stderr %q", args, code, stdout, stderr)
		}
	}
}

func TestHelp(t *testing.T) {
	code, stdout, _ := command(t, "--help")
	for _, want := range []string{"Exit codes:\n  0    done", "--trade-ratio", "Examples:", "\nLoop:\n", "\nResults:\n",
		"  5    it ran and everything held", "--rate-sweep auto"} {
		if code != program.ExitOK || !strings.Contains(stdout, want) {
			t.Errorf("exit code %d, no %q in %q", code, want, stdout)
		}
	}
}

// A server that nobody is behind: a closed listener's port.
func TestNoServer(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := listener.Addr().String()
	listener.Close()
	code, stdout, stderr := command(t, "--server", addr)
	if code != program.ExitConnection || stdout != "" || !strings.Contains(stderr, "connection refused") {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
}

// TestServerOfTheEnvironment: TRADECHAT_SERVER says where to connect, and --server goes before it.
func TestServerOfTheEnvironment(t *testing.T) {
	var closed [2]string
	for i := range closed {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		closed[i] = listener.Addr().String()
		listener.Close()
	}
	t.Setenv(program.ServerVariable, closed[0])
	if code, _, stderr := command(t); code != program.ExitConnection || !strings.Contains(stderr, closed[0]) {
		t.Errorf("exit code %d, stderr %q: want a connection to %s", code, stderr, closed[0])
	}
	if code, _, stderr := command(t, "--server", closed[1]); code != program.ExitConnection || !strings.Contains(stderr, closed[1]) {
		t.Errorf("exit code %d, stderr %q: want a connection to %s", code, stderr, closed[1])
	}
}

// TestHelpThatCannotBeWritten is no success.
func TestHelpThatCannotBeWritten(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer full.Close()
	for _, arg := range []string{"--help", "--version"} {
		if code := Main([]string{arg}, full, os.Stderr); code != program.ExitOutput {
			t.Errorf("%s: exit code %d", arg, code)
		}
	}
}

func TestExitCodes(t *testing.T) {
	for want, err := range map[int]error{
		program.ExitOK:         nil,
		program.ExitFailed:     errVerdict,
		program.ExitUsage:      fmt.Errorf("so: %w", config.ErrInvalid),
		program.ExitConnection: fmt.Errorf("so: %w", run.ErrSetup),

		program.ExitObjective:   errObjective,
		program.ExitInterrupted: fmt.Errorf("%w: %w", run.ErrSetup, context.Canceled),
		program.ExitOutput:      fmt.Errorf("so: %w", program.ErrOutput),
	} {
		if got := exitCode(err); got != want {
			t.Errorf("exitCode(%v) = %d, want %d", err, got, want)
		}
	}
}
