package libnet

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// FutexWait sleeps while *addr == val, until a FutexWake of the same word, a signal, or the time-out
// (futex(2), FUTEX_WAIT, shared between processes: addr may lie in memory mapped MAP_SHARED).
//
// nil means "look at the word again": woken, interrupted, or *addr was not val. The caller therefore loops and works
// out what is left of its own deadline. ErrTimeout means that the time-out, which is relative, passed; a time-out
// of zero or less is ErrTimeout at once. Anything else is a wrapped errno. Never allocates unless it fails so.
func FutexWait(addr *uint32, val uint32, timeout time.Duration) error {
	if timeout <= 0 {
		return ErrTimeout
	}
	ts := unix.NsecToTimespec(timeout.Nanoseconds())
	switch errno := futexWait(addr, val, &ts); errno {
	case 0, unix.EAGAIN, unix.EINTR:
		return nil
	case unix.ETIMEDOUT:
		return ErrTimeout
	default:
		return os.NewSyscallError("futex", errno)
	}
}

// FutexWake wakes up to n of the threads that wait for *addr, in any process, and returns how many it woke
// (futex(2), FUTEX_WAKE). It costs a system call even if nobody waits: keep a waiters bit in the word.
func FutexWake(addr *uint32, n int) (int, error) {
	woken, errno := futexWake(addr, n)
	if errno != 0 {
		return 0, os.NewSyscallError("futex", errno)
	}
	return woken, nil
}
