package libnet

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"
)

// ListenOptions are the options of a listening socket.
type ListenOptions struct {
	Backlog int // accept queue in connections; 0 means BacklogDefault
	Socket  SocketOptions
}

// Socket is a listening TCP socket as a bare nonblocking descriptor, which it owns. Not safe for concurrent Close.
type Socket struct {
	fd   int
	addr netip.AddrPort
}

// FD is the descriptor, -1 after Close. It stays the socket's.
func (s *Socket) FD() int { return s.fd }

// Addr is the address that the socket is bound to, with the port that the kernel chose for port 0.
func (s *Socket) Addr() netip.AddrPort { return s.addr }

// Close closes this process's descriptor; the kernel's socket lives on in children that inherited it.
func (s *Socket) Close() error {
	if s.fd < 0 {
		return net.ErrClosed
	}
	fd := s.fd
	s.fd = -1
	return os.NewSyscallError("close", unix.Close(fd))
}

// Listen makes a listening TCP socket that no other socket shares its port with.
//
// addr is "host:port"; a host that is a name is resolved, an empty one means every interface (IPv6 and IPv4), and
// port 0 lets the kernel choose. SO_REUSEADDR is set, so that connections of an earlier server in TIME_WAIT do not
// matter. Errors wrap ErrAddress, or the errno: EADDRINUSE, EACCES, EADDRNOTAVAIL.
func Listen(addr string, opts ListenOptions) (*Socket, error) {
	at, wildcard, err := resolveListen(addr)
	if err != nil {
		return nil, err
	}
	s, err := listenAt(at, opts, exclusive)
	if wildcard && errors.Is(err, unix.EAFNOSUPPORT) {
		s, err = listenAt(netip.AddrPortFrom(netip.IPv4Unspecified(), at.Port()), opts, exclusive)
	}
	if err != nil {
		return nil, listenError(addr, err)
	}
	return s, nil
}

// ListenGroup makes n listening sockets on one port, tied by SO_REUSEPORT, so that the kernel spreads new
// connections over them. It returns the sockets and the address that they share. n is 1 to ListenGroupMax; addr and
// errors are as for Listen.
//
// The first socket listens alone before it opens its port to the others. So a port on which any server listens
// already, with SO_REUSEPORT or without, is refused with EADDRINUSE, and of servers that start at the same moment
// at most one gets the port: two groups never share one by accident.
func ListenGroup(addr string, n int, opts ListenOptions) ([]*Socket, netip.AddrPort, error) {
	if n < 1 || n > ListenGroupMax {
		return nil, netip.AddrPort{}, fmt.Errorf("libnet: listen on %s with %d sockets: %w (1 to %d)", addr, n, ErrLimit, ListenGroupMax)
	}
	first, err := Listen(addr, opts)
	if err != nil {
		return nil, netip.AddrPort{}, err
	}
	group, err := joinGroup(first, n, opts)
	if err != nil {
		for _, s := range group {
			_ = s.Close()
		}
		return nil, netip.AddrPort{}, listenError(addr, err)
	}
	return group, first.addr, nil
}

// joinGroup opens first's port to its own user and fills the group to n. On an error it returns what there is.
func joinGroup(first *Socket, n int, opts ListenOptions) ([]*Socket, error) {
	group := make([]*Socket, 1, n)
	group[0] = first
	if err := shared(first.fd); err != nil {
		return group, err
	}
	for len(group) < n {
		s, err := listenAt(first.addr, opts, shared)
		if err != nil {
			return group, err
		}
		group = append(group, s)
	}
	return group, nil
}

// A sharing says, before bind, who else may listen on the port.
type sharing func(fd int) error

func exclusive(int) error { return nil }

func shared(fd int) error {
	return setInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, "SO_REUSEPORT", 1)
}

func listenAt(at netip.AddrPort, opts ListenOptions, share sharing) (*Socket, error) {
	fd, err := unix.Socket(family(at.Addr()), unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	s := &Socket{fd: fd}
	if err := s.open(at, opts, share); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Socket) open(at netip.AddrPort, opts ListenOptions, share sharing) error {
	if err := s.prepare(at, opts, share); err != nil {
		return err
	}
	if err := unix.Bind(s.fd, sockaddr(at)); err != nil {
		return os.NewSyscallError("bind", err)
	}
	backlog := opts.Backlog
	if backlog == 0 {
		backlog = BacklogDefault
	}
	if err := unix.Listen(s.fd, backlog); err != nil {
		return os.NewSyscallError("listen", err)
	}
	bound, err := AddrOf(s.fd)
	s.addr = bound
	return err
}

// prepare sets what must be set before bind and listen: sharing, and what accepted connections inherit.
func (s *Socket) prepare(at netip.AddrPort, opts ListenOptions, share sharing) error {
	if err := setInt(s.fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, "SO_REUSEADDR", 1); err != nil {
		return err
	}
	if err := share(s.fd); err != nil {
		return err
	}
	if at.Addr().Is6() {
		only := boolInt(!at.Addr().IsUnspecified())
		if err := setInt(s.fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, "IPV6_V6ONLY", only); err != nil {
			return err
		}
	}
	return opts.Socket.Apply(s.fd)
}

// listenError names the address and, for the usual causes, the way out.
func listenError(addr string, err error) error {
	hint := ""
	switch {
	case errors.Is(err, unix.EADDRINUSE):
		hint = ": another server listens there; stop it, or choose another port (port 0 takes a free one)"
	case errors.Is(err, unix.EACCES):
		hint = ": this user may not bind that port; choose one from 1024 up"
	case errors.Is(err, unix.EADDRNOTAVAIL):
		hint = ": no interface of this machine has that address"
	}
	return fmt.Errorf("libnet: listen on %s: %w%s", addr, err, hint)
}
