package worker

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// poller is the epoll set of gnet's loop, which gnet does not give out.
type poller struct{ fd int }

var errNoPoller = errors.New("worker: the loop's epoll set is not among the open descriptors")

// findPoller is the epoll set that a descriptor is in, among those of this process. The kernel lists the members of each (proc_pid_fdinfo(5)).
func findPoller(member int) (poller, error) {
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return poller{-1}, fmt.Errorf("worker: %w", err)
	}
	for _, entry := range open {
		name, err := os.Readlink(filepath.Join("/proc/self/fd", entry.Name()))
		if err != nil || name != "anon_inode:[eventpoll]" {
			continue
		}
		text, err := os.ReadFile(filepath.Join("/proc/self/fdinfo", entry.Name()))
		if err == nil && hasMember(string(text), member) {
			fd, err := strconv.Atoi(entry.Name())
			return poller{fd}, err
		}
	}
	return poller{-1}, errNoPoller
}

func hasMember(fdinfo string, member int) bool {
	for line := range strings.Lines(fdinfo) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "tfd:" && f[1] == strconv.Itoa(member) {
			return true
		}
	}
	return false
}

// set replaces the events that a member waits for. Errors and hang-ups are reported in any case.
func (p poller) set(member int, events uint32) {
	if p.fd >= 0 {
		_ = unix.EpollCtl(p.fd, unix.EPOLL_CTL_MOD, member, &unix.EpollEvent{Fd: int32(member), Events: events})
	}
}

// writableWatch says when sockets take something again. It has an epoll set and a goroutine of its own, which waits in the runtime's
// poller, since an epoll set can be a member of another.
type writableWatch struct {
	set  *os.File
	fd   int
	tell func() // has the loop call take

	mu    sync.Mutex
	ready []int
}

func newWritableWatch(tell func()) (*writableWatch, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err == nil {
		err = unix.SetNonblock(fd, true) // so that the runtime's poller takes it
	}
	if err != nil {
		return nil, fmt.Errorf("worker: epoll: %w", err)
	}
	return &writableWatch{set: os.NewFile(uintptr(fd), "writable"), fd: fd, tell: tell}, nil
}

// await has a socket be told of once, when it takes something.
func (v *writableWatch) await(socket int) {
	if v == nil {
		return
	}
	event := unix.EpollEvent{Fd: int32(socket), Events: unix.EPOLLOUT | unix.EPOLLONESHOT}
	if unix.EpollCtl(v.fd, unix.EPOLL_CTL_MOD, socket, &event) != nil {
		_ = unix.EpollCtl(v.fd, unix.EPOLL_CTL_ADD, socket, &event)
	}
}

// forget takes out a socket that is being closed and whose description may live on.
func (v *writableWatch) forget(socket int) {
	if v != nil {
		_ = unix.EpollCtl(v.fd, unix.EPOLL_CTL_DEL, socket, nil)
	}
}

// take is the sockets that have become writable since the last call.
func (v *writableWatch) take() (sockets []int) {
	if v == nil {
		return nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	sockets, v.ready = v.ready, nil
	return sockets
}

// run collects events until close.
func (v *writableWatch) run() {
	raw, err := v.set.SyscallConn()
	if err != nil {
		return
	}
	var events [writableEventsMax]unix.EpollEvent
	for err == nil {
		n := 0
		err = raw.Read(func(uintptr) bool {
			n, _ = unix.EpollWait(v.fd, events[:], 0)
			return n > 0
		})
		if n <= 0 {
			continue
		}
		v.mu.Lock()
		for _, e := range events[:n] {
			v.ready = append(v.ready, int(e.Fd))
		}
		v.mu.Unlock()
		v.tell()
	}
}

func (v *writableWatch) close() { _ = v.set.Close() }
