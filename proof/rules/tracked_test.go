package rules_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The repository holds sources. In a module with one program, `go build ./...` writes that program beside its source, where it is
// easily committed.
func TestNoProgramIsTracked(t *testing.T) {
	const root = "../.."
	if _, err := os.Stat(filepath.Join(root, ".git")); err != nil {
		t.Skip("not a git checkout: ", err)
	}
	out, err := exec.CommandContext(t.Context(), "git", "-C", root, "ls-files", "-z").Output()
	if err != nil {
		t.Fatalf("git ls-files: %v", err)
	}
	files := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	if len(files) < 100 {
		t.Fatalf("git tracks only %d files: %v", len(files), files)
	}
	for _, file := range files {
		text, err := os.ReadFile(filepath.Join(root, file))
		if err == nil && isProgram(text) { // a file may be deleted and not committed yet
			t.Errorf("%s is a compiled program → git rm it, and build with -o", file)
		}
	}
}

func TestIsProgram(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	if !isProgram(text) {
		t.Errorf("%s is not taken for a program", self)
	}
	if isProgram([]byte("package p\n")) || isProgram(nil) {
		t.Error("a source is taken for a program")
	}
}

// isProgram says whether a file's bytes begin as an ELF file does.
func isProgram(text []byte) bool { return bytes.HasPrefix(text, []byte("\x7fELF")) }
