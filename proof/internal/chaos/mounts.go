package chaos

import (
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// mountsVariable tells this process, started again, that its mounts are its own.
const mountsVariable = "TRADECHAT_BENCH_MOUNTS"

// OwnMounts starts this program again, as the same process, in a mount namespace of its own, so that what it mounts is seen by
// nobody else and goes with it. It returns if that has been done, or cannot be done.
func OwnMounts() {
	if os.Getenv(mountsVariable) != "" {
		return
	}
	runtime.LockOSThread() // exec makes this thread the process
	defer runtime.UnlockOSThread()
	outcome := "own"
	if err := separate(); err != nil {
		outcome = err.Error()
	}
	if outcome != "own" {
		_ = os.Setenv(mountsVariable, outcome)
		return
	}
	err := unix.Exec("/proc/self/exe", os.Args, append(os.Environ(), mountsVariable+"="+outcome))
	_ = os.Setenv(mountsVariable, "exec: "+err.Error())
}

func separate() error {
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return os.NewSyscallError("unshare", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return os.NewSyscallError("mount", err)
	}
	return nil
}

// haveMounts is nil if this process may mount.
func haveMounts() error {
	if outcome := os.Getenv(mountsVariable); outcome != "own" {
		return fmt.Errorf("no mount namespace of its own (%s)", outcome)
	}
	return nil
}
