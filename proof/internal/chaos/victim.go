package chaos

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// victim is a process of the server, held by a descriptor: its number may become another's, this does not.
type victim struct{ pid, fd int }

// hold opens the process with a number that the server has just named; unix.ESRCH if it has ended.
func hold(pid int) (victim, error) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return victim{}, fmt.Errorf("chaos: process %d: %w", pid, err)
	}
	return victim{pid, fd}, nil
}

func (v victim) signal(s unix.Signal) error {
	if err := unix.PidfdSendSignal(v.fd, s, nil, 0); err != nil && err != unix.ESRCH {
		return fmt.Errorf("chaos: %v to process %d: %w", s, v.pid, err)
	}
	return nil
}

func (v victim) release() { _ = unix.Close(v.fd) }
