package journal

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// place is a file and the name under which it is to be found. It is looked up for every group that is written, which unix.Fstatat would
// allocate for.
type place struct {
	name       []byte // ends in a zero byte
	file, seen unix.Stat_t
}

// placeOf remembers an open file and its name.
func placeOf(fd int, path string) (p place, err error) {
	if p.name, err = unix.ByteSliceFromString(path); err != nil {
		return p, err
	}
	return p, unix.Fstat(fd, &p.file)
}

// held tells whether the name still is that file's.
func (p *place) held() bool {
	at := unix.AT_FDCWD
	_, _, errno := unix.RawSyscall6(unix.SYS_NEWFSTATAT, uintptr(at), uintptr(unsafe.Pointer(&p.name[0])), uintptr(unsafe.Pointer(&p.seen)), 0, 0, 0)
	return errno == 0 && p.seen.Ino == p.file.Ino && p.seen.Dev == p.file.Dev
}
