package libnet

import (
	"errors"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestApplyConnOverridesGosKeepAlive(t *testing.T) {
	s := listenLoopback(t, 1, ListenOptions{})[0]
	conn := dialTCP(t, s.Addr().String())
	opts := SocketOptions{
		KeepAlive:          KeepAlive{Idle: 11 * time.Second, Interval: 5 * time.Second, Count: 2},
		ReceiveBufferBytes: 8192, SendBufferBytes: 16384,
	}
	if err := opts.ApplyConn(conn); err != nil {
		t.Fatal(err)
	}
	err := control(conn, func(fd int) error {
		wantSocketOptions(t, fd, opts)
		return SetKeepAlive(fd, KeepAlive{})
	})
	if err != nil {
		t.Fatal(err)
	}
	err = control(conn, func(fd int) error {
		if on := sockopt(t, fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE); on != 0 {
			t.Errorf("SO_KEEPALIVE = %d after the zero KeepAlive, want 0", on)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestSocketOptionErrorsNameOptionAndValue(t *testing.T) {
	s := listenLoopback(t, 1, ListenOptions{})[0]
	err := SetKeepAlive(s.FD(), KeepAlive{Idle: 100 * time.Hour, Interval: time.Second, Count: 1})
	if !errors.Is(err, unix.EINVAL) || !strings.Contains(err.Error(), "TCP_KEEPIDLE to 360000") {
		t.Errorf("keep-alive of 100 h: %v, want EINVAL that names TCP_KEEPIDLE and 360000", err)
	}
	for name, err := range map[string]error{
		"SetNoDelay": SetNoDelay(-1, true),
		"SetBuffers": SetBuffers(-1, 1, 1),
		"Apply":      SocketOptions{}.Apply(-1),
	} {
		if !errors.Is(err, unix.EBADF) {
			t.Errorf("%s(-1): %v, want EBADF", name, err)
		}
	}
}

func TestSecondsRoundsUp(t *testing.T) {
	for d, want := range map[time.Duration]int{
		0: 0, 1: 1, time.Second: 1, time.Second + 1: 2, time.Minute: 60,
	} {
		if got := seconds(d); got != want {
			t.Errorf("seconds(%v) = %d, want %d", d, got, want)
		}
	}
}

func TestSetTimeoutsBoundsOneRead(t *testing.T) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range pair {
		t.Cleanup(func() { unix.Close(fd) })
	}
	if err := SetTimeouts(pair[0], 20*time.Millisecond, -1); err != nil {
		t.Fatal(err)
	}
	if _, err := unix.Read(pair[0], make([]byte, 1)); err != unix.EAGAIN {
		t.Errorf("read of a silent peer: %v, want EAGAIN", err)
	}
	for option, want := range map[int]unix.Timeval{
		unix.SO_RCVTIMEO: unix.NsecToTimeval(int64(20 * time.Millisecond)),
		unix.SO_SNDTIMEO: {},
	} {
		if got, err := unix.GetsockoptTimeval(pair[0], unix.SOL_SOCKET, option); err != nil || *got != want {
			t.Errorf("option %d: %v, %v, want %v", option, got, err, want)
		}
	}
	if err := SetTimeouts(-1, time.Second, time.Second); !errors.Is(err, unix.EBADF) {
		t.Errorf("SetTimeouts(-1): %v, want EBADF", err)
	}
}
