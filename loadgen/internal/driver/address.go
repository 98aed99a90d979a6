package driver

import (
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"

	"tradechat.internal/libnet"
)

// address is where to connect, resolved once for all connections.
type address struct {
	family int
	at     unix.Sockaddr
}

func resolve(server string) (address, error) {
	tcp, err := net.ResolveTCPAddr("tcp", server)
	if err != nil {
		return address{}, fmt.Errorf("server %q: %w", server, err)
	}
	if ip := tcp.IP.To4(); ip != nil {
		return address{unix.AF_INET, &unix.SockaddrInet4{Port: tcp.Port, Addr: [4]byte(ip)}}, nil
	}
	if tcp.IP == nil {
		return address{unix.AF_INET, &unix.SockaddrInet4{Port: tcp.Port, Addr: [4]byte{127, 0, 0, 1}}}, nil
	}
	return address{unix.AF_INET6, &unix.SockaddrInet6{Port: tcp.Port, Addr: [16]byte(tcp.IP.To16())}}, nil
}

// connect begins a connection on a new nonblocking socket: it is there, or refused, when the socket becomes writable.
func (a address) connect() (fd int, err error) {
	fd, err = unix.Socket(a.family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	if err = (libnet.SocketOptions{}).Apply(fd); err == nil {
		err = unix.Connect(fd, a.at)
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
