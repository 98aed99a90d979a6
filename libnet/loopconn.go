package libnet

import (
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// ConnForFD wraps a descriptor that is no socket (an eventfd, a timerfd, a pipe's end) as a *net.UnixConn, for event
// loops that take descriptors only as connections, such as gnet's Client.EnrollContext. The loop then dispatches it
// like a connection: for an eventfd or timerfd with the 8 bytes of the counter.
//
//	conn, err := libnet.ConnForFD(int(event))
//	...
//	_, err = gnetClient.EnrollContext(conn, wakeUp{})
//
// It makes a socketpair, turns one end into a net.UnixConn, and replaces the descriptor under it by a duplicate of
// fd (dup3(2)). The runtime's poller knows only the socket that is gone: do not Read or Write the conn itself, only
// hand it on.
//
// Who closes what: fd stays the caller's and open; the conn owns its duplicate and closes it with Close. An event
// loop duplicates once more on enrolling (gnet also closes the conn then) and closes that at the end. All of
// them share one description, so fd must be nonblocking, and the loop sees what anybody signals through fd.
// The loop must not be set to change socket buffer sizes: there is no socket under it.
func ConnForFD(fd int) (*net.UnixConn, error) {
	conn, err := pairedConn()
	if err != nil {
		return nil, err
	}
	err = control(conn, func(under int) error {
		return os.NewSyscallError("dup3", unix.Dup3(fd, under, unix.O_CLOEXEC))
	})
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("libnet: connection for descriptor %d: %w", fd, err)
	}
	return conn, nil
}

// pairedConn is one end of a socketpair whose other end is closed. No other descriptor of that end may stay open:
// the poller forgets it only when its description goes.
func pairedConn() (*net.UnixConn, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socketpair", err)
	}
	_ = unix.Close(pair[1])
	end := os.NewFile(uintptr(pair[0]), "socketpair")
	defer end.Close()
	conn, err := net.FileConn(end)
	if err != nil {
		return nil, fmt.Errorf("libnet: connection of a socketpair: %w", err)
	}
	return conn.(*net.UnixConn), nil
}
