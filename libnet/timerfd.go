package libnet

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// TimerFD is a nonblocking timerfd on the monotonic clock (timerfd_create(2)): readable once it has expired. It is
// open until Close; copies share it.
type TimerFD int

// NewTimerFD makes a disarmed timer, nonblocking and close-on-exec.
func NewTimerFD() (TimerFD, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	return TimerFD(fd), os.NewSyscallError("timerfd_create", err)
}

// Arm lets the timer expire after first, then every interval; interval 0 means once. A first of zero or less
// expires at once. It replaces what was armed before, and expirations not drained yet are forgotten.
func (t TimerFD) Arm(first, interval time.Duration) error {
	// The kernel reads a first of zero as "disarm".
	return t.set(max(first, 1), max(interval, 0))
}

// Disarm stops the timer and forgets its expirations.
func (t TimerFD) Disarm() error { return t.set(0, 0) }

func (t TimerFD) set(first, interval time.Duration) error {
	spec := unix.ItimerSpec{
		Value:    unix.NsecToTimespec(first.Nanoseconds()),
		Interval: unix.NsecToTimespec(interval.Nanoseconds()),
	}
	return os.NewSyscallError("timerfd_settime", unix.TimerfdSettime(int(t), 0, &spec, nil))
}

// Drain takes the number of expirations since the last Drain or Arm; 0 when there was none.
func (t TimerFD) Drain() (uint64, error) { return drainCounter(int(t), "read timerfd") }

// Close closes the descriptor.
func (t TimerFD) Close() error { return os.NewSyscallError("close", unix.Close(int(t))) }
