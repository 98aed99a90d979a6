package cli

import (
	"bytes"
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
	for _, name := range []string{"demo", "chaos", "attacks"} {
		code, out, _ := run(t, name, "--help")
		for _, part := range []string{"Usage:\n  tradechat-proof " + name, "Examples:\n  tradechat-proof " + name, "--bin folder"} {
			if code != program.ExitOK || !strings.Contains(out, part) {
				t.Errorf("%s --help: exit code %d, no %q in:\n%s", name, code, part, out)
			}
		}
	}
	if _, out, _ := run(t); strings.Contains(out, "attacker") {
		t.Errorf("the attacker is not for people:\n%s", out)
	}
}

func TestWrongUsage(t *testing.T) {
	for _, c := range []struct{ args, says string }{
		{"nonsense", "nonsense"},
		{"attacks --attack loud", "attack \"loud\", want slowloris, length-bombs"},
		{"attacks --rate 0", "rate is 0"},
		{"demo --workers 1", "workers is 1"},
		{"demo --duration 1ms", "duration is 1ms"},
		{"chaos --workers 1", "workers is 1"},
		{"chaos --clients 5", "clients is 5, want 6 … 600"},
		{"chaos --kills -1", "kills is -1"},
		{"chaos --faults cut,nonsense", "no fault is called \"nonsense\"; there are kill-worker, kill-log-writer"},
		{"chaos --kills 5 --faults cut,delay", "none of the faults kills"},
	} {
		code, out, problems := run(t, strings.Fields(c.args)...)
		if code != program.ExitUsage || out != "" || !strings.Contains(problems, c.says) || !strings.Contains(problems, "--help") {
			t.Errorf("%s: exit code %d\n%s%s", c.args, code, out, problems)
		}
	}
}

func TestMissingProgramsAreNamed(t *testing.T) {
	folder := t.TempDir()
	for _, command := range []string{"demo", "chaos"} {
		code, _, problems := run(t, command, "--bin", folder)
		if code != program.ExitFailed || !strings.Contains(problems, filepath.Join(folder, "tradechatd")) || !strings.Contains(problems, "make build") {
			t.Errorf("%s: exit code %d: %s", command, code, problems)
		}
	}
}
