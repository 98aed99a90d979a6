//go:build cgo

package log

import (
	"errors"
	"os"

	"github.com/rs/zerolog"
	"golang.org/x/sys/unix"
)

// zerolog reports a line that could not be written on stderr; here the sink tells the caller.
func init() { zerolog.ErrorHandler = func(error) {} }

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

// open opens a file for appending.
func open(path string) (*sink, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	return &sink{File: f}, nil
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
