package demo

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"tradechat.internal/testkit/load"
)

// load runs the load generator, and kills a worker in the middle.
func (d *demo) load(ctx context.Context) error {
	d.heading("Load: %d connections, chat and money, %v; one worker is killed in the middle", d.options.Connections,
		d.options.Duration)
	options := load.Options{
		Server: d.server.Address, Stdout: d.stdout, Stderr: d.stderr,
		Args: []string{"--connections", strconv.Itoa(d.options.Connections), "--mix", "mixed",
			"--duration", d.options.Duration.String()},
	}
	d.command("tradechat-loadgen", options.Flags())
	l, err := load.Start(d.binaries, options)
	if err != nil {
		return err
	}
	defer l.Discard()
	if err := d.killInTheMiddle(ctx, l); errors.Is(err, load.ErrEnded) {
		_, exit := l.Wait(ctx)
		return errors.Join(err, exit)
	} else if err != nil {
		return err
	}
	result, exit := l.Wait(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	d.judgeLoad(result, exit)
	return nil
}

// judgeLoad notes the load generator's own verdict.
func (d *demo) judgeLoad(r load.Result, exit error) {
	detail := fmt.Sprintf("%d requests answered, %.0f a second; %d failed with the worker", r.RequestsOK, r.PerSecond,
		r.RequestsFailed)
	if exit != nil {
		detail = exit.Error()
	}
	d.note("the load generator is content, with exit code 0", exit == nil, detail)
	d.note("every message was delivered once and in order", r.Verdict.ChatOK, "")
	d.note("the money that it moved adds up", r.Verdict.MoneyOK, "")
}

// killInTheMiddle waits for half the load, kills the busiest worker and notes whether it was replaced.
func (d *demo) killInTheMiddle(ctx context.Context, l *load.Load) error {
	admin, err := d.server.DialAdmin(ctx)
	if err != nil {
		return err
	}
	defer admin.Close()
	if err := l.AwaitRequests(ctx, admin); err != nil {
		return err
	}
	if err := l.While(ctx, d.options.Duration/2); err != nil {
		return err
	}
	text, err := d.server.Log()
	if err != nil {
		return err
	}
	victim, err := admin.KillBusiest(ctx)
	if err != nil {
		return err
	}
	killed := time.Now()
	d.interrupt("kill -9 %d: worker %d, with %d connections", victim.PID, victim.Slot, victim.Connections)
	successor, seen, err := admin.AwaitSuccessor(ctx, victim)
	if err != nil {
		d.note("the killed worker was replaced", false, err.Error())
		return nil
	}
	after := seen.Sub(killed).Round(100 * time.Microsecond)
	d.interrupt("replaced after %v: worker %d is now process %d", after, successor.Slot, successor.PID)
	d.showLog(len(text))
	d.note("the killed worker was replaced", true, fmt.Sprintf("%d by %d after %v", victim.PID, successor.PID, after))
	return nil
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
