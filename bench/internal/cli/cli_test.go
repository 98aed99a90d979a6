package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tradechat.internal/liblog/program"
)

// run executes a command line in this process.
func run(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, problems bytes.Buffer
	code = Main(args, &out, &problems)
	return code, out.String(), problems.String()
}

func TestEveryCommandHasHelpAndExamples(t *testing.T) {
	commands := append(names(measurements()), "figures", "peers", "real-test", "report")
	for _, name := range commands {
		code, out, _ := run(t, name, "--help")
		for _, part := range []string{"Usage:\n  tradechat-bench " + name, "Examples:\n  tradechat-bench " + name, "--bin folder"} {
			if code != program.ExitOK || !strings.Contains(out, part) {
				t.Errorf("%s --help: exit code %d, no %q in:\n%s", name, code, part, out)
			}
		}
	}
	_, out, _ := run(t)
	for _, name := range commands {
		if !strings.Contains(out, "\n  "+name+" ") {
			t.Errorf("the list of commands lacks %s:\n%s", name, out)
		}
	}
	for _, hidden := range []string{"echo-server", "nats-server", "nats-service"} {
		if strings.Contains(out, hidden) {
			t.Errorf("%s is not for people:\n%s", hidden, out)
		}
	}
}

func TestVersion(t *testing.T) {
	code, out, _ := run(t, "--version")
	if code != program.ExitOK || !strings.HasPrefix(out, "tradechat-bench ") || !strings.Contains(out, "commit") {
		t.Errorf("%d: %q", code, out)
	}
}

func TestWrongUsage(t *testing.T) {
	for _, c := range []struct{ args, says string }{
		{"nonsense", "nonsense"},
		{"echo more", "more"},
		{"echo --nonsense", "nonsense"},
		{"echo --rounds 0", "rounds is 0, want 1 … 1000"},
		{"echo --rounds many", "many"},
		{"echo --durability perhaps", "durability is \"perhaps\", want sync, async, none"},
		{"echo --duration 1ns --workers 0", "workers is 0"},
		{"respawn --workers 1", "workers is 1, want 2 … 64"},
		{"idle-memory --connections 0", "connections is 0"},
		{"allocs --depth 1025", "depth is 1025"},
		{"go-bench --count 0", "count is 0"},
		{"peers --only mysql", "only is \"mysql\"; there are redis, postgres, nats, echo"},
		{"peers --only=", "only names nothing"},
		{"peers --rounds 0 --duration 1ms", "rounds is 0, want 1 … 100"},
		{"peers --subscribers 1", "subscribers is 1"},
		{"real-test --only nonsense", "there is no test \"nonsense\": there are mixed, contention, payload, workers, locks, lock-batches, lock-holder, durability, pipeline, kill"},
		{"real-test --duration 1ms", "duration is 1ms"},
		{"report", "accepts 1 arg"},
		{"figures --skip nonsense", "--skip nonsense: there are go-bench, allocs, echo, idle-memory, respawn"},
	} {
		code, out, problems := run(t, strings.Fields(c.args)...)
		if code != program.ExitUsage || out != "" || !strings.Contains(problems, c.says) || !strings.Contains(problems, "--help`") {
			t.Errorf("%s: exit code %d, stdout %q, stderr %q; want 2 and %q", c.args, code, out, problems, c.says)
		}
	}
}

func TestMissingProgramsAreNamed(t *testing.T) {
	folder := t.TempDir()
	for _, command := range []string{"allocs", "echo", "respawn", "idle-memory --connections 1", "peers --quick --only echo", "real-test --only mixed --out " + folder} {
		code, _, problems := run(t, append(strings.Fields(command), "--bin", folder)...)
		if code != program.ExitFailed || !strings.Contains(problems, filepath.Join(folder, "tradechatd")) || !strings.Contains(problems, "make build") {
			t.Errorf("%s: exit code %d: %s", command, code, problems)
		}
	}
}

// benchFile holds the output of the libraries' benchmarks with a time for each.
func benchFile(t *testing.T, encodeNs, transferNs string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bench.txt")
	text := "BenchmarkEncodeTransfer-2 100 " + encodeNs + " ns/op 0 B/op 0 allocs/op\n" +
		"BenchmarkDecodeTransfer-2 100 20 ns/op 0 B/op 0 allocs/op\n" +
		"BenchmarkTransfer/account-2 100 " + transferNs + " ns/op 0 B/op 0 allocs/op\n" +
		"BenchmarkTransferTwoProcesses-2 100 100 ns/op 0 B/op 0 allocs/op\n" +
		"BenchmarkAppend/group=256-2 100 200 ns/op 5 Mrecords/s 0 B/op 0 allocs/op\n" +
		"BenchmarkRecover/group=24-2 1 2000000000 ns/op 5 Mrecords/s 0 B/op 0 allocs/op\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCheckDecidesTheExitCode(t *testing.T) {
	good, bad := benchFile(t, "30", "70"), benchFile(t, "30", "90")
	for _, c := range []struct {
		args []string
		want int
	}{
		{[]string{"--bench-output", good, "--check"}, program.ExitOK},
		{[]string{"--bench-output", bad, "--check"}, program.ExitObjective},
		{[]string{"--bench-output", bad}, program.ExitOK},
		{[]string{"--bench-output", bad + ".missing"}, program.ExitFailed},
	} {
		if code, _, problems := run(t, append([]string{"go-bench"}, c.args...)...); code != c.want {
			t.Errorf("%v: exit code %d, want %d: %s", c.args, code, c.want, problems)
		}
	}
}

func TestResultsGoWhereTheyAreWanted(t *testing.T) {
	input, folder := benchFile(t, "30", "90"), t.TempDir()
	jsonFile, markdownFile := filepath.Join(folder, "f.json"), filepath.Join(folder, "f.md")
	code, out, problems := run(t, "go-bench", "--bench-output", input, "--json", jsonFile, "--markdown", markdownFile)
	if code != program.ExitOK || !strings.HasPrefix(out, "what ") || !strings.Contains(out, "90 ns") || !strings.Contains(out, "MISSED") {
		t.Errorf("exit code %d, %s, stdout:\n%s", code, problems, out)
	}
	markdown, err := os.ReadFile(markdownFile)
	if err != nil || !strings.HasPrefix(string(markdown), "| what |") {
		t.Errorf("%v, %s", err, markdown)
	}
	encoded, err := os.ReadFile(jsonFile)
	if err != nil || !json.Valid(encoded) {
		t.Errorf("%v, %s", err, encoded)
	}
	if _, out, _ = run(t, "go-bench", "--bench-output", input, "--json", "-"); out[0] != '{' || !json.Valid([]byte(out)) {
		t.Errorf("stdout is not JSON alone:\n%s", out)
	}
	if code, _, problems := run(t, "go-bench", "--bench-output", input, "--json", folder); code != program.ExitFailed {
		t.Errorf("JSON into a folder: exit code %d, %s", code, problems)
	}
}

// What was measured is printed even though something else could not be.
func TestFiguresGoOnAfterAFailure(t *testing.T) {
	code, out, problems := run(t, "figures", "--bin", t.TempDir(), "--bench-output", benchFile(t, "30", "70"), "--skip", "idle-memory,respawn,allocs")
	if code != program.ExitFailed || !strings.Contains(out, "70 ns") || !strings.Contains(problems, "echo: ") || strings.Contains(problems, "respawn") {
		t.Errorf("exit code %d, stderr:\n%s\nstdout:\n%s", code, problems, out)
	}
}
