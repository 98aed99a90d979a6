package peers

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"

	"tradechat.internal/bench/internal/echoserver"
	"tradechat.internal/testkit/closedloop"
	"tradechat.internal/testkit/proc"
)

// epollEcho is the echo in C, which is compiled when it is needed. It lies in a folder of its own, which is none of Go's.
//
//go:embed csrc/epollecho.c
var epollEcho []byte

// echo is a server that does nothing but answer: the limit of what a server on this machine can do.
type echo struct {
	process *proc.Process
	address string
	folder  string // of its program; "": none
}

func startGnetEcho(ctx context.Context, o Options) (*echo, error) {
	process, address, err := echoserver.Start(ctx, echoserver.Config{
		Loops: o.Workers, RequestLen: closedloop.RequestLen, ResponseLen: closedloop.ResponseLen,
	})
	if err != nil {
		return nil, err
	}
	return &echo{process: process, address: address}, nil
}

func startCEcho(ctx context.Context) (*echo, error) {
	compiler, err := exec.LookPath("gcc")
	if err != nil {
		return nil, fmt.Errorf("peers: gcc is %w", ErrMissing)
	}
	place, err := newStation(Echo)
	if err != nil {
		return nil, err
	}
	e := &echo{folder: place.folder}
	if err := e.run(ctx, compiler, place); err != nil {
		e.Discard()
		return nil, err
	}
	return e, nil
}

func (e *echo) run(ctx context.Context, compiler string, place *station) error {
	source, program := place.path("epollecho.c"), place.path("epollecho")
	if err := os.WriteFile(source, epollEcho, 0o600); err != nil {
		return fmt.Errorf("peers: %w", err)
	}
	out, err := exec.CommandContext(ctx, compiler, "-O2", "-Wall", "-Wextra", "-Werror", "-o", program, source).CombinedOutput()
	if err != nil {
		return fmt.Errorf("peers: %s: %w\n%s", compiler, err, out)
	}
	process, err := proc.Start(proc.Command{Path: program, Stderr: os.Stderr, Args: []string{
		strconv.Itoa(closedloop.RequestLen), strconv.Itoa(closedloop.ResponseLen),
	}})
	if err != nil {
		return err
	}
	e.process = process
	ctx, cancel := context.WithTimeout(ctx, readyMax)
	defer cancel()
	e.address, err = process.AwaitLine(ctx, "ready ")
	return err
}

// Connect needs no login.
func (e *echo) Connect(ctx context.Context, n int) ([]closedloop.Peer, error) {
	return closedloop.Dial(ctx, e.address, n, func() closedloop.Exchange { return closedloop.NewTransfer(1) })
}

// PIDs is the one process.
func (e *echo) PIDs(context.Context) ([]int, error) { return []int{e.process.PID()}, nil }

// Version is that of this build.
func (e *echo) Version() string { return "" }

// Check has nothing to ask for: every answer was seen.
func (e *echo) Check(context.Context, uint64) error { return nil }

// Stop ends it.
func (e *echo) Stop() error {
	err := e.process.Stop()
	if e.folder != "" {
		err = errors.Join(err, os.RemoveAll(e.folder))
	}
	return err
}

// Discard is Stop when something else has failed.
func (e *echo) Discard() {
	if e.process != nil {
		_ = e.process.Stop() // what has failed before is the error
	}
	if e.folder != "" {
		_ = os.RemoveAll(e.folder)
	}
}
