//go:build cgo

package capi

import (
	"errors"
	"os"
	"syscall"

	"github.com/rs/zerolog"
	"golang.org/x/sys/unix"
)

// zerolog reports a line that could not be written on stderr; here the sink tells the caller.
func init() { zerolog.ErrorHandler = func(error) {} }

// firstFD is the least descriptor that the library makes: 0, 1 and 2 are the caller's stdio, open or not.
const firstFD = 3

// sink is the file of a log, and remembers that a line was lost.
type sink struct {
	*os.File
	lost bool
}

func (s *sink) Write(line []byte) (int, error) {
	n, err := s.File.Write(line)
	if err != nil {
		s.lost = true
	}
	return n, err
}

// openFile opens a file for appending.
func openFile(path string) (*sink, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	return &sink{File: f}, nil
}

// openStderr is stderr under a descriptor of its own: to os.Stderr Go writes with SIGPIPE's default, which would end the
// caller's program.
func openStderr() (*sink, error) {
	fd, err := unix.FcntlInt(uintptr(syscall.Stderr), unix.F_DUPFD_CLOEXEC, firstFD)
	if err != nil {
		return nil, err
	}
	return &sink{File: os.NewFile(uintptr(fd), "stderr")}, nil
}

// sync brings the file to disk; what is no file of a disk has nothing to bring.
func (s *sink) sync() {
	raw, err := s.SyscallConn()
	if err == nil {
		err = raw.Control(func(fd uintptr) {
			if err := unix.Fdatasync(int(fd)); err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.EROFS) {
				s.lost = true
			}
		})
	}
	if err != nil {
		s.lost = true
	}
}
