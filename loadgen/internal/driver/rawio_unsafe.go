package driver

import (
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
