package libnet

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func listenLoopback(t *testing.T, n int, opts ListenOptions) []*Socket {
	t.Helper()
	group, at, err := ListenGroup("127.0.0.1:0", n, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeAll(group) })
	if at.Port() == 0 || len(group) != n {
		t.Fatalf("ListenGroup = %d sockets at %v, want %d at a chosen port", len(group), at, n)
	}
	return group
}

func closeAll(group []*Socket) {
	for _, s := range group {
		_ = s.Close()
	}
}

func dialTCP(t *testing.T, addr string) *net.TCPConn {
	t.Helper()
	c := must(net.Dial("tcp", addr))(t)
	t.Cleanup(func() { _ = c.Close() })
	return c.(*net.TCPConn)
}

func TestListenGroupSpreadsConnectionsOverOnePort(t *testing.T) {
	const clients = 256 // the chance that one of four sockets gets none is below 1e-31
	group := listenLoopback(t, 4, ListenOptions{})
	for range clients {
		dialTCP(t, group[0].Addr().String())
	}
	total := 0
	for i, s := range group {
		if s.Addr() != group[0].Addr() {
			t.Errorf("socket %d is at %v, want %v", i, s.Addr(), group[0].Addr())
		}
		n := drainAccepts(t, s.FD())
		if n == 0 {
			t.Errorf("socket %d got no connection of %d", i, clients)
		}
		total += n
	}
	if total != clients {
		t.Errorf("accepted %d connections, want %d", total, clients)
	}
}

// drainAccepts accepts what is queued on a nonblocking socket; on loopback a finished connect is queued.
func drainAccepts(t *testing.T, fd int) (n int) {
	t.Helper()
	for ; ; n++ {
		c, _, err := unix.Accept4(fd, unix.SOCK_CLOEXEC)
		if err == unix.EAGAIN {
			return n
		}
		if err != nil {
			t.Fatal(err)
		}
		_ = unix.Close(c)
	}
}

func TestListenRefusesThePortOfAnotherServer(t *testing.T) {
	servers := map[string]func() (addr string, stop func()){
		"Listen": func() (string, func()) {
			s := must(Listen("127.0.0.1:0", ListenOptions{}))(t)
			return s.Addr().String(), func() { _ = s.Close() }
		},
		"ListenGroup": func() (string, func()) {
			group := listenLoopback(t, 2, ListenOptions{})
			return group[0].Addr().String(), func() { closeAll(group) }
		},
		"net.Listen": func() (string, func()) {
			l := must(net.Listen("tcp", "127.0.0.1:0"))(t)
			return l.Addr().String(), func() { _ = l.Close() }
		},
	}
	for name, start := range servers {
		t.Run(name, func(t *testing.T) {
			addr, stop := start()
			_, _, err := ListenGroup(addr, 2, ListenOptions{})
			if !errors.Is(err, unix.EADDRINUSE) || !strings.Contains(err.Error(), addr) {
				t.Errorf("ListenGroup on a taken port: %v, want EADDRINUSE that names %s", err, addr)
			}
			if _, err := Listen(addr, ListenOptions{}); !errors.Is(err, unix.EADDRINUSE) {
				t.Errorf("Listen on a taken port: %v, want EADDRINUSE", err)
			}
			stop()
		})
	}
}

func TestGroupsThatStartTogetherNeverShareAPort(t *testing.T) {
	const rounds, rivals, slots = 50, 4, 3
	addr := listenLoopback(t, 1, ListenOptions{})[0]
	port := addr.Addr().String()
	if err := addr.Close(); err != nil {
		t.Fatal(err)
	}
	winners := 0
	for range rounds {
		var won atomic.Int32
		var wg sync.WaitGroup
		start := make(chan struct{})
		groups := make([][]*Socket, rivals)
		for i := range rivals {
			wg.Go(func() {
				<-start
				group, _, err := ListenGroup(port, slots, ListenOptions{})
				switch {
				case err == nil:
					groups[i] = group
					won.Add(1)
				case !errors.Is(err, unix.EADDRINUSE):
					t.Errorf("rival: %v, want EADDRINUSE", err)
				}
			})
		}
		close(start)
		wg.Wait()
		if won.Load() > 1 {
			t.Fatalf("%d groups share port %s", won.Load(), port)
		}
		winners += int(won.Load())
		for _, group := range groups {
			closeAll(group)
		}
	}
	if winners == 0 {
		t.Errorf("no rival ever got the port in %d rounds", rounds)
	}
}

