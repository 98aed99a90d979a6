package version

import (
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestStringNamesVersionCommitAndCompiler(t *testing.T) {
	for _, part := range []string{Version, Commit, runtime.Version()} {
		if part == "" || !strings.Contains(String(), part) {
			t.Errorf("String() = %q lacks %q", String(), part)
		}
	}
}

// The names are the linker's only link to this package: a rename would silently leave the defaults in place.
func TestTheLinkerSetsTheVariables(t *testing.T) {
	program := filepath.Join(t.TempDir(), "print")
	const path = "tradechat.internal/liblog/version"
	flags := "-X " + path + ".Version=v9.8.7 -X " + path + ".Commit=abc123"
	if out, err := exec.Command("go", "build", "-ldflags", flags, "-o", program, "./testdata/print").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := exec.Command(program).Output()
	if err != nil || !strings.HasPrefix(string(out), "v9.8.7 (commit abc123, ") {
		t.Errorf("the program printed %q, %v", out, err)
	}
}
