package rules_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var required = regexp.MustCompile(`(?m)^\s*(?:require )?([a-z][\w.-]*\.[a-z]+/\S+) (v\S+)( // indirect)?$`)

// All modules agree on the versions of what they share: who builds one alone gets what the others were tested with.
func TestModulesAgreeOnVersions(t *testing.T) {
	files, err := filepath.Glob("../../*/go.mod")
	if err != nil {
		t.Fatal(err)
	}
	tools, err := filepath.Glob("../../scripts/*/go.mod")
	if err != nil || len(files) < len(importOrder) || len(tools) == 0 {
		t.Fatalf("%d modules, %d tools: %v", len(files), len(tools), err)
	}
	type place struct{ version, file string }
	chosen := map[string]place{}
	for _, file := range append(files, tools...) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range required.FindAllStringSubmatch(string(text), -1) {
			module, version := m[1], m[2]
			if strings.HasPrefix(module, modulePrefix) || m[3] != "" { // what others need follows from the versions named here
				continue
			}
			if first, ok := chosen[module]; ok && first.version != version {
				t.Errorf("%s requires %s %s, and %s %s", file, module, version, first.file, first.version)
			} else if !ok {
				chosen[module] = place{version, file}
			}
		}
	}
	if len(chosen) < 10 {
		t.Errorf("only %d modules are required: %v", len(chosen), chosen)
	}
}
