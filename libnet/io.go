package libnet

import (
	"fmt"
	"io"
	"time"

	"golang.org/x/sys/unix"
)

// ReadN fills buf from a blocking socket. The deadline bounds the whole call, however often data arrives; the zero
// time means none. It returns the bytes read: all of buf with a nil error, else fewer with
//
//   - io.EOF: the peer closed before the first byte,
//   - io.ErrUnexpectedEOF, wrapped: the peer closed in between,
//   - ErrTimeout, wrapped: the deadline passed,
//   - ErrNonblocking, wrapped: fd has O_NONBLOCK,
//   - a wrapped errno.
//
// It leaves SO_RCVTIMEO (socket(7)) set on the socket and blocks its thread. One reader at a time.
func ReadN(fd int, buf []byte, deadline time.Time) (int, error) {
	return reading.all(fd, buf, deadline)
}

// WriteN writes all of buf to a blocking socket; the rules are ReadN's, with SO_SNDTIMEO and without io.EOF.
// A peer that is gone is EPIPE or ECONNRESET, never SIGPIPE. One writer at a time.
func WriteN(fd int, buf []byte, deadline time.Time) (int, error) {
	return writing.all(fd, buf, deadline)
}

type direction int

const (
	reading direction = iota
	writing
)

func (d direction) String() string {
	if d == reading {
		return "read"
	}
	return "write"
}

func (d direction) timeoutOption() int {
	if d == reading {
		return unix.SO_RCVTIMEO
	}
	return unix.SO_SNDTIMEO
}

func (d direction) once(fd int, p []byte) (int, error) {
	if d == reading {
		return unix.Read(fd, p)
	}
	return unix.SendmsgN(fd, p, nil, nil, unix.MSG_NOSIGNAL)
}

func (d direction) all(fd int, buf []byte, deadline time.Time) (int, error) {
	done := 0
	for done < len(buf) {
		n, err := d.next(fd, buf[done:], deadline)
		if err == io.EOF && done == 0 {
			return 0, io.EOF
		}
		if err != nil {
			return done, d.failure(fd, done, len(buf), err)
		}
		done += n
	}
	return done, nil
}

// next moves at least one byte, unless it was interrupted: then none, and no error.
func (d direction) next(fd int, p []byte, deadline time.Time) (int, error) {
	if err := d.arm(fd, deadline); err != nil {
		return 0, err
	}
	n, err := d.once(fd, p)
	switch {
	case err == unix.EINTR:
		return 0, nil
	case err == unix.EAGAIN:
		return 0, stillBlocking(fd)
	case err != nil:
		return 0, err
	case n == 0:
		return 0, io.EOF
	}
	return n, nil
}

// arm bounds the next system call by what is left of the deadline.
func (d direction) arm(fd int, deadline time.Time) error {
	var limit unix.Timeval // zero: none
	if !deadline.IsZero() {
		left := time.Until(deadline)
		if left <= 0 {
			return ErrTimeout
		}
		limit = unix.NsecToTimeval(left.Nanoseconds())
	}
	return unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, d.timeoutOption(), &limit)
}

// stillBlocking tells a time-out of the kernel, which may come a clock tick before the deadline and is simply tried
// again, from a nonblocking descriptor, which would spin.
func stillBlocking(fd int) error {
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	if err == nil && flags&unix.O_NONBLOCK != 0 {
		return ErrNonblocking
	}
	return err
}

func (d direction) failure(fd, done, want int, err error) error {
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("libnet: %v %d of %d bytes on descriptor %d: %w", d, done, want, fd, err)
}
