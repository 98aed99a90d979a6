package procfs

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// schedClock is CPUCLOCK_SCHED, the part of a CPU clock's number that asks for user and system time together.
const schedClock = 2

// CPUTime is the processor time, user and system together, that all threads of a process have used so far, ended ones
// included. It is the process's CPU-time clock (clock_getcpuclockid(3)), which counts nanoseconds where /proc/PID/stat
// counts hundredths of a second.
func CPUTime(pid int) (time.Duration, error) {
	var used unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|schedClock), &used); err != nil {
		return 0, fmt.Errorf("procfs: processor time of process %d: %w", pid, err)
	}
	return time.Duration(used.Nano()), nil
}

// CPUTimeOf is the sum over several processes.
func CPUTimeOf(pids []int) (total time.Duration, err error) {
	for _, pid := range pids {
		used, err := CPUTime(pid)
		if err != nil {
			return 0, err
		}
		total += used
	}
	return total, nil
}
