package rules_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var shownFile = regexp.MustCompile(`\]\(([^)\s]*/)?([\w.-]+)\)`)

// docs/results holds what pages show, and the table and the other form of each picture. Everything else is made on demand.
func TestResultsAreShown(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	results, err := filepath.Glob("../../docs/results/*.md")
	if err != nil {
		t.Fatal(err)
	}
	shown := []string{"demo", "demo-stop"} // beside the pictures that the README shows of one run of the demo
	for _, page := range slices.Concat([]string{"../../README.md", "../../bench/README.md"}, pages, results) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range shownFile.FindAllStringSubmatch(string(text), -1) {
			shown = append(shown, strings.TrimSuffix(m[2], filepath.Ext(m[2])))
		}
	}
	files, err := os.ReadDir("../../docs/results")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		name, kind := strings.TrimSuffix(f.Name(), filepath.Ext(f.Name())), filepath.Ext(f.Name())
		if !slices.Contains(shown, name) || !slices.Contains([]string{".svg", ".png", ".csv", ".md", ".txt"}, kind) {
			t.Errorf("docs/results/%s: no page shows it: make results-pages removes it", f.Name())
		}
	}
}
