package master

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"tradechat.internal/server/internal/heritage"
)

// process is one process of a child.
type process struct {
	slot    int
	pid     int
	started time.Time
	ready   bool     // it said that it works
	asked   bool     // it was asked to end
	killed  string   // why the master killed it; empty if it did not
	line    *os.File // the master's end; closed when it is reaped
}

// report is what the goroutines that wait for a process tell the supervision.
type report struct {
	process *process
	kind    reportKind
	word    heritage.Word   // processSpoke
	status  unix.WaitStatus // of one that was reaped
}

type reportKind int

const (
	processReady reportKind = iota
	processSpoke            // it said why it cannot work, and ends
	processEnded            // not reaped yet: its pid is still its own
)

// start spawns a process and the goroutines that watch it. They end with it, and reports must have room for two
// messages of each process.
func start(h heritage.Heritage, d heritage.Descriptors, reports chan<- report) (*process, error) {
	line, childLine, err := heritage.NewLine()
	if err != nil {
		return nil, err
	}
	d.Line = childLine
	started := time.Now()
	pid, err := h.Spawn(d, os.Environ())
	unix.Close(childLine)
	if err != nil {
		line.Close()
		return nil, fmt.Errorf("start %s in slot %d: %w", h.Role, h.Slot, err)
	}
	p := &process{slot: h.Slot, pid: pid, started: started, line: line}
	spoke := make(chan struct{})
	go func() {
		defer close(spoke)
		word, err := heritage.Hear(line)
		switch {
		case err != nil: // it ends, or is not of this build; its end says the rest
		case word.Verdict == heritage.VerdictReady:
			reports <- report{process: p, kind: processReady}
		default:
			reports <- report{process: p, kind: processSpoke, word: word}
		}
	}()
	go func() {
		awaitEnd(pid)
		<-spoke // its last word comes before its end
		reports <- report{process: p, kind: processEnded}
	}()
	return p, nil
}

// awaitEnd returns when the process is a zombie. It leaves it one: as long as nobody has reaped it the pid cannot be given
// to another process, so the supervision may send signals to it without asking.
func awaitEnd(pid int) {
	for unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
	}
}

// reap collects the zombie and says how it ended.
func (p *process) reap() unix.WaitStatus {
	_ = p.line.Close()
	var status unix.WaitStatus
	for {
		if _, err := unix.Wait4(p.pid, &status, 0, nil); err != unix.EINTR {
			return status
		}
	}
}

// askToEnd is not heard by a process that has ended, and fits into the line of any other: it is the only thing that is ever said there.
func (p *process) askToEnd() {
	p.asked = true
	_ = heritage.AskToEnd(p.line)
}

// kill ends the process whatever it does, stopped ones too. It cannot fail: the process is our child and not reaped.
func (p *process) kill(why string) {
	p.killed = why
	_ = unix.Kill(p.pid, unix.SIGKILL)
}

// endedWell tells whether a process that was asked to end did as it should.
func (p *process) endedWell(status unix.WaitStatus) bool {
	return p.asked && status.Exited() && status.ExitStatus() == 0
}

// endText says how a process ended, for the log.
func endText(status unix.WaitStatus) string {
	if status.Signaled() {
		return "killed by " + unix.SignalName(status.Signal())
	}
	return fmt.Sprintf("exit code %d", status.ExitStatus())
}

// reapStrangers collects zombies that this process did not start: the orphans of a container in which it is PID 1, and what a shell
// had started before it executed tradechatd. One a call is looked at; our own stay for the supervision.
func (m *Master) reapStrangers() {
	for {
		var info unix.Siginfo
		if unix.Waitid(unix.P_ALL, 0, &info, unix.WEXITED|unix.WNOWAIT|unix.WNOHANG, nil) != nil {
			return
		}
		pid := siginfoPID(&info)
		if pid == 0 || m.owns(pid) {
			return
		}
		_, _ = unix.Wait4(pid, nil, unix.WNOHANG, nil)
	}
}

func (m *Master) owns(pid int) bool {
	for i := range m.children {
		if p := m.children[i].process; p != nil && p.pid == pid {
			return true
		}
	}
	return false
}
