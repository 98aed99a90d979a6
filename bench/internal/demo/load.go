package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"tradechat.internal/bench/internal/proc"
	"tradechat.internal/bench/internal/server"
)

// ErrLoadEnded says that the load generator ended before a worker was killed.
var ErrLoadEnded = errors.New("the load ended early")

// loadResult is what the demo reads of the load generator's JSON.
type loadResult struct {
	RequestsOK     uint64  `json:"requests_ok"`
	RequestsFailed uint64  `json:"requests_failed"`
	PerSecond      float64 `json:"req_per_s"`
	Verdict        struct {
		ChatOK  bool `json:"chat_ok"`
		MoneyOK bool `json:"money_ok"`
	} `json:"verdict"`
}

// load runs the load generator, and kills a worker in the middle.
func (d *demo) load(ctx context.Context) error {
	d.heading("Load: %d connections, chat and money, %v; one worker is killed in the middle", d.options.Connections, d.options.Duration)
	path, err := d.binaries.Path("tradechat-loadgen")
	if err != nil {
		return err
	}
	result := filepath.Join(d.folder, "load.json")
	args := []string{
		"--server", d.server.Address, "--connections", strconv.Itoa(d.options.Connections), "--mix", "mixed",
		"--duration", d.options.Duration.String(), "--json", result,
	}
	d.command("tradechat-loadgen", args)
	process, err := proc.Start(proc.Command{Path: path, Args: args, Stdout: d.stdout, Stderr: d.stderr})
	if err != nil {
		return err
	}
	defer process.Kill()
	killErr := d.killInTheMiddle(ctx, process)
	if errors.Is(killErr, ErrLoadEnded) {
		killErr = errors.Join(killErr, process.Wait(ctx))
	}
	if killErr != nil {
		return killErr
	}
	exit := process.Wait(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return d.judgeLoad(result, exit)
}

// judgeLoad notes the load generator's own verdict.
func (d *demo) judgeLoad(path string, exit error) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return errors.Join(exit, err)
	}
	var r loadResult
	if err := json.Unmarshal(text, &r); err != nil {
		return fmt.Errorf("demo: the load generator's result: %w", err)
	}
	detail := fmt.Sprintf("%d requests answered, %.0f a second; %d failed with the worker", r.RequestsOK, r.PerSecond, r.RequestsFailed)
	if exit != nil {
		detail = exit.Error()
	}
	d.note("the load generator is content, with exit code 0", exit == nil, detail)
	d.note("every message was delivered once and in order", r.Verdict.ChatOK, "")
	d.note("the money that it moved adds up", r.Verdict.MoneyOK, "")
	return nil
}

// killInTheMiddle waits for half the load, kills the busiest worker and notes whether it was replaced.
func (d *demo) killInTheMiddle(ctx context.Context, load *proc.Process) error {
	admin, err := d.server.DialAdmin(ctx)
	if err != nil {
		return err
	}
	defer admin.Close()
	if err := awaitLoad(ctx, admin, load); err != nil {
		return err
	}
	if err := whileRunning(ctx, load, d.options.Duration/2); err != nil {
		return err
	}
	victim, logged, err := d.kill(ctx, admin)
	if err != nil {
		return err
	}
	killed := time.Now()
	successor, seen, err := admin.AwaitSuccessor(ctx, victim)
	if err != nil {
		d.note("the killed worker was replaced", false, err.Error())
		return nil
	}
	after := seen.Sub(killed).Round(100 * time.Microsecond)
	d.interrupt("replaced after %v: worker %d is now process %d", after, successor.Slot, successor.PID)
	d.showLog(logged)
	d.note("the killed worker was replaced", true, fmt.Sprintf("%d by %d after %v", victim.PID, successor.PID, after))
	return nil
}

// kill ends the worker that has the most connections. It returns the length of the server's log before that.
func (d *demo) kill(ctx context.Context, admin server.Admin) (victim server.Worker, logged int, err error) {
	stats, err := admin.Stats(ctx)
	if err != nil {
		return victim, 0, err
	}
	for _, w := range stats.Workers {
		if w.Running() && (victim.PID == 0 || w.Connections > victim.Connections) {
			victim = w
		}
	}
	text, err := d.server.Log()
	if err != nil {
		return victim, 0, err
	}
	if victim.PID == 0 {
		return victim, 0, fmt.Errorf("demo: no worker runs: %+v", stats.Workers)
	}
	d.interrupt("kill -9 %d: worker %d, with %d connections", victim.PID, victim.Slot, victim.Connections)
	if err := unix.Kill(victim.PID, unix.SIGKILL); err != nil {
		return victim, 0, fmt.Errorf("demo: kill %d: %w", victim.PID, err)
	}
	return victim, len(text), nil
}

// showLog shows what the server has logged since.
func (d *demo) showLog(since int) {
	text, err := d.server.Log()
	if err != nil || len(text) < since {
		return // the log is an extra: what matters is noted
	}
	for line := range strings.Lines(text[since:]) {
		d.line("  %s", d.style(dim, strings.TrimSpace(line)))
	}
}

// awaitLoad returns when requests of the load are being answered.
func awaitLoad(ctx context.Context, admin server.Admin, load *proc.Process) error {
	for begin := time.Now(); time.Since(begin) < loadMax; {
		stats, err := admin.Stats(ctx)
		if err != nil {
			return err
		}
		if stats.Ops["TRANSFER"] > 0 && stats.Ops["CHAT_SEND"] > 0 {
			return nil
		}
		if err := whileRunning(ctx, load, loadEvery); err != nil {
			return err
		}
	}
	return fmt.Errorf("demo: no load after %v", loadMax)
}

// whileRunning waits, unless the load ends.
func whileRunning(ctx context.Context, load *proc.Process, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-load.Ended():
		return fmt.Errorf("demo: %w", ErrLoadEnded)
	case <-ctx.Done():
		return ctx.Err()
	}
}
