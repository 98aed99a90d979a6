package driver

import (
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// readNow is read(2) on a nonblocking socket. It never blocks, so the scheduler is not told of the system call: that
// is a tenth of a request's cost. p must not be empty.
func readNow(fd int, p []byte) (int, unix.Errno) {
	n, _, errno := unix.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)))
	return int(n), errno
}

// writeNow is send(2) on a nonblocking socket; a peer that is gone is EPIPE, not a signal. p must not be empty.
func writeNow(fd int, p []byte) (int, unix.Errno) {
	n, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)),
		unix.MSG_NOSIGNAL, 0, 0)
	return int(n), errno
}

// pollNow is epoll_pwait2(2) without a signal mask. A wait of nothing never blocks. in is room for the time to wait.
func pollNow(fd int, events []unix.EpollEvent, in *unix.Timespec, patience time.Duration) (int, unix.Errno) {
	*in = unix.NsecToTimespec(int64(patience))
	if patience == 0 {
		n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT2, uintptr(fd), uintptr(unsafe.Pointer(&events[0])),
			uintptr(len(events)), uintptr(unsafe.Pointer(in)), 0, 0)
		return int(n), errno
	}
	n, _, errno := unix.Syscall6(unix.SYS_EPOLL_PWAIT2, uintptr(fd), uintptr(unsafe.Pointer(&events[0])),
		uintptr(len(events)), uintptr(unsafe.Pointer(in)), 0, 0)
	return int(n), errno
}
