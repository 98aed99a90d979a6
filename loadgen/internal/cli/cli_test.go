package cli

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

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
		if code != exitUsage || stdout != "" || !strings.HasPrefix(stderr, "tradechat-loadgen: ") {
			t.Errorf("%v: exit code %d, stdout %q, stderr %q", args, code, stdout, stderr)
		}
	}
}

func TestHelp(t *testing.T) {
	code, stdout, _ := command(t, "--help")
	for _, want := range []string{"Exit codes: 0 all well; 1 the verdict failed", "--trade-ratio", "Examples:", "\nLoop:\n", "\nResults:\n",
		"4 the verdict is good", "--rate-sweep auto"} {
		if code != exitOK || !strings.Contains(stdout, want) {
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
	if code != exitSetup || stdout != "" || !strings.Contains(stderr, "connection refused") {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
}

func TestExitCodes(t *testing.T) {
	for want, err := range map[int]error{
		exitOK:      nil,
		exitVerdict: errVerdict,
		exitUsage:   fmt.Errorf("so: %w", config.ErrInvalid),
		exitSetup:   fmt.Errorf("so: %w", run.ErrSetup),

		exitObjective: errObjective,
	} {
		if got := exitCode(err); got != want {
			t.Errorf("exitCode(%v) = %d, want %d", err, got, want)
		}
	}
}
