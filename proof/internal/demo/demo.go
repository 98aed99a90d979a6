package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"tradechat.internal/testkit/proc"
	"tradechat.internal/testkit/server"
)

var (
	// ErrFailed says that something did not hold; what it was has been printed.
	ErrFailed = errors.New("the demo failed")

	// ErrOption reports a setting outside of its limits.
	ErrOption = errors.New("setting outside its limits")
)

// Options says how large the demo is.
type Options struct {
	Workers     int
	Connections int
	Duration    time.Duration // of the load
}

// DefaultOptions is what `make demo` shows.
func DefaultOptions() Options {
	return Options{Workers: 4, Connections: 100, Duration: 10 * time.Second}
}

// Validate checks every setting.
func (o Options) Validate() error {
	switch {
	case o.Workers < WorkersMin || o.Workers > WorkersMax:
		return fmt.Errorf("%w: workers is %d, want %d … %d", ErrOption, o.Workers, WorkersMin, WorkersMax)
	case o.Connections < 1:
		return fmt.Errorf("%w: connections is %d, want 1 or more", ErrOption, o.Connections)
	case o.Duration < DurationMin || o.Duration > DurationMax:
		return fmt.Errorf("%w: duration is %v, want %v … %v", ErrOption, o.Duration, DurationMin, DurationMax)
	}
	return nil
}

// demo is one showing.
type demo struct {
	screen
	verdicts
	options  Options
	binaries proc.Binaries
	server   *server.Server
}

// Run shows the demo on two streams. ErrFailed if something did not hold.
func Run(ctx context.Context, binaries proc.Binaries, stdout, stderr io.Writer, o Options) error {
	if err := o.Validate(); err != nil {
		return err
	}
	d := &demo{screen: newScreen(stdout, stderr), options: o, binaries: binaries}
	if err := d.startServer(ctx); err != nil {
		return err
	}
	defer d.server.Discard()
	for _, step := range []func(context.Context) error{d.load, d.metrics, d.books} {
		if err := step(ctx); ctx.Err() != nil {
			return ctx.Err()
		} else if err != nil {
			d.note("every step works", false, err.Error())
		}
	}
	d.stop()
	return d.conclude()
}

func (d *demo) startServer(ctx context.Context) (err error) {
	d.heading("Server: %d workers", d.options.Workers)
	d.server, err = server.Start(ctx, d.binaries, server.Options{
		Workers: d.options.Workers, Args: []string{"--registration", "open", "--log-format", "console"},
	})
	if err != nil {
		return err
	}
	stats, err := d.server.Stats(ctx)
	if err != nil {
		d.server.Discard()
		return err
	}
	d.command("tradechatd", d.server.Flags())
	d.line("ready on %s, segment %s, master %d, workers %s", d.server.Address, d.server.Segment(), d.server.PID(), joined(stats.WorkerPIDs()))
	return nil
}

func joined(pids []int) string {
	list := make([]string, len(pids))
	for i, pid := range pids {
		list[i] = strconv.Itoa(pid)
	}
	return strings.Join(list, " ")
}

// metrics shows what the server has counted, as an administrator sees it.
func (d *demo) metrics(ctx context.Context) error {
	d.heading("Metrics")
	path, err := d.binaries.Path("tradechat")
	if err != nil {
		return err
	}
	args := []string{"admin", "stats", "--data", d.server.DataFolder()}
	d.command("tradechat", args)
	process, err := proc.Start(proc.Command{Path: path, Args: args, Stdout: d.stdout, Stderr: d.stderr})
	if err != nil {
		return err
	}
	return process.Wait(ctx)
}

// books notes what a Verify of the running server has found.
func (d *demo) books(ctx context.Context) error {
	stats, err := d.server.Stats(ctx)
	if err != nil {
		return err
	}
	v := stats.Verify
	detail := fmt.Sprintf("%d users, %d records, supply %d = balances %s = deposits %s − withdrawals %s",
		v.Users, v.Records, v.Supply, v.Balances, v.Deposits, v.Withdrawals)
	if !v.OK {
		detail += ": " + strings.Join(append(v.Problems, v.Error), "; ")
	}
	d.note("the running server's books are right (Verify)", v.OK, detail)
	return nil
}

// stop ends the server and notes how.
func (d *demo) stop() {
	d.heading("Stop")
	d.line("SIGTERM to the master, %d", d.server.PID())
	audit, err := d.server.Stop()
	if audit != "" {
		d.line("%s", audit)
	}
	d.note("the server stops in order, with exit code 0", !errors.Is(err, proc.ErrUnclean), "")
	d.note("its final audit finds the books right", !errors.Is(err, server.ErrAudit), "")
	d.note("nothing is left in /dev/shm", !errors.Is(err, server.ErrLeftover), d.server.Segment()+" is gone")
	if err != nil {
		d.line("%v", err)
	}
}

// conclude shows all verdicts.
func (d *demo) conclude() error {
	d.heading("Verdict")
	for _, v := range d.verdicts {
		d.verdict(v)
	}
	if !d.allHeld() {
		return ErrFailed
	}
	d.line("everything held")
	return nil
}
