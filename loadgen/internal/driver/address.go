package driver

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"

	"golang.org/x/sys/unix"

	"tradechat.internal/libnet"
)

// resolve finds out where to connect, once for all connections: every address of the name, in the order in which they are to be
// tried. No host is this machine.
func resolve(server string) ([]netip.AddrPort, error) {
	host, service, err := net.SplitHostPort(server)
	if err != nil {
		return nil, fmt.Errorf("server %q: %w", server, err)
	}
	port, err := net.DefaultResolver.LookupPort(context.Background(), "tcp", service)
	if err != nil {
		return nil, fmt.Errorf("server %q: %w", server, err)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	found, err := net.DefaultResolver.LookupNetIP(context.Background(), "ip", host)
	if err != nil {
		return nil, fmt.Errorf("server %q: %w", server, err)
	}
	var servers []netip.AddrPort
	for _, ip := range found {
		at := netip.AddrPortFrom(ip.Unmap(), uint16(port))
		if len(servers) < addressesMax && !slices.Contains(servers, at) {
			servers = append(servers, at)
		}
	}
	return servers, nil
}

// sockaddr is the address in the kernel's form. It is made anew each time: connect(2)'s wrapper writes into it.
func sockaddr(at netip.AddrPort) (family int, address unix.Sockaddr) {
	if at.Addr().Is4() {
		return unix.AF_INET, &unix.SockaddrInet4{Port: int(at.Port()), Addr: at.Addr().As4()}
	}
	return unix.AF_INET6, &unix.SockaddrInet6{Port: int(at.Port()), Addr: at.Addr().As16()}
}

// connect begins a connection on a new nonblocking socket: it is there, or refused, when the socket becomes writable.
func connect(at netip.AddrPort) (fd int, err error) {
	family, address := sockaddr(at)
	fd, err = unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	if err = (libnet.SocketOptions{}).Apply(fd); err == nil {
		err = unix.Connect(fd, address)
	}
	if err != nil && err != unix.EINPROGRESS {
		_ = unix.Close(fd)
		return -1, fmt.Errorf("connect: %w", err)
	}
	return fd, nil
}

// connected says how connect ended.
func connected(fd int) error {
	errno, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err != nil {
		return os.NewSyscallError("getsockopt", err)
	}
	if errno != 0 {
		return os.NewSyscallError("connect", unix.Errno(errno))
	}
	return nil
}
