package master

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"tradechat.internal/server/internal/heritage"
)

// child is the process of one slot.
type child struct {
	slot    int
	pid     int
	started time.Time
	ready   bool   // it accepts connections
	verdict string // why the master killed it; empty if it did not
}

// report is what the goroutines that wait for a child tell the supervision.
type report struct {
	child   *child
	kind    reportKind
	verdict heritage.Verdict // childSpoke
	text    string           // likewise
	status  unix.WaitStatus  // of one that was reaped
}

type reportKind int

const (
	childReady reportKind = iota
	childSpoke            // it said why it cannot work, and ends
	childEnded            // not reaped yet: its pid is still its own
)

// start spawns a process and the goroutines that watch it. They end with it, and reports must have room for two
// messages of each child.
func start(h heritage.Heritage, d heritage.Descriptors, reports chan<- report) (*child, error) {
	var ready [2]int
	if err := unix.Pipe2(ready[:], unix.O_CLOEXEC); err != nil {
		return nil, os.NewSyscallError("pipe2", err)
	}
	d.Ready = ready[1]
	started := time.Now()
	pid, err := h.Spawn(d, os.Environ())
	unix.Close(ready[1])
	if err != nil {
		unix.Close(ready[0])
		return nil, fmt.Errorf("start %s %d: %w", h.Role, h.Slot, err)
	}
	c := &child{slot: h.Slot, pid: pid, started: started}
	spoke := make(chan struct{})
	go func() {
		defer close(spoke)
		verdict, text, said := heritage.Hear(ready[0])
		unix.Close(ready[0])
		switch {
		case said && verdict == heritage.VerdictReady:
			reports <- report{child: c, kind: childReady}
		case said:
			reports <- report{child: c, kind: childSpoke, verdict: verdict, text: text}
		}
	}()
	go func() {
		awaitEnd(pid)
		<-spoke // its last word comes before its end
		reports <- report{child: c, kind: childEnded}
	}()
	return c, nil
}

// awaitEnd returns when the process is a zombie. It leaves it one: as long as nobody has reaped it the pid cannot be given
// to another process, so the supervision may send signals to it without asking.
func awaitEnd(pid int) {
	for unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
	}
}

// reap collects the zombie and says how it ended.
func (c *child) reap() unix.WaitStatus {
	var status unix.WaitStatus
	for {
		if _, err := unix.Wait4(c.pid, &status, 0, nil); err != unix.EINTR {
			return status
		}
	}
}

// kill ends the process whatever it does, stopped ones too.
func (c *child) kill(verdict string) {
	c.verdict = verdict
	c.signal(unix.SIGKILL)
}

// signal cannot fail: the process is our child and not reaped.
func (c *child) signal(s unix.Signal) { _ = unix.Kill(c.pid, s) }

// endText says how a process ended, for the log.
func endText(status unix.WaitStatus) string {
	if status.Signaled() {
		return "killed by " + unix.SignalName(status.Signal())
	}
	return fmt.Sprintf("exit code %d", status.ExitStatus())
}
