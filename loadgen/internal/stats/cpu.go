package stats

import (
	"bytes"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// CPU is what one thread used of a processor in a stretch of time.
type CPU struct {
	Wall    time.Duration
	Used    time.Duration // user and system time, getrusage(2)
	Waiting time.Duration // it could have run and had no processor; 0 where the kernel does not tell
}

// Clock is a reading of the calling thread's use.
type Clock struct {
	at            time.Time
	used, waiting time.Duration
}

// ReadClock reads the calling thread's use; the goroutine is locked to its thread.
func ReadClock() Clock {
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_THREAD, &usage); err != nil {
		panic(err) // for oneself it cannot fail
	}
	return Clock{
		at:      time.Now(),
		used:    time.Duration(usage.Utime.Nano() + usage.Stime.Nano()),
		waiting: waited(),
	}
}

// Since is the use since an earlier reading.
func (c Clock) Since(earlier Clock) CPU {
	return CPU{Wall: c.at.Sub(earlier.at), Used: c.used - earlier.used, Waiting: c.waiting - earlier.waiting}
}

// schedstat has the nanoseconds that the thread ran, those that it waited to run, and how often it ran.
const schedstat = "/proc/thread-self/schedstat"

func waited() time.Duration {
	text, err := os.ReadFile(schedstat)
	if fields := bytes.Fields(text); err == nil && len(fields) > 1 {
		if ns, err := strconv.ParseInt(string(fields[1]), 10, 64); err == nil {
			return time.Duration(ns)
		}
	}
	return 0
}
