package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"tradechat.internal/liblog/program"
	"tradechat.internal/server/internal/heritage"
	"tradechat.internal/server/internal/role"
)

// TestChildStartedByHand: without what only the master can give, a child says so and does nothing.
func TestChildStartedByHand(t *testing.T) {
	t.Parallel()
	for _, described := range []string{"", "{}", `{"Role":"worker"}`} {
		child := exec.Command("/proc/self/exe")
		child.Env = append(os.Environ(), heritage.Variable+"="+described, quickRaceExit)
		out, err := child.CombinedOutput()
		if child.ProcessState.ExitCode() != program.ExitUsage || !strings.Contains(string(out), heritage.ErrHeritage.Error()) {
			t.Errorf("%q: %v, %q", described, err, out)
		}
	}
}

// TestEveryRoleRuns: the table of roles and that of their run functions have the same rows.
func TestEveryRoleRuns(t *testing.T) {
	t.Parallel()
	for _, p := range role.Table {
		if runs[p.Name] == nil {
			t.Errorf("%s has no run function", p.Title)
		}
	}
	if len(runs) != len(role.Table) {
		t.Errorf("%d run functions, %d roles", len(runs), len(role.Table))
	}
}
