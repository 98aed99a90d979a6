package libnet

import (
	"encoding/binary"
	"os"

	"golang.org/x/sys/unix"
)

// EventFD is a nonblocking eventfd (eventfd(2)): a 64-bit counter that is readable while it is not zero. Its number
// may be passed to children and to an event loop. It is open until Close; copies share it.
type EventFD int

// NewEventFD makes an eventfd with the count zero, nonblocking and close-on-exec.
func NewEventFD() (EventFD, error) {
	fd, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	return EventFD(fd), os.NewSyscallError("eventfd", err)
}

var eventOne = binary.NativeEndian.AppendUint64(nil, 1)

// Signal adds 1, which makes the descriptor readable. A counter that is full is readable already: no error.
func (e EventFD) Signal() error {
	for {
		_, err := unix.Write(int(e), eventOne)
		switch err {
		case nil, unix.EAGAIN:
			return nil
		case unix.EINTR:
		default:
			return os.NewSyscallError("write eventfd", err)
		}
	}
}

// Drain takes the count, leaving zero; 0 when there was nothing to take.
func (e EventFD) Drain() (uint64, error) { return drainCounter(int(e), "read eventfd") }

// Close closes the descriptor.
func (e EventFD) Close() error { return os.NewSyscallError("close", unix.Close(int(e))) }

// drainCounter reads the 8-byte counter of a nonblocking eventfd or timerfd.
func drainCounter(fd int, call string) (uint64, error) {
	var word [8]byte
	for {
		_, err := unix.Read(fd, word[:])
		switch err {
		case nil:
			return binary.NativeEndian.Uint64(word[:]), nil
		case unix.EAGAIN:
			return 0, nil
		case unix.EINTR:
		default:
			return 0, os.NewSyscallError(call, err)
		}
	}
}
