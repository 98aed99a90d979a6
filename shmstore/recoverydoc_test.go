package shmstore

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestTheRecoveryPageNamesWhatExists: the tests and scripts that docs/recovery.md calls its proof are there, and so are the paths
// that it says are killed at every instruction.
func TestTheRecoveryPageNamesWhatExists(t *testing.T) {
	page, err := os.ReadFile("../docs/recovery.md")
	if err != nil {
		t.Fatal(err)
	}
	var source strings.Builder
	known := make(map[string]bool)
	err = filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		known[d.Name()] = true
		if strings.HasSuffix(path, "_test.go") {
			text, err := os.ReadFile(path)
			source.Write(text)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, op := range crashOperations {
		known["…/"+strings.ReplaceAll(op.name, " ", "_")] = true
	}
	names := regexp.MustCompile("`((?:Test[A-Z]|…/)[^`]*|[a-z-]+\\.txtar)`").FindAllStringSubmatch(string(page), -1)
	if len(names) < 20 {
		t.Fatalf("%d names found", len(names))
	}
	for _, match := range names {
		test, path, _ := strings.Cut(match[1], "/")
		path, _, _ = strings.Cut(path, "/")
		if (test == "…" || test == "TestKilledAtEveryInstruction" && path != "") && !known["…/"+path] {
			t.Errorf("docs/recovery.md: no path of make crash is called %s", path)
		}
		isTest, isScript := strings.HasPrefix(test, "Test"), strings.HasSuffix(test, ".txtar")
		if isTest && !strings.Contains(source.String(), "func "+test+"(") || isScript && !known[test] {
			t.Errorf("docs/recovery.md: there is no %s", test)
		}
	}
}
