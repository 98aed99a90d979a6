package libnet

import (
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// childEnv names the child program that a test wants this binary to be.
const childEnv = "LIBNET_TEST_CHILD"

func TestMain(m *testing.M) {
	if name := os.Getenv(childEnv); name != "" {
		if err := children[name](); err != nil {
			fmt.Fprintln(os.Stderr, "child", name, "failed:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// must fails the test on an error and passes the value on.
func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func closeAtEnd(t *testing.T, fds ...int) {
	t.Helper()
	t.Cleanup(func() {
		for _, fd := range fds {
			_ = unix.Close(fd)
		}
	})
}

func sockopt(t *testing.T, fd, level, option int) int {
	t.Helper()
	return must(unix.GetsockoptInt(fd, level, option))(t)
}

// wantNoAllocs runs f many times and fails the test if it allocates on the heap.
func wantNoAllocs(t *testing.T, f func()) {
	t.Helper()
	if raceDetector {
		t.Skip("allocations are not counted under the race detector")
	}
	if allocs := testing.AllocsPerRun(100, f); allocs != 0 {
		t.Errorf("%v allocations a run, want 0", allocs)
	}
}
