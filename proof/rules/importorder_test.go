package rules_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const modulePrefix = "tradechat.internal/"

// importRule says which of our modules one may import.
type importRule struct {
	module    string
	code      []string // what its code may import, and so its tests
	alsoTests []string // what only its tests may import
}

// The three libraries know nothing of the rest but what they share towards C. The client knows neither shared memory nor ledger, the ledger
// no shared memory. Nothing imports loadgen, proof or bench.
var importOrder = []importRule{
	{module: "capi"},
	{module: "libproto", code: []string{"capi"}},
	{module: "libnet", code: []string{"capi"}},
	{module: "liblog", code: []string{"capi"}},
	{module: "libtradechat", code: []string{"capi", "libproto", "libnet", "liblog"}},
	{module: "ledger"},
	{module: "shmstore", code: []string{"ledger", "libnet"}},
	{module: "client", code: []string{"libproto", "libnet", "liblog"}, alsoTests: []string{"testkit"}},
	{module: "testkit", code: []string{"client", "libproto", "libnet", "liblog"}},
	{module: "cli", code: []string{"client", "ledger", "libproto", "libnet", "liblog"}, alsoTests: []string{"testkit"}},
	{module: "server", code: []string{"libproto", "libnet", "liblog", "ledger", "shmstore"}, alsoTests: []string{"client", "testkit"}},
	{module: "loadgen", code: []string{"libproto", "libnet", "liblog"}, alsoTests: []string{"client", "testkit"}},
	{module: "proof", code: []string{"testkit", "client", "libproto", "libnet", "liblog"}},
	{module: "bench", code: []string{"testkit", "client", "libproto", "libnet", "liblog"}},
}

func TestImportOrder(t *testing.T) {
	for _, rule := range importOrder {
		t.Run(rule.module, func(t *testing.T) {
			wantWithin(t, "code", dependencies(t, rule.module), rule.module, rule.code)
			wantWithin(t, "tests", dependencies(t, rule.module, "-test"), rule.module, slices.Concat(rule.code, rule.alsoTests))
		})
	}
}

// A module without a row would escape the rules.
func TestEveryModuleHasAPlaceInTheImportOrder(t *testing.T) {
	found, err := filepath.Glob("../../*/go.mod")
	if err != nil || len(found) == 0 {
		t.Fatalf("modules beside this one: %v, %v", found, err)
	}
	for _, file := range found {
		module := filepath.Base(filepath.Dir(file))
		if !slices.ContainsFunc(importOrder, func(r importRule) bool { return r.module == module }) {
			t.Errorf("module %s has no row in importOrder", module)
		}
	}
}

func wantWithin(t *testing.T, what string, got []string, module string, allowed []string) {
	t.Helper()
	for _, m := range got {
		if m != module && !slices.Contains(allowed, m) {
			t.Errorf("%s of %s imports module %s; it may import %v", what, module, m, allowed)
		}
	}
}

// dependencies asks the go command which of our modules the packages of one need, directly or not.
func dependencies(t *testing.T, module string, flags ...string) (modules []string) {
	t.Helper()
	args := slices.Concat([]string{"list", "-deps", "-f", "{{.ImportPath}}"}, flags, []string{"./..."})
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = filepath.Join("../..", module)
	cmd.Env = append(os.Environ(), "GOWORK=off")
	var problems strings.Builder
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s in %s: %v\n%s", strings.Join(args, " "), module, err, problems.String())
	}
	for path := range strings.Lines(string(out)) {
		if m, ok := moduleOf(path); ok && !slices.Contains(modules, m) {
			modules = append(modules, m)
		}
	}
	if !slices.Contains(modules, module) {
		t.Errorf("go list in %s names none of its own packages:\n%s", module, out)
	}
	return modules
}

// moduleOf is the folder of our module that an import path lies in; test variants end in " [...]" or ".test".
func moduleOf(path string) (string, bool) {
	rest, ok := strings.CutPrefix(strings.TrimSpace(path), modulePrefix)
	module, _, _ := strings.Cut(rest, "/")
	module, _, _ = strings.Cut(module, " ")
	module = strings.TrimSuffix(strings.TrimSuffix(module, ".test"), "_test")
	return module, ok
}

func TestModuleOf(t *testing.T) {
	for path, want := range map[string]string{
		"fmt\n":                          "",
		"tradechat.internal/libnet\n":    "libnet",
		"tradechat.internal/libnet.test": "libnet",
		"tradechat.internal/libnet_test [tradechat.internal/libnet.test]":   "libnet",
		"tradechat.internal/server/internal/worker":                         "server",
		"tradechat.internal/liblog/version [tradechat.internal/x/y.test]\n": "liblog",
	} {
		got, ok := moduleOf(path)
		if ok != (want != "") || (ok && got != want) {
			t.Errorf("moduleOf(%q) = %q, %v; want %q", path, got, ok, want)
		}
	}
}
