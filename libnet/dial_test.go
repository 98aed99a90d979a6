package libnet

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func quickBackoff() Backoff { return Backoff{Base: time.Microsecond, Cap: time.Millisecond} }

func TestDialSetsTheOptions(t *testing.T) {
	s := listenLoopback(t, 1, ListenOptions{})[0]
	opts := SocketOptions{KeepAlive: KeepAliveDefault, ReceiveBufferBytes: 8192, SendBufferBytes: 16384}
	conn := must(Dialer{Socket: opts}.Dial(t.Context(), "tcp", s.Addr().String()))(t)
	defer conn.Close()
	err := control(conn.(syscall.Conn), func(fd int) error {
		wantSocketOptions(t, fd, opts)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestDialWithoutKeepAliveTurnsGosOff(t *testing.T) {
	s := listenLoopback(t, 1, ListenOptions{})[0]
	conn := must(Dialer{}.Dial(t.Context(), "tcp", s.Addr().String()))(t)
	defer conn.Close()
	err := control(conn.(syscall.Conn), func(fd int) error {
		if on := sockopt(t, fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE); on != 0 {
			t.Errorf("SO_KEEPALIVE = %d, want 0", on)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A port that is bound but not listened on refuses connections, and nobody else can take it meanwhile.
func refusingAddr(t *testing.T) string {
	t.Helper()
	fd := must(unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0))(t)
	closeAtEnd(t, fd)
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	return must(AddrOf(fd))(t).String()
}

func TestDialGivesUpAfterItsAttempts(t *testing.T) {
	addr := refusingAddr(t)
	_, err := Dialer{Attempts: 3, Backoff: quickBackoff()}.Dial(t.Context(), "tcp", addr)
	var gaveUp *DialError
	if !errors.As(err, &gaveUp) {
		t.Fatalf("Dial = %v, want a *DialError", err)
	}
	if gaveUp.Attempts != 3 || gaveUp.Ended != nil || !errors.Is(err, unix.ECONNREFUSED) {
		t.Errorf("gave up after %d attempts, ended %v, last %v; want 3, nil, ECONNREFUSED", gaveUp.Attempts, gaveUp.Ended, gaveUp.Last)
	}
	if text := err.Error(); !strings.Contains(text, addr) || !strings.Contains(text, "3 attempts") || !strings.Contains(text, "refused") {
		t.Errorf("error %q does not name the address, the attempts and the last cause", text)
	}
}

func TestDialEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	_, err := Dialer{Backoff: quickBackoff()}.Dial(ctx, "tcp", refusingAddr(t))
	var gaveUp *DialError
	if !errors.As(err, &gaveUp) || gaveUp.Attempts < 1 || !errors.Is(err, context.DeadlineExceeded) || gaveUp.Last == nil {
		t.Errorf("Dial = %v, want the context's error and the last cause after an attempt or more", err)
	}
	cancel()
	_, err = Dialer{}.Dial(ctx, "tcp", "127.0.0.1:1")
	if !errors.As(err, &gaveUp) || gaveUp.Attempts != 0 || gaveUp.Last != nil {
		t.Errorf("Dial under an ended context = %v, want no attempt", err)
	}
}

func TestDialDoesNotRepeatWhatCannotWork(t *testing.T) {
	for network, addr := range map[string]string{"tcp": "no-port", "carrier-pigeon": "127.0.0.1:1"} {
		_, err := Dialer{Backoff: quickBackoff()}.Dial(t.Context(), network, addr)
		var gaveUp *DialError
		if !errors.As(err, &gaveUp) || gaveUp.Attempts != 1 {
			t.Errorf("Dial(%s, %s) = %v, want one attempt", network, addr, err)
		}
	}
}

func TestDialWaitsForAServerThatStartsLater(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	if _, err := (Dialer{Attempts: 1}).Dial(t.Context(), "unix", path); !errors.Is(err, unix.ENOENT) {
		t.Fatalf("Dial before the server = %v, want ENOENT", err)
	}
	dialled := make(chan error)
	go func() {
		conn, err := Dialer{Backoff: quickBackoff()}.Dial(t.Context(), "unix", path)
		if err == nil {
			err = conn.Close()
		}
		dialled <- err
	}()
	l := must(net.Listen("unix", path))(t)
	defer l.Close()
	must(l.Accept())(t).Close()
	if err := <-dialled; err != nil {
		t.Errorf("Dial = %v", err)
	}
}
