package procfs

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// ErrFormat reports a file of /proc that does not look as proc(5) says.
var ErrFormat = errors.New("not in the expected form")

// Memory is what a process has in memory, in bytes.
type Memory struct {
	AnonBytes  int64 `json:"anon_bytes"`  // private: heap, stacks, the runtime's own
	FileBytes  int64 `json:"file_bytes"`  // pages of files: the program itself
	ShmemBytes int64 `json:"shmem_bytes"` // pages of shared memory
}

// PrivateBytes is everything but shared memory.
func (m Memory) PrivateBytes() int64 { return m.AnonBytes + m.FileBytes }

// Add returns the sum.
func (m Memory) Add(o Memory) Memory {
	return Memory{m.AnonBytes + o.AnonBytes, m.FileBytes + o.FileBytes, m.ShmemBytes + o.ShmemBytes}
}

// Sub returns the difference.
func (m Memory) Sub(o Memory) Memory {
	return Memory{m.AnonBytes - o.AnonBytes, m.FileBytes - o.FileBytes, m.ShmemBytes - o.ShmemBytes}
}

// ResidentMemory reads a process's resident memory (VmRSS in its three parts).
func ResidentMemory(pid int) (Memory, error) {
	path := fmt.Sprintf("/proc/%d/status", pid)
	text, err := os.ReadFile(path)
	if err != nil {
		return Memory{}, fmt.Errorf("procfs: %w", err)
	}
	m, err := parseStatus(string(text))
	if err != nil {
		return m, fmt.Errorf("procfs: %s: %w", path, err)
	}
	return m, nil
}

// ResidentMemoryOf is the sum over several processes.
func ResidentMemoryOf(pids []int) (total Memory, err error) {
	for _, pid := range pids {
		one, err := ResidentMemory(pid)
		if err != nil {
			return Memory{}, err
		}
		total = total.Add(one)
	}
	return total, nil
}

// ProportionalBytes is what several processes have in memory together: each page counts once, shared by those that have it (Pss of
// /proc/PID/smaps_rollup).
func ProportionalBytes(pids []int) (total int64, err error) {
	for _, pid := range pids {
		path := fmt.Sprintf("/proc/%d/smaps_rollup", pid)
		text, err := os.ReadFile(path)
		if err != nil {
			return 0, fmt.Errorf("procfs: %w", err)
		}
		one, err := parsePss(string(text))
		if err != nil {
			return 0, fmt.Errorf("procfs: %s: %w", path, err)
		}
		total += one
	}
	return total, nil
}

func parsePss(text string) (int64, error) {
	for line := range strings.Lines(text) {
		if value, is := strings.CutPrefix(line, "Pss:"); is {
			return kilobytes("Pss", value)
		}
	}
	return 0, fmt.Errorf("%w: no line Pss", ErrFormat)
}

// kilobytes reads "  12 kB" and returns bytes.
func kilobytes(name, value string) (int64, error) {
	number, isKB := strings.CutSuffix(strings.TrimSpace(value), " kB")
	kb, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
	if err != nil || !isKB {
		return 0, fmt.Errorf("%w: %s is %q", ErrFormat, name, strings.TrimSpace(value))
	}
	return kb << 10, nil
}

func parseStatus(text string) (m Memory, err error) {
	fields := map[string]*int64{"RssAnon": &m.AnonBytes, "RssFile": &m.FileBytes, "RssShmem": &m.ShmemBytes}
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(line, ":")
		into, wanted := fields[name]
		if !wanted {
			continue
		}
		if *into, err = kilobytes(name, value); err != nil {
			return Memory{}, err
		}
		delete(fields, name)
	}
	for name := range fields {
		return Memory{}, fmt.Errorf("%w: no line %s", ErrFormat, name)
	}
	return m, nil
}
