package libnet

import (
	"fmt"
	"net"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"
)

// AddrOf is the local address of a TCP socket (getsockname(2)).
func AddrOf(fd int) (netip.AddrPort, error) {
	sa, err := unix.Getsockname(fd)
	if err != nil {
		return netip.AddrPort{}, os.NewSyscallError("getsockname", err)
	}
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port)), nil
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(sa.Addr), uint16(sa.Port)), nil
	}
	return netip.AddrPort{}, fmt.Errorf("libnet: address of descriptor %d is a %T, not TCP: %w", fd, sa, ErrAddress)
}

// resolveListen turns "host:port" into an address; wildcard tells that the host was empty.
func resolveListen(addr string) (at netip.AddrPort, wildcard bool, err error) {
	tcp, err := net.ResolveTCPAddr("tcp", addr)
	if err != nil {
		return at, false, fmt.Errorf("libnet: listen on %q: %w: %w (want host:port, such as 127.0.0.1:7878)", addr, ErrAddress, err)
	}
	if tcp.Zone != "" {
		return at, false, fmt.Errorf("libnet: listen on %q: %w: zones are not supported", addr, ErrAddress)
	}
	at = tcp.AddrPort()
	if tcp.IP == nil {
		return netip.AddrPortFrom(netip.IPv6Unspecified(), at.Port()), true, nil
	}
	return netip.AddrPortFrom(at.Addr().Unmap(), at.Port()), false, nil
}

func family(a netip.Addr) int {
	if a.Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}

func sockaddr(at netip.AddrPort) unix.Sockaddr {
	if at.Addr().Is4() {
		return &unix.SockaddrInet4{Port: int(at.Port()), Addr: at.Addr().As4()}
	}
	return &unix.SockaddrInet6{Port: int(at.Port()), Addr: at.Addr().As16()}
}
