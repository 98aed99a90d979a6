package libnet

import (
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// twoViews maps one shared page twice: to the kernel the two words are one, as they are to two processes. A private
// futex, which goes by address, would not find the waiter of the other view.
func twoViews(t *testing.T) (one, two *uint32) {
	t.Helper()
	fd := must(unix.MemfdCreate("futex", unix.MFD_CLOEXEC))(t)
	closeAtEnd(t, fd)
	if err := unix.Ftruncate(fd, int64(unix.Getpagesize())); err != nil {
		t.Fatal(err)
	}
	view := func() *uint32 {
		page := must(unix.Mmap(fd, 0, unix.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED))(t)
		t.Cleanup(func() { _ = unix.Munmap(page) })
		return (*uint32)(unsafe.Pointer(&page[0]))
	}
	return view(), view()
}

func TestFutexWakesAWaiterOfAnotherMapping(t *testing.T) {
	one, two := twoViews(t)
	result := make(chan error)
	go func() {
		for atomic.LoadUint32(one) == 0 {
			if err := FutexWait(one, 0, ioLimit); err != nil {
				result <- err
				return
			}
		}
		result <- nil
	}()
	// A wake that reaches somebody proves that the goroutine sleeps; the word is still 0, so it sleeps again.
	wakeOne(t, two)
	atomic.StoreUint32(two, 1)
	must(FutexWake(two, 1))(t)
	if err := <-result; err != nil {
		t.Errorf("FutexWait = %v", err)
	}
}

func wakeOne(t *testing.T, word *uint32) {
	t.Helper()
	for {
		if n := must(FutexWake(word, 1))(t); n == 1 {
			return
		}
		runtime.Gosched()
	}
}

func TestFutexWaitReturnsWhenTheValueDiffers(t *testing.T) {
	one, _ := twoViews(t)
	if err := FutexWait(one, 7, FutexForever); err != nil {
		t.Errorf("FutexWait = %v, want nil", err)
	}
}

func TestFutexWaitTimesOut(t *testing.T) {
	one, _ := twoViews(t)
	const limit = 20 * time.Millisecond
	start := time.Now()
	var err error
	// A signal of the runtime may end the wait early.
	for left := limit; err == nil; left = limit - time.Since(start) {
		err = FutexWait(one, 0, left)
	}
	if !errors.Is(err, ErrTimeout) || time.Since(start) < limit {
		t.Errorf("FutexWait = %v after %v, want ErrTimeout after %v", err, time.Since(start), limit)
	}
	for _, none := range []time.Duration{0, -1} {
		if err := FutexWait(one, 0, none); err != ErrTimeout {
			t.Errorf("FutexWait(%d) = %v, want ErrTimeout", none, err)
		}
	}
}

func TestFutexWakeWakesNoMoreThanAsked(t *testing.T) {
	one, two := twoViews(t)
	const waiters = 4
	done := make(chan error, waiters)
	for range waiters {
		go func() {
			for atomic.LoadUint32(one) == 0 {
				if err := FutexWait(one, 0, ioLimit); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range waiters {
		if n := must(FutexWake(two, 2))(t); n > 2 {
			t.Errorf("FutexWake(2) woke %d", n)
		}
	}
	atomic.StoreUint32(two, 1)
	for range waiters {
		must(FutexWake(two, waiters))(t)
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestFutexOnABadWord(t *testing.T) {
	if err := FutexWait(nil, 0, time.Second); !errors.Is(err, unix.EFAULT) {
		t.Errorf("FutexWait(nil) = %v, want EFAULT", err)
	}
	if _, err := FutexWake(nil, 1); !errors.Is(err, unix.EFAULT) && !errors.Is(err, unix.EINVAL) {
		t.Errorf("FutexWake(nil) = %v, want EFAULT", err)
	}
}

func TestFutexDoesNotAllocate(t *testing.T) {
	one, _ := twoViews(t)
	wantNoAllocs(t, func() {
		_ = FutexWait(one, 7, time.Second)
		_ = FutexWait(one, 0, time.Nanosecond)
		_, _ = FutexWake(one, 1)
	})
}

func BenchmarkFutexWakeNobody(b *testing.B) {
	var word uint32
	b.ReportAllocs()
	for b.Loop() {
		_, _ = FutexWake(&word, 1)
	}
}
