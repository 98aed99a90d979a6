package proc

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	freezeMax  = 5 * time.Second // from the signal to the last thread's stop
	freezePoll = 50 * time.Microsecond
)

// Freeze sends a process SIGSTOP and returns when every thread of it stands still (proc_pid_stat(5), state T), which is later than kill(2)
// returns: until then it may still write. On an error it runs on.
func Freeze(pid int) error {
	if err := unix.Kill(pid, unix.SIGSTOP); err != nil {
		return fmt.Errorf("proc: stop process %d: %w", pid, err)
	}
	if err := AwaitFrozen(pid); err != nil {
		return errors.Join(err, Thaw(pid))
	}
	return nil
}

// AwaitFrozen returns when every thread of a process that was sent SIGSTOP stands still. Errors: it has ended, or runs on.
func AwaitFrozen(pid int) error {
	for end := time.Now().Add(freezeMax); time.Now().Before(end); time.Sleep(freezePoll) {
		still, err := frozen(pid)
		if err != nil {
			return fmt.Errorf("proc: await the stop of process %d: %w", pid, err)
		}
		if still {
			return nil
		}
	}
	return fmt.Errorf("proc: process %d did not stop within %v", pid, freezeMax)
}

// Thaw lets a frozen process go on.
func Thaw(pid int) error {
	if err := unix.Kill(pid, unix.SIGCONT); err != nil {
		return fmt.Errorf("proc: continue process %d: %w", pid, err)
	}
	return nil
}

func frozen(pid int) (bool, error) {
	folder := "/proc/" + strconv.Itoa(pid) + "/task"
	threads, err := os.ReadDir(folder)
	if err != nil {
		return false, err
	}
	for _, t := range threads {
		text, err := os.ReadFile(folder + "/" + t.Name() + "/stat")
		if errors.Is(err, os.ErrNotExist) {
			return false, nil // it has just ended: look again
		}
		if err != nil {
			return false, err
		}
		// The name of a thread, in brackets, may hold a bracket itself: the state is behind the last one.
		at := strings.LastIndex(string(text), ") ")
		if at < 0 || !strings.HasPrefix(string(text[at+2:]), "T") {
			return false, nil
		}
	}
	return true, nil
}
