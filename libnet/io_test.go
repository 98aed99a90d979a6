package libnet

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"os/signal"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

// ioLimit bounds calls that ought to succeed; only a broken one takes so long.
const ioLimit = 20 * time.Second

// failer is what *testing.T and *rapid.T share.
type failer interface {
	Helper()
	Fatal(...any)
}

func blockingPair(t failer) (a, b int) {
	t.Helper()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	return pair[0], pair[1]
}

func TestWriteNThenReadNIsIdentityForAnyPieces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pieces := rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 0, 3000), 1, 8).Draw(t, "pieces")
		whole := bytes.Join(pieces, nil)
		a, b := blockingPair(t)
		defer unix.Close(a)
		defer unix.Close(b)
		wrote := make(chan error, 1)
		go func() {
			for _, piece := range pieces {
				if _, err := WriteN(a, piece, time.Now().Add(ioLimit)); err != nil {
					wrote <- err
					return
				}
			}
			wrote <- nil
		}()
		got := make([]byte, len(whole))
		n, err := ReadN(b, got, time.Now().Add(ioLimit))
		if err != nil || n != len(whole) || !bytes.Equal(got, whole) {
			t.Fatalf("ReadN = %d, %v; want the %d bytes that were written", n, err, len(whole))
		}
		if err := <-wrote; err != nil {
			t.Fatal(err)
		}
	})
}

func TestReadNWithoutADeadlineForgetsAnEarlierOne(t *testing.T) {
	a, b := blockingPair(t)
	closeAtEnd(t, a, b)
	var buf [4]byte
	if _, err := ReadN(a, buf[:], time.Now().Add(time.Millisecond)); !errors.Is(err, ErrTimeout) {
		t.Fatalf("ReadN = %v, want ErrTimeout", err)
	}
	go func() { _, _ = WriteN(b, []byte("late"), time.Time{}) }()
	if n, err := ReadN(a, buf[:], time.Time{}); n != 4 || err != nil || string(buf[:]) != "late" {
		t.Errorf("ReadN = %d, %v, %q; want the 4 bytes", n, err, buf)
	}
	limit := must(unix.GetsockoptTimeval(a, unix.SOL_SOCKET, unix.SO_RCVTIMEO))(t)
	if *limit != (unix.Timeval{}) {
		t.Errorf("SO_RCVTIMEO = %v, want none", *limit)
	}
}

func TestReadNAtTheEndOfTheStream(t *testing.T) {
	for _, c := range []struct {
		sent string
		want error
	}{
		{"", io.EOF},
		{"abc", io.ErrUnexpectedEOF},
	} {
		a, b := blockingPair(t)
		if _, err := WriteN(b, []byte(c.sent), time.Time{}); err != nil {
			t.Fatal(err)
		}
		_ = unix.Close(b)
		n, err := ReadN(a, make([]byte, 8), time.Now().Add(ioLimit))
		if n != len(c.sent) || !errors.Is(err, c.want) {
			t.Errorf("after %q and the end: ReadN = %d, %v; want %d, %v", c.sent, n, err, len(c.sent), c.want)
		}
		_ = unix.Close(a)
	}
}

// A peer that trickles resets a limit per call for ever; the deadline must hold for the whole.
func TestReadNDeadlineIsTotal(t *testing.T) {
	a, b := blockingPair(t)
	closeAtEnd(t, a, b)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
				_, _ = WriteN(b, []byte{1}, time.Now().Add(ioLimit))
			}
		}
	}()
	const allowed = 100 * time.Millisecond
	start := time.Now()
	n, err := ReadN(a, make([]byte, 1<<20), start.Add(allowed))
	elapsed := time.Since(start)
	close(stop)
	<-stopped
	if !errors.Is(err, ErrTimeout) || elapsed < allowed {
		t.Errorf("ReadN = %d, %v after %v; want ErrTimeout, not before %v", n, err, elapsed, allowed)
	}
	if n == 0 {
		t.Errorf("ReadN counted none of the bytes that came")
	}
	if elapsed > allowed+ioLimit/2 {
		t.Errorf("ReadN took %v for a deadline of %v", elapsed, allowed)
	}
}

