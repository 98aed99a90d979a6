package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"tradechat.internal/testkit/proc"
)

var (
	// ErrAudit says that the server did not print that its books are right.
	ErrAudit = errors.New("no audit that found the books right")

	// ErrLeftover says that the server left its segment in /dev/shm.
	ErrLeftover = errors.New("left in /dev/shm")
)

// Options is what measurements choose. Everything else is the server's default.
type Options struct {
	Workers int
	Args    []string // further flags
	Env     []string // further variables

	// Prepare is called once, with the data folder's path, before the first start; what it returns is called when the server has
	// ended and before its folder is removed. It may be nil.
	Prepare func(dataFolder string) (release func(), err error)
}

// Server is a running tradechatd.
type Server struct {
	Address string // host:port

	process *proc.Process
	folder  string // holds data and log
	segment string // path under /dev/shm, once it is ready
	flags   []string
	readyAt time.Time // when the ready line was seen
	users   int       // that AddUsers has made
	release func()    // of Options.Prepare
}

// Start runs a server and returns when all its workers accept, and its statistics say so.
func Start(ctx context.Context, binaries proc.Binaries, o Options) (*Server, error) {
	path, err := binaries.Path("tradechatd")
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "tradechat-bench-")
	if err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	s := &Server{folder: folder}
	if o.Prepare != nil {
		if s.release, err = o.Prepare(s.DataFolder()); err != nil {
			return nil, errors.Join(err, s.remove())
		}
	}
	if err := s.run(ctx, path, o); err != nil {
		return nil, errors.Join(s.Explain(err), s.remove())
	}
	return s, nil
}

func (s *Server) run(ctx context.Context, path string, o Options) error {
	log, err := os.Create(s.logPath())
	if err != nil {
		return fmt.Errorf("server: %w", err)
	}
	defer log.Close()
	s.flags = append([]string{
		"--listen", "127.0.0.1:0", "--workers", strconv.Itoa(o.Workers), "--data", s.DataFolder(),
		"--kdf-iterations", strconv.Itoa(kdfIterations),
	}, o.Args...)
	s.process, err = proc.Start(proc.Command{Path: path, Args: s.flags, Env: o.Env, Stderr: log})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, readyMax)
	defer cancel()
	if s.Address, err = s.process.AwaitLine(ctx, "ready "); err != nil {
		return err
	}
	s.readyAt = time.Now()
	s.learnSegment()
	return s.awaitWorkers(ctx, o.Workers)
}

// ReadyAt is when the latest start was seen to be ready.
func (s *Server) ReadyAt() time.Time { return s.readyAt }

// KillAll ends all processes of the server at once, the master stopped first so that it repairs nothing any more. The data
// folder and the segment stay.
func (s *Server) KillAll(ctx context.Context) error {
	pids, err := s.PIDs(ctx)
	if err != nil {
		return err
	}
	if err := proc.Freeze(s.PID()); err != nil {
		return fmt.Errorf("server: %w", err)
	}
	for _, pid := range pids[1:] { // children of a stopped master, not reaped: the numbers are theirs
		if err := unix.Kill(pid, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) { // it ended just before the stop
			return fmt.Errorf("server: kill %d: %w", pid, err)
		}
	}
	s.process.Kill()
	return nil
}

// KillMaster ends the master alone; the others notice, and end by themselves. The data folder and the segment stay.
func (s *Server) KillMaster() { s.process.Kill() }

// Halt ends the server with a signal to stop, however that goes. The data folder stays, and the segment if the server leaves
// it.
func (s *Server) Halt() error { return s.Explain(s.process.Stop()) }

// Restart starts a server that has ended again, on the same data folder and segment.
func (s *Server) Restart(ctx context.Context, binaries proc.Binaries, o Options) error {
	path, err := binaries.Path("tradechatd")
	if err != nil {
		return err
	}
	return s.Explain(s.run(ctx, path, o))
}

// PID is the master's process number.
func (s *Server) PID() int { return s.process.PID() }

// Flags is what the server was started with.
func (s *Server) Flags() []string { return s.flags }

// DataFolder is the server's data folder.
func (s *Server) DataFolder() string { return filepath.Join(s.folder, "data") }

// Segment is the path of the server's shared memory.
func (s *Server) Segment() string { return s.segment }

// learnSegment reads the name that the data folder keeps while there is a segment.
func (s *Server) learnSegment() {
	if name, err := os.ReadFile(filepath.Join(s.DataFolder(), "segment")); err == nil {
		s.segment = filepath.Join("/dev/shm", strings.TrimSpace(string(name)))
	}
}

func (s *Server) logPath() string { return filepath.Join(s.folder, "server.log") }

// Log is what all processes of the server have logged so far.
func (s *Server) Log() (string, error) {
	text, err := os.ReadFile(s.logPath())
	if err != nil {
		return "", fmt.Errorf("server: %w", err)
	}
	return string(text), nil
}

// Stop ends the server and returns the audit line that it printed.
func (s *Server) Stop() (audit string, err error) {
	audit, err = s.End()
	return audit, errors.Join(err, s.remove())
}

// End is Stop, but the data folder stays.
func (s *Server) End() (audit string, err error) {
	err = s.process.Stop()
	for _, line := range s.process.Lines() {
		if strings.HasPrefix(line, "audit ") {
			audit = line
		}
	}
	if !strings.HasPrefix(audit, "audit ok") {
		err = errors.Join(err, fmt.Errorf("server: %w, but %q", ErrAudit, audit))
	}
	if _, gone := os.Lstat(s.segment); !errors.Is(gone, fs.ErrNotExist) {
		err = errors.Join(err, fmt.Errorf("server: %s: %w", s.segment, ErrLeftover))
	}
	return audit, s.Explain(err)
}

// Discard ends the server, if it still runs, and removes whatever it left, as far as that is possible. It is the way out
// when something else has failed; after Stop it changes nothing.
func (s *Server) Discard() { _ = s.remove() }

func (s *Server) remove() error {
	if s.process != nil {
		_ = s.process.Stop() // how it ends is Stop's to judge
	}
	if s.release != nil {
		s.release()
		s.release = nil
	}
	var err error
	if s.learnSegment(); s.segment != "" {
		err = os.Remove(s.segment)
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, os.RemoveAll(s.folder))
}

// Explain adds the end of the log to an error.
func (s *Server) Explain(err error) error {
	if err == nil {
		return nil
	}
	text, _ := s.Log()
	lines := strings.Split(strings.TrimSpace(text), "\n")
	tail := strings.Join(lines[max(0, len(lines)-logTailLines):], "\n")
	return fmt.Errorf("%w\nthe end of the server's log:\n%s", err, tail)
}
