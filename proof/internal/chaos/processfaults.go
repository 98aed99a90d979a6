package chaos

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"tradechat.internal/libproto/serverstats"
	"tradechat.internal/testkit/clock"
)

func (n *nemesis) killWorker(ctx context.Context) error {
	w, v, err := n.aWorker(ctx, n.random.Float64() < tooSoonShare)
	if err != nil {
		return err
	}
	defer v.release()
	n.died(w.Slot)
	return v.signal(unix.SIGKILL)
}

func (n *nemesis) killLogWriter(ctx context.Context) error {
	v, err := n.theLogWriter(ctx)
	if err != nil {
		return err
	}
	defer v.release()
	n.died(logWriterSlot)
	return v.signal(unix.SIGKILL)
}

func (n *nemesis) killMaster(ctx context.Context) error {
	n.target.noteRestarts(ctx)
	n.target.server.KillMaster()
	return n.startAgain(ctx, false)
}

func (n *nemesis) killAll(ctx context.Context) error {
	if err := n.endAll(ctx); err != nil {
		return err
	}
	return n.startAgain(ctx, false)
}

func (n *nemesis) reboot(ctx context.Context) error {
	if err := errors.Join(n.endAll(ctx), n.target.loseMemory()); err != nil {
		return err
	}
	return n.startAgain(ctx, true)
}

func (n *nemesis) endAll(ctx context.Context) error {
	n.target.noteRestarts(ctx)
	return n.target.server.KillAll(ctx)
}

// startAgain starts the server and leads the clients to it.
func (n *nemesis) startAgain(ctx context.Context, cold bool) error {
	if err := n.target.restart(ctx, cold); err != nil {
		return err
	}
	clear(n.recovered)
	n.proxy.SetServer(n.target.server.Address)
	return nil
}

func (n *nemesis) stopWorker(ctx context.Context) error {
	w, v, err := n.aWorker(ctx, true)
	if err != nil {
		return err
	}
	return n.stopFor(ctx, v, w.Slot)
}

func (n *nemesis) stopLogWriter(ctx context.Context) error {
	v, err := n.theLogWriter(ctx)
	if err != nil {
		return err
	}
	return n.stopFor(ctx, v, logWriterSlot)
}

// stopFor stops a process for a while, in the middle of which something may be killed.
func (n *nemesis) stopFor(ctx context.Context, v victim, slot int) (err error) {
	defer v.release()
	if err := v.signal(unix.SIGSTOP); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, v.signal(unix.SIGCONT)) }()
	d := between(n.random, stopMin, stopMost)
	if err := clock.Sleep(ctx, d/2); err != nil {
		return err
	}
	if n.random.Float64() < meanwhileShare {
		if err := n.meanwhile(ctx, slot); err != nil {
			return err
		}
	}
	return clock.Sleep(ctx, d/2)
}

// meanwhile kills a worker that is not the one of a slot, or everything: what a stopped log writer has not written is then lost
// with the memory, and nobody may have been told of it.
func (n *nemesis) meanwhile(ctx context.Context, slot int) error {
	name := []string{faultKillWorker, faultKillAll, faultReboot}[n.random.IntN(3)]
	i := slices.IndexFunc(n.chosen, func(f fault) bool { return f.name == name })
	if i < 0 {
		return nil
	}
	f := n.chosen[i]
	if name == faultKillWorker {
		f.do = func(n *nemesis, ctx context.Context) error { return n.killAnother(ctx, slot) }
	}
	err := f.do(n, ctx)
	if err == nil {
		n.count(f)
	}
	if errors.Is(err, errNobody) {
		return nil
	}
	return err
}

// killAnother kills a worker that is not the one of a slot.
func (n *nemesis) killAnother(ctx context.Context, slot int) error {
	w, v, err := n.aWorker(ctx, false)
	if err != nil {
		return err
	}
	defer v.release()
	if w.Slot == slot {
		return errNobody
	}
	n.died(w.Slot)
	return v.signal(unix.SIGKILL)
}

// hang stops a process until the watchdog has replaced it.
func (n *nemesis) hang(ctx context.Context) error {
	if n.random.IntN(2) == 0 {
		return n.hangJournal(ctx)
	}
	w, v, err := n.aWorker(ctx, false)
	if err != nil {
		return err
	}
	return n.hangUntil(ctx, v, w.Slot, func(s serverstats.Report) bool {
		now := s.Workers[w.Slot]
		return now.Running() && now.PID != w.PID
	})
}

func (n *nemesis) hangJournal(ctx context.Context) error {
	v, err := n.theLogWriter(ctx)
	if err != nil {
		return err
	}
	return n.hangUntil(ctx, v, logWriterSlot, func(s serverstats.Report) bool {
		return s.Journal.State == "running" && s.Journal.PID != v.pid
	})
}

func (n *nemesis) hangUntil(ctx context.Context, v victim, slot int, replaced func(serverstats.Report) bool) (err error) {
	defer v.release()
	if err := v.signal(unix.SIGSTOP); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, v.signal(unix.SIGCONT)) }()
	stopped := time.Now()
	for {
		stats, err := n.target.server.Stats(ctx)
		switch {
		case err != nil:
			return err
		case replaced(stats):
			n.died(slot)
			return nil
		case time.Since(stopped) > readyMax:
			return fmt.Errorf("chaos: process %d was stopped, and %v later the watchdog (%v) has not replaced it", v.pid, readyMax, watchdog)
		}
		if err := clock.Sleep(ctx, retryEvery); err != nil {
			return err
		}
	}
}
