package scenario

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// errPatience is the end of a wait for something that did not happen.
var errPatience = errors.New("waited in vain")

// await polls for something that no event tells of.
func await(what string, reached func() bool) error {
	for deadline := time.Now().Add(patience); !reached(); time.Sleep(pollEvery) {
		if time.Now().After(deadline) {
			return fmt.Errorf("%w for %v: %s", errPatience, patience, what)
		}
	}
	return nil
}

// transcript is what a process wrote to one stream so far.
type transcript struct {
	mu   sync.Mutex
	text strings.Builder
	done chan struct{} // closed at the stream's end
}

// follow copies a stream, line by line so that nobody sees half a line.
func (t *transcript) follow(r io.ReadCloser) {
	defer close(t.done)
	defer r.Close()
	for lines := bufio.NewReader(r); ; {
		line, err := lines.ReadString('\n')
		t.mu.Lock()
		t.text.WriteString(line)
		t.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// whole is the text once the stream has ended; what there is if a process that lives on holds it open.
func (t *transcript) whole() string {
	select {
	case <-t.done:
	case <-time.After(patience):
	}
	return t.String()
}

func (t *transcript) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}

// process is one that the script started; it is waited for from its start on.
type process struct {
	cmd            *exec.Cmd
	stdout, stderr transcript
	ended          chan struct{}
}

// launch starts cmd, in a group of its own: a signal from the terminal is the test's alone.
func launch(cmd *exec.Cmd) (*process, error) {
	p := &process{cmd: cmd, ended: make(chan struct{})}
	var writers [2]*os.File
	for i, t := range []*transcript{&p.stdout, &p.stderr} {
		r, w, err := os.Pipe()
		if err != nil {
			return nil, err
		}
		defer w.Close()
		writers[i] = w
		t.done = make(chan struct{})
		go t.follow(r)
	}
	cmd.Stdout, cmd.Stderr = writers[0], writers[1]
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = new(syscall.SysProcAttr)
	}
	cmd.SysProcAttr.Setpgid = true
	if err := startMortal(cmd); err != nil {
		return nil, err
	}
	go func() {
		_ = cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

// starts are the requests to the one thread that starts processes.
var starts = sync.OnceValue(func() chan<- func() {
	requests := make(chan func())
	go func() {
		runtime.LockOSThread() // never unlocked: see startMortal
		for request := range requests {
			request()
		}
	}()
	return requests
})

// startMortal starts a process that the kernel kills when this one dies, so that not even a test that is killed leaves a
// server behind. The signal is sent when the thread that started the process ends: it must be one that does not.
func startMortal(cmd *exec.Cmd) error {
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	started := make(chan error)
	starts() <- func() { started <- cmd.Start() }
	return <-started
}

// alive reports whether it has not ended yet.
func (p *process) alive() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// end waits for the process's end and says how it ended: "0", "1" … or a signal's name as in "KILL".
func (p *process) end(within time.Duration) (how string, err error) {
	begin := time.Now()
	select {
	case <-p.ended:
	case <-time.After(patience):
		return "", fmt.Errorf("%w for %v: end of process %d", errPatience, patience, p.cmd.Process.Pid)
	}
	if took := time.Since(begin); within > 0 && took > within {
		return "", fmt.Errorf("process %d ended after %v, not within %v", p.cmd.Process.Pid, took, within)
	}
	status := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if status.Signaled() {
		return strings.TrimPrefix(unix.SignalName(status.Signal()), "SIG"), nil
	}
	return fmt.Sprint(status.ExitStatus()), nil
}

// logs waits until a line of stderr matches.
func (p *process) logs(pattern string) error {
	re, err := regexp.Compile("(?m)" + pattern)
	if err != nil {
		return err
	}
	err = await("log line "+pattern, func() bool { return re.MatchString(p.stderr.String()) || !p.alive() })
	if err != nil || re.MatchString(p.stderr.String()) {
		return err
	}
	if !re.MatchString(p.stderr.whole()) {
		return fmt.Errorf("the process ended without logging %s", pattern)
	}
	return nil
}

func (p *process) signal(name string) error {
	sig, err := signalNamed(name)
	if err != nil {
		return err
	}
	return p.cmd.Process.Signal(sig)
}

func signalNamed(name string) (syscall.Signal, error) {
	sig := unix.SignalNum("SIG" + name)
	if sig == 0 {
		return 0, fmt.Errorf("%q is not a signal; KILL, STOP, CONT, TERM, INT …", name)
	}
	return sig, nil
}

// pidfd refers to one process, never to another that got its pid later.
type pidfd int

func openPidfd(pid int) (pidfd, error) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return -1, fmt.Errorf("process %d: %w", pid, err)
	}
	return pidfd(fd), nil
}

func (fd pidfd) kill() { _ = unix.PidfdSendSignal(int(fd), unix.SIGKILL, nil, 0) }

func (fd pidfd) close() { _ = unix.Close(int(fd)) }

// gone waits until the process has ended, as a zombie or for good; false if it has not in time.
func (fd pidfd) gone(within time.Duration) bool {
	for deadline := time.Now().Add(within); ; {
		left := max(time.Until(deadline), 0)
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(left.Milliseconds())+1)
		if err != unix.EINTR {
			return n == 1
		}
	}
}
