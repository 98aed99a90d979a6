package main

import (
	"go/format"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestEveryMutantFitsTheSource: what a mutant replaces is there, once, and what comes of it is Go.
func TestEveryMutantFitsTheSource(t *testing.T) {
	root := filepath.Join("..", "..", "..")
	names := make(map[string]bool)
	for _, m := range mutants {
		if names[m.name] {
			t.Errorf("two mutants are called %s", m.name)
		}
		names[m.name] = true
		source, err := os.ReadFile(filepath.Join(root, m.file))
		if err != nil {
			t.Fatal(err)
		}
		changed, err := m.apply(string(source))
		if err != nil {
			t.Error(err)
			continue
		}
		if !slices.ContainsFunc(checks, func(c check) bool { return c.sees(m.file) }) {
			t.Errorf("no check sees %s", m.file)
		}
		if changed == string(source) {
			t.Errorf("mutant %s changes nothing", m.name)
		}
		if _, err := format.Source([]byte(changed)); err != nil {
			t.Errorf("mutant %s: %v", m.name, err)
		}
	}
}
