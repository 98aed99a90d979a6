package rules_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestNightlyGoesOn: a layer that fails does not keep the next from running, and the worst exit code is the script's.
func TestNightlyGoesOn(t *testing.T) {
	folder := t.TempDir()
	stand := filepath.Join(folder, "make")
	const script = "#!/bin/sh\necho making $1\ncase $1 in fuzz) exit 2;; crash) exit 3;; esac\n"
	if err := os.WriteFile(stand, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	logs := filepath.Join(folder, "logs")
	nightly := func(layers ...string) (int, string) {
		cmd := exec.CommandContext(t.Context(), "../../scripts/nightly.sh", layers...)
		cmd.Env = append(os.Environ(), "MAKE="+stand, "LOGS="+logs)
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState == nil {
			t.Fatal(err)
		}
		return cmd.ProcessState.ExitCode(), string(out)
	}
	code, out := nightly("race", "crash", "fuzz", "durability")
	if code != 3 {
		t.Errorf("exit code %d, want 3, the worst\n%s", code, out)
	}
	for _, row := range []string{`race +ok +\d+`, `crash +failed \(3\) +\d+`, `fuzz +failed \(2\) +\d+`, `durability +ok +\d+`} {
		if !regexp.MustCompile(`(?m)^` + row + `  ` + regexp.QuoteMeta(logs)).MatchString(out) {
			t.Errorf("the table lacks %s:\n%s", row, out)
		}
	}
	if log, err := os.ReadFile(filepath.Join(logs, "durability.log")); err != nil || string(log) != "making durability\n" {
		t.Errorf("the log of the last layer: %q, %v", log, err)
	}
	if code, out := nightly("race", "no-such-layer"); code != 2 || !strings.Contains(out, "→") {
		t.Errorf("a layer that there is not: exit code %d, %s", code, out)
	}
}

// TestNeedNamesWhatIsMissing: what cannot be installed is named, with the package that has it.
func TestNeedNamesWhatIsMissing(t *testing.T) {
	folder := t.TempDir()
	for _, name := range []string{"bash", "id"} {
		path, err := exec.LookPath(name)
		if err == nil {
			err = os.Symlink(path, filepath.Join(folder, name))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "bash", "../../scripts/need.sh", "bash", "no-such-program=its-package")
	cmd.Env = []string{"PATH=" + folder} // without apt-get
	out, err := cmd.CombinedOutput()
	if err == nil || string(out) != "need: no-such-program not installed → install it (Debian and Ubuntu: apt-get install its-package)\n" {
		t.Errorf("%v, %q", err, out)
	}
	cmd = exec.CommandContext(t.Context(), "bash", "../../scripts/need.sh", "bash")
	cmd.Env = []string{"PATH=" + folder}
	if out, err := cmd.CombinedOutput(); err != nil || len(out) != 0 {
		t.Errorf("nothing is missing: %v, %q", err, out)
	}
}
