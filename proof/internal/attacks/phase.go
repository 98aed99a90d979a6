package attacks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"tradechat.internal/testkit/proc"
	"tradechat.internal/testkit/procfs"
)

// ErrTally says that the attacker did not tell what it has done.
var ErrTally = errors.New("no tally of the attacker")

// phase has the bystanders run, with the attack or without, and waits until what came with it is gone.
func (g *siege) phase(ctx context.Context, with bool) (p Phase, err error) {
	var attacker *proc.Process
	if with {
		if attacker, err = g.attackers(); err != nil {
			return p, err
		}
		defer attacker.Kill()
	}
	began := time.Now()
	if err := g.watched(ctx, &p); err != nil {
		return p, err
	}
	if p.Failed > 0 && p.Requests == 0 {
		return p, fmt.Errorf("no bystander was answered")
	}
	if with {
		if p.Tally, err = tallyOf(attacker); err != nil {
			return p, err
		}
		p.Tally.seconds = time.Since(began).Seconds()
	}
	if err := g.awaitGone(ctx); err != nil {
		return p, err
	}
	p.AfterBytes, err = privateBytes(g.pids)
	return p, err
}

// watched runs the bystanders and looks at the server meanwhile.
func (g *siege) watched(ctx context.Context, p *Phase) error {
	cpu, err := procfs.CPUTimeOf(g.pids)
	if err != nil {
		return err
	}
	memory := watchMemory(g.pids)
	began := time.Now()
	run, err := g.bystanders.loop.Run(ctx, float64(g.options.Rate), g.options.Duration)
	took := time.Since(began)
	peak, memoryErr := memory.stop()
	if err := errors.Join(err, memoryErr); err != nil {
		return err
	}
	cpuAfter, err := procfs.CPUTimeOf(g.pids)
	if err != nil {
		return err
	}
	stats, err := g.admin.Stats(ctx)
	if err != nil {
		return err
	}
	p.ServerCores, p.PeakBytes, p.Connections = (cpuAfter-cpu).Seconds()/took.Seconds(), peak, stats.Connections
	p.latencies(run)
	if run.Failed > 0 {
		g.fault("%d requests of bystanders failed: %v", run.Failed, run.Failure)
	}
	return nil
}

// attackers starts this program again as the attacker.
func (g *siege) attackers() (*proc.Process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("attacks: %w", err)
	}
	order, err := g.order.encode()
	if err != nil {
		return nil, err
	}
	return proc.Start(proc.Command{Path: self, Args: []string{Command, order}, Stderr: os.Stderr})
}

// tallyOf ends the attacker and reads its last line.
func tallyOf(attacker *proc.Process) (*Tally, error) {
	if err := attacker.Stop(); err != nil {
		return nil, err
	}
	text, err := attacker.AwaitLine(context.Background(), tallyPrefix) // it has ended: this does not wait
	if err != nil {
		return nil, fmt.Errorf("attacks: %w: %w", ErrTally, err)
	}
	var t Tally
	if err := json.Unmarshal([]byte(text), &t); err != nil {
		return nil, fmt.Errorf("attacks: %w: %w", ErrTally, err)
	}
	return &t, nil
}

// awaitGone waits until only the bystanders are connected. That it lasts too long is a fault, not an error.
func (g *siege) awaitGone(ctx context.Context) error {
	look := time.NewTicker(goneEvery)
	defer look.Stop()
	for deadline := time.Now().Add(goneMax); ; {
		stats, err := g.admin.Stats(ctx)
		switch {
		case err != nil:
			return err
		case stats.Connections == uint64(g.bystanders.count):
			return nil
		case time.Now().After(deadline):
			g.fault("%d connections are left, with %d bystanders", stats.Connections, g.bystanders.count)
			return nil
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// memoryWatch looks for the most that some processes have in memory.
type memoryWatch struct {
	pids []int
	ends chan struct{}
	peak chan int64
	err  error
}

func watchMemory(pids []int) *memoryWatch {
	w := &memoryWatch{pids: pids, ends: make(chan struct{}), peak: make(chan int64)}
	go w.run()
	return w
}

func (w *memoryWatch) run() {
	most := int64(0)
	look := time.NewTicker(memoryEvery)
	defer look.Stop()
	for w.err == nil {
		var now int64
		now, w.err = privateBytes(w.pids)
		most = max(most, now)
		select {
		case <-look.C:
			continue
		case <-w.ends:
		}
		break
	}
	w.peak <- most
}

func (w *memoryWatch) stop() (peak int64, err error) {
	close(w.ends)
	return <-w.peak, w.err
}

// privateBytes is the memory of processes without the shared segment.
func privateBytes(pids []int) (int64, error) {
	m, err := procfs.ResidentMemoryOf(pids)
	return m.PrivateBytes(), err
}
