package proc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

var (
	// ErrEnded says that a process ended when it was not to.
	ErrEnded = errors.New("ended")

	// ErrUnclean says that a process ended otherwise than with exit code 0.
	ErrUnclean = errors.New("did not end cleanly")
)

// ownVariables begin the names of the variables that configure our programs.
const ownVariables = "TRADECHAT_"

// Command is what Start runs.
type Command struct {
	Path   string
	Args   []string
	Folder string              // to run in; "": this process's
	Env    []string            // in addition to this process's, without TRADECHAT_ variables
	User   *syscall.Credential // to run as, which only root can choose; nil: as this process
	Stdout io.Writer           // nil: kept, for Lines and AwaitLine
	Stderr io.Writer           // nil: dropped; an *os.File is passed on as it is
}

// Process is a process that Start made.
type Process struct {
	name   string
	cmd    *exec.Cmd
	output *output
	ended  chan struct{} // closed when it was reaped
	err    error         // how it ended, once ended is closed
}

// Start runs a program in a process group of its own.
func Start(c Command) (*Process, error) {
	cmd := exec.Command(c.Path, c.Args...)
	cmd.Dir = c.Folder
	cmd.Env = append(withoutOwn(os.Environ()), c.Env...)
	cmd.Stderr = c.Stderr
	cmd.WaitDelay = pipeMax
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM, Credential: c.User}
	p := &Process{name: cmd.Path, cmd: cmd, output: newOutput(), ended: make(chan struct{})}
	if cmd.Stdout = c.Stdout; c.Stdout == nil {
		cmd.Stdout = p.output
	}
	if err := onSpawner(cmd.Start); err != nil {
		return nil, fmt.Errorf("proc: start %s: %w", c.Path, err)
	}
	go func() {
		p.err = cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

func withoutOwn(environ []string) []string {
	kept := make([]string, 0, len(environ))
	for _, entry := range environ {
		if !strings.HasPrefix(entry, ownVariables) {
			kept = append(kept, entry)
		}
	}
	return kept
}

// PID is its number; it stays its own until the process has ended.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Ended is closed when the process has ended.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Lines are the whole lines of its standard output so far.
func (p *Process) Lines() []string { return p.output.lines() }

// AwaitLine returns what follows the prefix on the first line of standard output that begins with it. ErrEnded if the
// process ends without having printed one.
func (p *Process) AwaitLine(ctx context.Context, prefix string) (rest string, err error) {
	for {
		changed := p.output.changed()
		if rest, found := p.line(prefix); found {
			return rest, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return "", fmt.Errorf("proc: %s has not printed %q: %w", p.name, prefix, ctx.Err())
		case <-p.ended:
			if rest, found := p.line(prefix); found {
				return rest, nil
			}
			return "", fmt.Errorf("proc: %s %w before it printed %q (%v)", p.name, ErrEnded, prefix, p.cmd.ProcessState)
		}
	}
}

// line is the rest of the first line with a prefix.
func (p *Process) line(prefix string) (rest string, found bool) {
	for _, line := range p.output.lines() {
		if rest, found = strings.CutPrefix(line, prefix); found {
			return rest, true
		}
	}
	return "", false
}

// Wait returns when the process has ended by itself: nil for exit code 0, else ErrUnclean. If the context ends first the
// process is stopped, and the error is the context's.
func (p *Process) Wait(ctx context.Context) error {
	select {
	case <-p.ended:
		return p.outcome()
	case <-ctx.Done():
		return errors.Join(ctx.Err(), p.Stop())
	}
}

// Stop asks the process to end, and ends it if it does not in time. It returns nil for exit code 0, else ErrUnclean. It may
// be called again.
func (p *Process) Stop() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // fails only if it has ended
	select {
	case <-p.ended:
		return p.outcome()
	case <-time.After(stopMax):
	}
	p.Kill()
	return fmt.Errorf("proc: %s %w: it had to be killed %v after SIGTERM", p.name, ErrUnclean, stopMax)
}

// Kill ends the process at once, if it still runs, and returns when it has ended.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // fails only if it has ended
	<-p.ended
}

func (p *Process) outcome() error {
	if p.err != nil {
		return fmt.Errorf("proc: %s %w: %w", p.name, ErrUnclean, p.err)
	}
	return nil
}