func TestListenErrorsNameTheAddressAndTheWayOut(t *testing.T) {
	for _, c := range []struct {
		addr string
		want error
		says string
	}{
		{"nonsense", ErrAddress, "want host:port"},
		{"127.0.0.1:99999", ErrAddress, "want host:port"},
		{"127.0.0.1", ErrAddress, "want host:port"},
		{"[fe80::1%lo]:0", ErrAddress, "zones"},
		{"203.0.113.7:0", unix.EADDRNOTAVAIL, "no interface"}, // TEST-NET-3, RFC 5737
	} {
		_, err := Listen(c.addr, ListenOptions{})
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), c.addr) {
			t.Errorf("Listen(%q): %v, want %v that says %q", c.addr, err, c.want, c.says)
		}
	}
	for errno, says := range map[unix.Errno]string{
		unix.EADDRINUSE: "another server", unix.EACCES: "1024", unix.EMFILE: "too many open files",
	} {
		err := listenError("a:1", os.NewSyscallError("bind", errno))
		if !errors.Is(err, errno) || !strings.Contains(err.Error(), says) {
			t.Errorf("listenError(%v) = %v, want it to say %q", errno, err, says)
		}
	}
}

func TestListenGroupLimits(t *testing.T) {
	for _, n := range []int{-1, 0, ListenGroupMax + 1} {
		if _, _, err := ListenGroup("127.0.0.1:0", n, ListenOptions{}); !errors.Is(err, ErrLimit) {
			t.Errorf("ListenGroup of %d: %v, want ErrLimit", n, err)
		}
	}
}

func TestListenEverywhereTakesBothFamilies(t *testing.T) {
	s := must(Listen(":0", ListenOptions{}))(t)
	defer s.Close()
	dialTCP(t, fmt.Sprintf("127.0.0.1:%d", s.Addr().Port()))
	want := 1
	if l, err := net.Listen("tcp6", "[::1]:0"); err == nil {
		_ = l.Close()
		dialTCP(t, fmt.Sprintf("[::1]:%d", s.Addr().Port()))
		want = 2
	}
	if got := drainAccepts(t, s.FD()); got != want {
		t.Errorf("accepted %d connections, want %d", got, want)
	}
}

func TestAcceptedConnectionsInheritTheOptions(t *testing.T) {
	opts := SocketOptions{
		KeepAlive:          KeepAlive{Idle: 7 * time.Second, Interval: 1500 * time.Millisecond, Count: 3},
		ReceiveBufferBytes: 8192,
		SendBufferBytes:    16384,
	}
	s := listenLoopback(t, 1, ListenOptions{Socket: opts})[0]
	dialTCP(t, s.Addr().String())
	fd, _, err := unix.Accept4(s.FD(), unix.SOCK_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	closeAtEnd(t, fd)
	wantSocketOptions(t, fd, opts)
}

func wantSocketOptions(t *testing.T, fd int, opts SocketOptions) {
	t.Helper()
	for _, o := range []struct {
		name          string
		level, option int
		want          int
	}{
		{"TCP_NODELAY", unix.IPPROTO_TCP, unix.TCP_NODELAY, 1},
		{"SO_KEEPALIVE", unix.SOL_SOCKET, unix.SO_KEEPALIVE, boolInt(opts.KeepAlive != KeepAlive{})},
		{"TCP_KEEPIDLE", unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, seconds(opts.KeepAlive.Idle)},
		{"TCP_KEEPINTVL", unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, seconds(opts.KeepAlive.Interval)},
		{"TCP_KEEPCNT", unix.IPPROTO_TCP, unix.TCP_KEEPCNT, opts.KeepAlive.Count},
		{"SO_RCVBUF", unix.SOL_SOCKET, unix.SO_RCVBUF, 2 * opts.ReceiveBufferBytes},
		{"SO_SNDBUF", unix.SOL_SOCKET, unix.SO_SNDBUF, 2 * opts.SendBufferBytes},
	} {
		if got := sockopt(t, fd, o.level, o.option); got != o.want {
			t.Errorf("%s = %d, want %d", o.name, got, o.want)
		}
	}
}

func TestSocketClose(t *testing.T) {
	s := must(Listen("127.0.0.1:0", ListenOptions{}))(t)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("second Close: %v, want net.ErrClosed", err)
	}
	if s.FD() != -1 {
		t.Errorf("FD after Close = %d, want -1", s.FD())
	}
}

func TestAddrOfRefusesWhatIsNotTCP(t *testing.T) {
	pair := must(unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0))(t)
	closeAtEnd(t, pair[0], pair[1])
	if _, err := AddrOf(pair[0]); !errors.Is(err, ErrAddress) {
		t.Errorf("AddrOf a Unix socket: %v, want ErrAddress", err)
	}
	if _, err := AddrOf(-1); !errors.Is(err, unix.EBADF) {
		t.Errorf("AddrOf(-1): %v, want EBADF", err)
	}
}
