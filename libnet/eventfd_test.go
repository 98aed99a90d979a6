package libnet

import (
	"errors"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func readable(t *testing.T, fd int, timeout time.Duration) bool {
	t.Helper()
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(timeout.Milliseconds()))
		if err == nil {
			return n == 1
		}
		if err != unix.EINTR {
			t.Fatal(err)
		}
	}
}

func TestEventFDCountsSignals(t *testing.T) {
	e := must(NewEventFD())(t)
	defer e.Close()
	if n, err := e.Drain(); n != 0 || err != nil || readable(t, int(e), 0) {
		t.Fatalf("fresh: Drain = %d, %v; want 0, nil, not readable", n, err)
	}
	for range 3 {
		if err := e.Signal(); err != nil {
			t.Fatal(err)
		}
	}
	if !readable(t, int(e), 0) {
		t.Error("not readable after signals")
	}
	if n, err := e.Drain(); n != 3 || err != nil {
		t.Errorf("Drain = %d, %v; want 3, nil", n, err)
	}
	if readable(t, int(e), 0) {
		t.Error("readable after Drain")
	}
}

func TestEventFDSignalOnAFullCounterIsNoError(t *testing.T) {
	e := must(NewEventFD())(t)
	defer e.Close()
	// 2⁶⁴-2 is the most that the counter holds (eventfd(2)).
	full := []byte{0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	if _, err := unix.Write(int(e), full); err != nil {
		t.Fatal(err)
	}
	if err := e.Signal(); err != nil {
		t.Errorf("Signal = %v, want nil", err)
	}
	if n, err := e.Drain(); n != 1<<64-2 || err != nil {
		t.Errorf("Drain = %d, %v; want 2⁶⁴-2, nil", n, err)
	}
}

func TestEventFDAfterClose(t *testing.T) {
	e := EventFD(-1)
	if err := e.Signal(); !errors.Is(err, unix.EBADF) {
		t.Errorf("Signal = %v, want EBADF", err)
	}
	if _, err := e.Drain(); !errors.Is(err, unix.EBADF) {
		t.Errorf("Drain = %v, want EBADF", err)
	}
	if err := e.Close(); !errors.Is(err, unix.EBADF) {
		t.Errorf("Close = %v, want EBADF", err)
	}
}

func TestEventFDDoesNotAllocate(t *testing.T) {
	e := must(NewEventFD())(t)
	defer e.Close()
	wantNoAllocs(t, func() {
		_ = e.Signal()
		_, _ = e.Drain()
	})
}

func BenchmarkEventFDSignal(b *testing.B) {
	e, err := NewEventFD()
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close()
	b.ReportAllocs()
	for b.Loop() {
		_ = e.Signal()
	}
}
