package rules_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// linesMax bounds a Go file: one concept a file.
const linesMax = 600

// unfinished are the words that mark unfinished work. They are put together here so as not to match themselves.
var unfinished = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X|HA` + `CK)\b`)

// sourceRule checks one Go file and returns what is wrong, "" if nothing is.
type sourceRule func(name, text string) string

var sourceRules = map[string]sourceRule{
	"unsafe is imported in *_unsafe.go only": unsafeInItsFiles,
	"files are short":                        shortEnough,
	"nothing is left unfinished":             finished,
}

func TestSourceRules(t *testing.T) {
	files := goFiles(t, "../..")
	if len(files) < len(importOrder) {
		t.Fatalf("only %d Go files under the root: %v", len(files), files)
	}
	for name, rule := range sourceRules {
		t.Run(name, func(t *testing.T) {
			for _, file := range files {
				text, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if problem := rule(file, string(text)); problem != "" {
					t.Errorf("%s: %s", file, problem)
				}
			}
		})
	}
}

func TestSourceRulesFindWhatTheyForbid(t *testing.T) {
	const imports = "package p\nimport \"unsafe\"\n"
	for _, c := range []struct {
		rule       sourceRule
		name, text string
		bad        bool
	}{
		{unsafeInItsFiles, "a.go", imports, true},
		{unsafeInItsFiles, "a_test.go", imports, true},
		{unsafeInItsFiles, "a_unsafe.go", imports, false},
		{unsafeInItsFiles, "a_unsafe_test.go", imports, false},
		{unsafeInItsFiles, "a.go", "package p\n// import \"unsafe\"\n", false},
		{unsafeInItsFiles, "a.go", "not Go", true},
		{shortEnough, "a.go", strings.Repeat("\n", linesMax), false},
		{shortEnough, "a.go", strings.Repeat("\n", linesMax+1), true},
		{finished, "a.go", "// TO" + "DO: later", true},
		{finished, "a.go", "// methodTO" + "DOs", false},
	} {
		if problem := c.rule(c.name, c.text); (problem != "") != c.bad {
			t.Errorf("%s with %.40q: problem %q, want one: %v", c.name, c.text, problem, c.bad)
		}
	}
}

func unsafeInItsFiles(name, text string) string {
	if strings.HasSuffix(name, "_unsafe.go") || strings.HasSuffix(name, "_unsafe_test.go") {
		return ""
	}
	file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ImportsOnly)
	if err != nil {
		return err.Error()
	}
	for _, imported := range file.Imports {
		if imported.Path.Value == `"unsafe"` {
			return "imports unsafe outside a file named *_unsafe.go"
		}
	}
	return ""
}

func shortEnough(name, text string) string {
	if strings.HasSuffix(name, "_gen.go") { // nobody reads it from top to bottom
		return ""
	}
	if strings.Count(text, "\n") > linesMax {
		return "is longer than 600 lines: one concept a file"
	}
	return ""
}

func finished(_, text string) string {
	return unfinished.FindString(text)
}

// goFiles are the Go files of all modules under root.
func goFiles(t *testing.T, root string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != root && strings.HasPrefix(entry.Name(), "."):
			return filepath.SkipDir
		case !entry.IsDir() && strings.HasSuffix(path, ".go"):
			files = append(files, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