func TestWriteNTimesOutOnAPeerThatDoesNotRead(t *testing.T) {
	a, b := blockingPair(t)
	closeAtEnd(t, a, b)
	n, err := WriteN(a, make([]byte, 16<<20), time.Now().Add(50*time.Millisecond))
	if n == 0 || n == 16<<20 || !errors.Is(err, ErrTimeout) {
		t.Errorf("WriteN = %d, %v; want a part and ErrTimeout", n, err)
	}
}

func TestAPassedDeadlineFailsAtOnce(t *testing.T) {
	a, b := blockingPair(t)
	closeAtEnd(t, a, b)
	past := time.Now().Add(-time.Second)
	if n, err := WriteN(a, []byte("x"), past); n != 0 || !errors.Is(err, ErrTimeout) {
		t.Errorf("WriteN = %d, %v; want 0, ErrTimeout", n, err)
	}
	if n, err := ReadN(b, make([]byte, 1), past); n != 0 || !errors.Is(err, ErrTimeout) {
		t.Errorf("ReadN = %d, %v; want 0, ErrTimeout", n, err)
	}
	if n, err := ReadN(b, nil, past); n != 0 || err != nil {
		t.Errorf("ReadN of nothing = %d, %v; want 0, nil", n, err)
	}
}

func TestWriteNToAPeerThatIsGone(t *testing.T) {
	a, b := blockingPair(t)
	closeAtEnd(t, a)
	_ = unix.Close(b)
	if _, err := WriteN(a, []byte("x"), time.Time{}); !errors.Is(err, unix.EPIPE) {
		t.Errorf("WriteN = %v, want EPIPE", err)
	}
}

func TestReadNRefusesANonblockingSocket(t *testing.T) {
	a, b := blockingPair(t)
	closeAtEnd(t, a, b)
	if err := unix.SetNonblock(a, true); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadN(a, make([]byte, 1), time.Now().Add(ioLimit)); !errors.Is(err, ErrNonblocking) {
		t.Errorf("ReadN = %v, want ErrNonblocking", err)
	}
}

// With SO_RCVTIMEO set, a signal ends read(2) with EINTR even under SA_RESTART (signal(7)).
func TestReadNGoesOnAfterSignals(t *testing.T) {
	const signals = 20
	caught := make(chan os.Signal, signals)
	signal.Notify(caught, unix.SIGUSR2)
	defer signal.Stop(caught)
	a, b := blockingPair(t)
	closeAtEnd(t, a, b)

	thread := make(chan int)
	result := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		thread <- unix.Gettid()
		_, err := ReadN(a, make([]byte, 1), time.Now().Add(ioLimit))
		result <- err
	}()
	tid := <-thread
	for range signals {
		if err := unix.Tgkill(os.Getpid(), tid, unix.SIGUSR2); err != nil {
			t.Fatal(err)
		}
		<-caught
	}
	if _, err := WriteN(b, []byte("x"), time.Time{}); err != nil {
		t.Fatal(err)
	}
	if err := <-result; err != nil {
		t.Errorf("ReadN across %d signals: %v", signals, err)
	}
}

func TestErrTimeoutIsATimeout(t *testing.T) {
	var netErr net.Error
	if !errors.As(ErrTimeout, &netErr) || !netErr.Timeout() || !errors.Is(ErrTimeout, os.ErrDeadlineExceeded) {
		t.Errorf("ErrTimeout = %v, want a net.Error that is os.ErrDeadlineExceeded", ErrTimeout)
	}
}

func TestReadNAndWriteNDoNotAllocate(t *testing.T) {
	a, b := blockingPair(t)
	closeAtEnd(t, a, b)
	buf := make([]byte, 64)
	wantNoAllocs(t, func() {
		_, errW := WriteN(a, buf, time.Now().Add(ioLimit))
		_, errR := ReadN(b, buf, time.Now().Add(ioLimit))
		if errW != nil || errR != nil {
			t.Fatal(errW, errR)
		}
	})
}
