package libnet

import (
	"errors"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// enrol does what an event loop does with a connection: duplicate the descriptor, close the connection, and watch
// the duplicate.
func enrol(t *testing.T, fd int) (poller, under int) {
	t.Helper()
	conn := must(ConnForFD(fd))(t)
	err := control(conn, func(connFD int) (err error) {
		under, err = unix.FcntlInt(uintptr(connFD), unix.F_DUPFD_CLOEXEC, 0)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if conn.RemoteAddr() == nil || conn.LocalAddr() == nil {
		t.Error("the connection has no addresses, which event loops ask for")
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	poller = must(unix.EpollCreate1(unix.EPOLL_CLOEXEC))(t)
	closeAtEnd(t, poller, under)
	event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(under)}
	if err := unix.EpollCtl(poller, unix.EPOLL_CTL_ADD, under, &event); err != nil {
		t.Fatal(err)
	}
	return poller, under
}

func waitEvents(t *testing.T, poller int, timeout time.Duration) int {
	t.Helper()
	events := make([]unix.EpollEvent, 8)
	for {
		n, err := unix.EpollWait(poller, events, int(timeout.Milliseconds()))
		if err == nil {
			return n
		}
		if err != unix.EINTR {
			t.Fatal(err)
		}
	}
}

func TestConnForFDBringsAnEventFDIntoALoop(t *testing.T) {
	e := must(NewEventFD())(t)
	defer e.Close()
	poller, under := enrol(t, int(e))
	for _, signals := range []uint64{1, 3} {
		if n := waitEvents(t, poller, 0); n != 0 {
			t.Fatalf("%d events before a signal, want 0", n)
		}
		for range signals {
			if err := e.Signal(); err != nil {
				t.Fatal(err)
			}
		}
		if n := waitEvents(t, poller, ioLimit); n != 1 {
			t.Fatalf("%d events after a signal, want 1", n)
		}
		if n := must(EventFD(under).Drain())(t); n != signals {
			t.Errorf("drained %d, want %d", n, signals)
		}
	}
}

func TestConnForFDBringsATimerFDIntoALoop(t *testing.T) {
	timer := armed(t, time.Millisecond, 0)
	poller, under := enrol(t, int(timer))
	if n := waitEvents(t, poller, ioLimit); n != 1 {
		t.Fatalf("%d events after expiry, want 1", n)
	}
	if n := must(TimerFD(under).Drain())(t); n != 1 {
		t.Errorf("drained %d expirations, want 1", n)
	}
}

func TestConnForFDLeavesTheDescriptorOpen(t *testing.T) {
	e := must(NewEventFD())(t)
	defer e.Close()
	if err := must(ConnForFD(int(e)))(t).Close(); err != nil {
		t.Fatal(err)
	}
	if err := e.Signal(); err != nil {
		t.Errorf("Signal after the connection's Close = %v", err)
	}
}

func TestConnForFDRefusesABadDescriptor(t *testing.T) {
	if _, err := ConnForFD(-1); !errors.Is(err, unix.EBADF) {
		t.Errorf("ConnForFD(-1) = %v, want EBADF", err)
	}
}
