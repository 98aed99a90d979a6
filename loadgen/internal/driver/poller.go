package driver

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// poller is one epoll(7) instance, level-triggered. A descriptor is known by a number that its owner chooses.
type poller struct {
	fd     int
	events [eventsMax]unix.EpollEvent
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
	n, err := unix.EpollWait(p.fd, p.events[:], int(patience.Milliseconds()))
	if err == unix.EINTR {
		return nil, nil
	}
	return p.events[:max(n, 0)], os.NewSyscallError("epoll_wait", err)
}

func (p *poller) close() { _ = unix.Close(p.fd) }
