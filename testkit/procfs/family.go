package procfs

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Family is a process and all its descendants that there are now, itself first (/proc/PID/task/TID/children).
func Family(pid int) ([]int, error) {
	pids := []int{pid}
	for i := 0; i < len(pids); i++ {
		files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pids[i]))
		if err != nil {
			return nil, fmt.Errorf("procfs: %w", err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil { // the thread has ended since
				continue
			}
			for _, child := range strings.Fields(string(text)) {
				number, err := strconv.Atoi(child)
				if err != nil {
					return nil, fmt.Errorf("procfs: %s: %w: %q", file, ErrFormat, text)
				}
				pids = append(pids, number)
			}
		}
	}
	return pids, nil
}
