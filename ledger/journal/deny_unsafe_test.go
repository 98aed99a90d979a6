package journal

import (
	"path/filepath"
	"runtime"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// deny makes the kernel answer system calls with an error, in all threads of this process.
func deny(calls map[uint32]unix.Errno) error {
	filter := []unix.SockFilter{{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS}} // the call's number
	for call, errno := range calls {
		filter = append(filter, unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: call},
			unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(errno)})
	}
	filter = append(filter, unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW})
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		return errno
	}
	return nil
}

// TestFallocateAndStatxAreConveniences: both are denied, as old container runtimes do, and the journal is written.
func TestFallocateAndStatxAreConveniences(t *testing.T) {
	if !deprived(t) {
		return
	}
	runtime.LockOSThread() // no_new_privs is a thread's, the filter is then given to all
	if err := deny(map[uint32]unix.Errno{unix.SYS_STATX: unix.EPERM, unix.SYS_FALLOCATE: unix.EPERM}); err != nil {
		t.Fatal("seccomp: ", err)
	}
	var seen unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, "/", 0, unix.STATX_INO, &seen); err != unix.EPERM {
		t.Fatalf("statx is not denied: %v", err)
	}
	w, err := proven(filepath.Join(t.TempDir(), "journal"), 2<<20)
	must(t, err)
	writesAndReads(t, w)
}
