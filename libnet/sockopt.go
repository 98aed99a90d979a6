package libnet

import (
	"fmt"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// KeepAlive sets TCP's probes of a silent peer (tcp(7)). The zero value turns them off.
type KeepAlive struct {
	Idle     time.Duration // silence before the first probe; whole seconds, at least 1 s
	Interval time.Duration // between probes; whole seconds, at least 1 s
	Count    int           // unanswered probes before the connection is dropped
}

// KeepAliveDefault finds a dead peer in two minutes.
var KeepAliveDefault = KeepAlive{Idle: time.Minute, Interval: 15 * time.Second, Count: 4}

// SocketOptions are the options of a TCP stream. TCP_NODELAY is always set: both sides batch their own frames,
// and Nagle's delay would only add to a request's latency.
//
// On a listening socket they are inherited by every connection that accept returns, but net.Listener.Accept puts
// Go's own keep-alive (15 s, 15 s, 9) over the inherited one: call ApplyConn after it where that matters.
type SocketOptions struct {
	KeepAlive KeepAlive

	// Buffer sizes in bytes; 0 leaves the kernel's autotuning on. The kernel doubles what is asked for and cuts
	// it to net.core.rmem_max and wmem_max (socket(7)). Set them before listen or connect: the window scale is
	// agreed on in the handshake.
	ReceiveBufferBytes int
	SendBufferBytes    int
}

// Apply sets the options on a TCP socket.
func (o SocketOptions) Apply(fd int) error {
	if err := SetNoDelay(fd, true); err != nil {
		return err
	}
	if err := SetKeepAlive(fd, o.KeepAlive); err != nil {
		return err
	}
	return SetBuffers(fd, o.ReceiveBufferBytes, o.SendBufferBytes)
}

// ApplyConn sets the options on the TCP socket under c, a *net.TCPConn or *net.TCPListener for instance.
func (o SocketOptions) ApplyConn(c syscall.Conn) error {
	return control(c, o.Apply)
}

// SetNoDelay turns TCP_NODELAY on or off (tcp(7)).
func SetNoDelay(fd int, on bool) error {
	return setInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, "TCP_NODELAY", boolInt(on))
}

// SetKeepAlive sets SO_KEEPALIVE and its three times (tcp(7)), or clears it for the zero KeepAlive.
func SetKeepAlive(fd int, k KeepAlive) error {
	if k == (KeepAlive{}) {
		return setInt(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE, "SO_KEEPALIVE", 0)
	}
	for _, o := range []struct {
		level, option int
		name          string
		value         int
	}{
		{unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, "TCP_KEEPIDLE", seconds(k.Idle)},
		{unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, "TCP_KEEPINTVL", seconds(k.Interval)},
		{unix.IPPROTO_TCP, unix.TCP_KEEPCNT, "TCP_KEEPCNT", k.Count},
		{unix.SOL_SOCKET, unix.SO_KEEPALIVE, "SO_KEEPALIVE", 1},
	} {
		if err := setInt(fd, o.level, o.option, o.name, o.value); err != nil {
			return err
		}
	}
	return nil
}

// SetBuffers sets SO_RCVBUF and SO_SNDBUF in bytes (socket(7)); 0 leaves one as it is.
func SetBuffers(fd, receiveBytes, sendBytes int) error {
	if receiveBytes != 0 {
		if err := setInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, "SO_RCVBUF", receiveBytes); err != nil {
			return err
		}
	}
	if sendBytes != 0 {
		return setInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, "SO_SNDBUF", sendBytes)
	}
	return nil
}

// SetTimeouts sets SO_RCVTIMEO and SO_SNDTIMEO (socket(7)): how long one system call on a blocking socket may take. 0 and
// less mean no limit. ReadN and WriteN set them anew.
func SetTimeouts(fd int, receive, send time.Duration) error {
	if err := setTimeout(fd, unix.SO_RCVTIMEO, "SO_RCVTIMEO", receive); err != nil {
		return err
	}
	return setTimeout(fd, unix.SO_SNDTIMEO, "SO_SNDTIMEO", send)
}

func setTimeout(fd, option int, name string, d time.Duration) error {
	limit := unix.NsecToTimeval(int64(max(d, 0)))
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, option, &limit); err != nil {
		return fmt.Errorf("set %s to %v on descriptor %d: %w", name, d, fd, err)
	}
	return nil
}

func setInt(fd, level, option int, name string, value int) error {
	if err := unix.SetsockoptInt(fd, level, option, value); err != nil {
		return fmt.Errorf("set %s to %d on descriptor %d: %w", name, value, fd, err)
	}
	return nil
}

// control runs f on the descriptor under c, which stays open meanwhile.
func control(c syscall.Conn, f func(fd int) error) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return fmt.Errorf("descriptor of a connection: %w", err)
	}
	return controlRaw(raw, f)
}

func controlRaw(raw syscall.RawConn, f func(fd int) error) error {
	var inner error
	if err := raw.Control(func(fd uintptr) { inner = f(int(fd)) }); err != nil {
		return fmt.Errorf("descriptor of a connection: %w", err)
	}
	return inner
}

// seconds rounds up: a limit below one second must not become "no limit".
func seconds(d time.Duration) int {
	return int((d + time.Second - 1) / time.Second)
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
