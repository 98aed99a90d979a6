package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"tradechat.internal/bench/internal/proc"
	"tradechat.internal/bench/internal/server"
)

var (
	// ErrEnded says that a load ended while something was still to be done.
	ErrEnded = errors.New("the load ended early")

	// ErrNone says that no request was answered.
	ErrNone = errors.New("no load")
)

// Options is what one load is.
type Options struct {
	Server string    // host:port
	Args   []string  // further flags of tradechat-loadgen
	Output io.Writer // for all that it says; nil: kept, and quoted if it fails
}

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
	output := o.Output
	if output == nil {
		l.said = filepath.Join(l.folder, "said.log")
		file, err := os.Create(l.said)
		if err != nil {
			return fmt.Errorf("load: %w", err)
		}
		defer file.Close() // the process has its own
		output = file
	}
	args := append([]string{"--server", o.Server, "--json", l.file(resultFile), "--csv", l.file(intervalsFile), "--hgrm", l.file(latenciesFile)}, o.Args...)
	l.process, err = proc.Start(proc.Command{Path: path, Args: args, Stdout: output, Stderr: output})
	return err
}

func (l *Load) file(name string) string { return filepath.Join(l.folder, name) }

// Discard ends the load, if it still runs, and removes what it has written.
func (l *Load) Discard() {
	l.process.Kill()
	_ = os.RemoveAll(l.folder)
}

// Wait returns when the load has ended by itself, with its result.
func (l *Load) Wait(ctx context.Context) (r Result, err error) {
	if err := l.process.Wait(ctx); err != nil {
		if ctx.Err() != nil {
			return r, err
		}
		said, _ := os.ReadFile(l.said) // nothing, if somebody else has it
		return r, fmt.Errorf("%w\n%s", err, said)
	}
	return l.read()
}

// AwaitRequests returns when requests of the load are being answered: of a load with a warm-up, that of the warm-up.
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
