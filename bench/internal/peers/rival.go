package peers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"tradechat.internal/libnet"
	"tradechat.internal/testkit/closedloop"
	"tradechat.internal/testkit/proc"
)

// ErrMissing says that a program that is to be compared with is not on this machine.
var ErrMissing = errors.New("not installed")

// rival is a running server, in one mode, under one kind of request.
type rival interface {
	// Connect makes n connections that are ready to be driven. It may be called again when those of the last call are closed.
	Connect(ctx context.Context, n int) ([]closedloop.Peer, error)

	// PIDs are the numbers of all its processes.
	PIDs(ctx context.Context) ([]int, error)

	// Version is what it says of itself; "" for what is made here.
	Version() string

	// Check compares the requests that it has counted itself with those that were sent and answered.
	Check(ctx context.Context, sent uint64) error

	// Stop ends it in order, when its connections are closed. Discard ends it in any case; after Stop it changes nothing.
	Stop() error
	Discard()
}

// ErrDisagree says that a rival counted something else than what was sent.
var ErrDisagree = errors.New("its own count differs")

// station is what a foreign server has: a process, a folder, a log in it, an address.
type station struct {
	process *proc.Process
	folder  string
	address string
}

// newStation makes the folder.
func newStation(name string) (*station, error) {
	folder, err := os.MkdirTemp("", "tradechat-bench-"+name+"-")
	if err != nil {
		return nil, fmt.Errorf("peers: %w", err)
	}
	return &station{folder: folder}, nil
}

func (s *station) path(name string) string { return filepath.Join(s.folder, name) }

// run starts a program, whose output goes into the log, and returns when ready does not fail any more.
func (s *station) run(ctx context.Context, c proc.Command, ready func(context.Context) error) error {
	log, err := os.Create(s.path("log"))
	if err != nil {
		return fmt.Errorf("peers: %w", err)
	}
	defer log.Close()
	c.Stdout, c.Stderr = log, log
	if s.process, err = proc.Start(c); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, readyMax)
	defer cancel()
	again := time.NewTicker(readyEvery)
	defer again.Stop()
	for {
		err := ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-again.C:
		case <-s.process.Ended():
			return s.explain(fmt.Errorf("peers: %s %w: %w", c.Path, proc.ErrEnded, err))
		case <-ctx.Done():
			return s.explain(fmt.Errorf("peers: %s is not ready: %w", c.Path, errors.Join(ctx.Err(), err)))
		}
	}
}

// explain adds the end of the log.
func (s *station) explain(err error) error {
	text, _ := os.ReadFile(s.path("log"))
	return fmt.Errorf("%w\nthe end of its log:\n%s", err, strings.TrimSpace(string(text[max(0, len(text)-logTailBytes):])))
}

// Stop ends the process and removes the folder.
func (s *station) Stop() error {
	err := s.process.Stop()
	if err != nil {
		err = s.explain(err)
	}
	return errors.Join(err, os.RemoveAll(s.folder))
}

// Discard is Stop when something else has failed.
func (s *station) Discard() {
	if s.process != nil {
		_ = s.process.Stop() // what has failed before is the error
	}
	_ = os.RemoveAll(s.folder)
}

// reserve binds a free loopback port without listening on it. Until release is called nobody else is given it, but a server
// that sets SO_REUSEADDR, as all do, can listen on it (socket(7)).
func reserve() (address string, release io.Closer, err error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return "", nil, os.NewSyscallError("socket", err)
	}
	socket := os.NewFile(uintptr(fd), "reserved port")
	err = errors.Join(
		os.NewSyscallError("setsockopt", unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)),
		os.NewSyscallError("bind", unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})),
	)
	if err != nil {
		return "", nil, errors.Join(err, socket.Close())
	}
	bound, err := libnet.AddrOf(fd)
	if err != nil {
		return "", nil, errors.Join(err, socket.Close())
	}
	return bound.String(), socket, nil
}
