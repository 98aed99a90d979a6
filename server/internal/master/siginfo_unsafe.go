package master

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// siginfoHeadBytes are si_signo, si_errno, si_code, and what aligns the union behind them to a word (sigaction(2)).
const siginfoHeadBytes = (12 + wordBytes - 1) / wordBytes * wordBytes

const wordBytes = int(unsafe.Sizeof(uintptr(0)))

// siginfoPID is si_pid, with which the union of a SIGCHLD begins; 0 if waitid(2) found nobody.
func siginfoPID(info *unix.Siginfo) int {
	return int(*(*int32)(unsafe.Add(unsafe.Pointer(info), siginfoHeadBytes)))
}
