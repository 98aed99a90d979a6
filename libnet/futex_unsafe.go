package libnet

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// linux/futex.h; FUTEX_PRIVATE_FLAG stays clear, since the waiters are other processes.
const (
	futexOpWait = 0
	futexOpWake = 1
)

func futexWait(addr *uint32, val uint32, timeout *unix.Timespec) unix.Errno {
	_, _, errno := unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(addr)), futexOpWait, uintptr(val),
		uintptr(unsafe.Pointer(timeout)), 0, 0)
	return errno
}

// futexWake never blocks, so it may keep the scheduler's processor: RawSyscall6 saves the hand-over.
func futexWake(addr *uint32, n int) (int, unix.Errno) {
	woken, _, errno := unix.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(addr)), futexOpWake, uintptr(n), 0, 0, 0)
	return int(woken), errno
}
