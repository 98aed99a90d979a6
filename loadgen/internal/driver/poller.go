package driver

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// poller is one epoll(7) instance, level-triggered. A descriptor is known by a number that its owner chooses.
type poller struct {
	fd       int
	events   [eventsMax]unix.EpollEvent
	patience unix.Timespec
	coarse   bool // the kernel waits for whole milliseconds only
}

func newPoller() (*poller, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	return &poller{fd: fd}, nil
}

const (
	wantRead  = unix.EPOLLIN | unix.EPOLLRDHUP
	wantWrite = wantRead | unix.EPOLLOUT
)

func (p *poller) add(fd int, number int32, events uint32) error {
	return os.NewSyscallError("epoll_ctl", unix.EpollCtl(p.fd, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: events, Fd: number}))
}

func (p *poller) change(fd int, number int32, events uint32) error {
	return os.NewSyscallError("epoll_ctl", unix.EpollCtl(p.fd, unix.EPOLL_CTL_MOD, fd, &unix.EpollEvent{Events: events, Fd: number}))
}

// wait returns what is ready, nothing after the time is up; the slice is valid until the next call.
func (p *poller) wait(patience time.Duration) ([]unix.EpollEvent, error) {
	n, err := p.waitOnce(patience)
	if err == unix.EINTR {
		return nil, nil
	}
	return p.events[:max(n, 0)], os.NewSyscallError("epoll_wait", err)
}

// waitOnce is epoll_pwait2(2), which knows nanoseconds, or in Linux before 5.11 epoll_wait(2): a request of an open loop may
// be sent a millisecond late then, and is counted so.
func (p *poller) waitOnce(patience time.Duration) (int, error) {
	if !p.coarse {
		n, errno := pollNow(p.fd, p.events[:], &p.patience, patience)
		switch errno {
		case 0:
			return n, nil
		case unix.ENOSYS:
			p.coarse = true
		default:
			return 0, errno
		}
	}
	return unix.EpollWait(p.fd, p.events[:], int((patience + time.Millisecond - 1).Milliseconds()))
}

// sharpenTimers lets the kernel wake the calling thread on time; if it does not, requests are late, and counted so.
func sharpenTimers() { _ = unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(timerSlack), 0, 0, 0) }

func (p *poller) close() { _ = unix.Close(p.fd) }
