package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"tradechat.internal/liblog/program"
	"tradechat.internal/server/internal/heritage"
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
