package client_test

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"tradechat.internal/testkit/peertest"
)

// TestMain checks that every goroutine of a Client has ended when all Clients are closed.
func TestMain(m *testing.M) {
	code := m.Run()
	if left := leftRunning(time.Now().Add(peertest.Patience)); code == 0 && left != "" {
		fmt.Fprintf(os.Stderr, "goroutines are left:\n%s\n", left)
		code = 1
	}
	os.Exit(code)
}

// leftRunning waits until no goroutine runs a method of this package any more, and returns the stacks if some still do.
func leftRunning(deadline time.Time) string {
	for {
		var left []string
		for _, stack := range strings.Split(stacks(), "\n\n") {
			if strings.Contains(stack, "tradechat.internal/client.(*") {
				left = append(left, stack)
			}
		}
		if len(left) == 0 || time.Now().After(deadline) {
			return strings.Join(left, "\n\n")
		}
		runtime.Gosched()
	}
}

func stacks() string {
	buf := make([]byte, 1<<20)
	return string(buf[:runtime.Stack(buf, true)])
}
