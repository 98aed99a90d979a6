package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"tradechat.internal/testkit/proc"
	"tradechat.internal/testkit/server"
)

var (
	// ErrEnded says that a load ended while something was still to be done.
	ErrEnded = errors.New("the load ended early")

	// ErrNone says that no request was answered.
	ErrNone = errors.New("no load")
)

// Options is what one load is.
type Options struct {
	Server         string    // host:port
	Args           []string  // further flags of tradechat-loadgen
	Stdout, Stderr io.Writer // for what it says; both nil: kept, and quoted if it fails
}

// Flags is how it can be run by hand.
func (o Options) Flags() []string { return append([]string{"--server", o.Server}, o.Args...) }

// Load is a running tradechat-loadgen.
type Load struct {
	process *proc.Process
	folder  string
	said    string // file of what it said; "": somebody else has it
}

// Start begins a load.
func Start(binaries proc.Binaries, o Options) (l *Load, err error) {
	path, err := binaries.Path("tradechat-loadgen")
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "tradechat-load-")
	if err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	l = &Load{folder: folder}
	if err := l.start(path, o); err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	return l, nil
}

func (l *Load) start(path string, o Options) (err error) {
	if o.Stdout == nil && o.Stderr == nil {
		l.said = filepath.Join(l.folder, "said.log")
		file, err := os.Create(l.said)
		if err != nil {
			return fmt.Errorf("load: %w", err)
		}
		defer file.Close() // the process has its own
		o.Stdout, o.Stderr = file, file
	}
	args := append(o.Flags(), "--json", l.file(resultFile), "--csv", l.file(intervalsFile), "--hgrm", l.file(latenciesFile))
	l.process, err = proc.Start(proc.Command{Path: path, Args: args, Stdout: o.Stdout, Stderr: o.Stderr})
	return err
}

func (l *Load) file(name string) string { return filepath.Join(l.folder, name) }

// Discard ends the load, if it still runs, and removes what it has written.
func (l *Load) Discard() {
	l.process.Kill()
	_ = os.RemoveAll(l.folder)
}

// Wait returns when the load has ended by itself, with its result; without an error only if its verdict is good. With one there may
// be a result, too: the verdict that is not.
func (l *Load) Wait(ctx context.Context) (r Result, err error) {
	exit := l.process.Wait(ctx)
	if ctx.Err() != nil {
		return r, exit
	}
	r, err = l.read()
	if exit == nil {
		return r, err
	}
	if l.said != "" {
		said, _ := os.ReadFile(l.said) // what there is of it
		exit = fmt.Errorf("%w\n%s", exit, said)
	}
	return r, exit
}

// AwaitRequests returns when requests of a mixed load are being answered: if it has a warm-up, those of the warm-up.
func (l *Load) AwaitRequests(ctx context.Context, admin server.Admin) error {
	for begin := time.Now(); time.Since(begin) < requestsMax; {
		stats, err := admin.Stats(ctx)
		if err != nil {
			return err
		}
		if stats.Ops["TRANSFER"] > 0 && stats.Ops["CHAT_SEND"] > 0 {
			return nil
		}
		if err := l.While(ctx, requestsEvery); err != nil {
			return err
		}
	}
	return fmt.Errorf("load: %w after %v", ErrNone, requestsMax)
}

// While waits, unless the load ends: that is ErrEnded.
func (l *Load) While(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(max(d, 0))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-l.process.Ended():
		return fmt.Errorf("load: %w", ErrEnded)
	case <-ctx.Done():
		return ctx.Err()
	}
}
