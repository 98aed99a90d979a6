package chaos

import (
	"context"
	"fmt"
)

// The faults' names.
const (
	faultKillWorker    = "kill-worker"
	faultKillLogWriter = "kill-log-writer"
	faultKillMaster    = "kill-master"
	faultKillAll       = "kill-all"
	faultReboot        = "reboot"
	faultStopWorker    = "stop-worker"
	faultStopLogWriter = "stop-log-writer"
	faultHang          = "hang"
	faultCut           = "cut"
	faultDelay         = "delay"
	faultDrop          = "drop"
	faultPartition     = "partition"
	faultFullDisk      = "full-disk"
)

// fault is one thing that the nemesis does.
type fault struct {
	name   string
	what   string // for people
	weight int    // how often, against the others
	kills  bool
	do     func(*nemesis, context.Context) error
}

// faults are all that there are.
var faults = []fault{
	{faultKillWorker, "a worker killed", 56, true, (*nemesis).killWorker},
	{faultKillLogWriter, "the log writer killed", 14, true, (*nemesis).killLogWriter},
	{faultKillMaster, "the master killed, the server started again", 8, true, (*nemesis).killMaster},
	{faultKillAll, "all processes killed at once, the server started again", 8, true, (*nemesis).killAll},
	{faultReboot, "all killed and the shared memory lost, started from disk", 4, true, (*nemesis).reboot},
	{faultStopWorker, "a worker stopped for less than the watchdog allows", 8, false, (*nemesis).stopWorker},
	{faultStopLogWriter, "the log writer stopped for less than the watchdog allows", 6, false, (*nemesis).stopLogWriter},
	{faultHang, "a worker or the log writer stopped until the watchdog killed it", 3, false, (*nemesis).hang},
	{faultCut, "connections cut, some in the middle of a frame", 12, false, (*nemesis).cut},
	{faultDelay, "everything delayed for a while", 8, false, (*nemesis).delay},
	{faultDrop, "connections that go silent, and end", 6, false, (*nemesis).drop},
	{faultPartition, "connections cut, and nobody let in again for longer than a session lives", 3, false, (*nemesis).partition},
	{faultFullDisk, "the disk full until the server was read-only, then started again", 2, false, (*nemesis).fullDisk},
}

// FaultNames are the names of all faults.
func FaultNames() (names []string) {
	for _, f := range faults {
		names = append(names, f.name)
	}
	return names
}

// faultNameWidth is the width of a column of names.
func faultNameWidth() (width int) {
	for _, f := range faults {
		width = max(width, len(f.name))
	}
	return width
}

// FaultsHelp tells people what the faults are, a line each.
func FaultsHelp() (text string) {
	for _, f := range faults {
		text += fmt.Sprintf("  %-*s %s\n", faultNameWidth(), f.name, f.what)
	}
	return text
}
