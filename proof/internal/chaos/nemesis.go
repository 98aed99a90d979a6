package chaos

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"tradechat.internal/libproto/serverstats"
	"tradechat.internal/testkit/clock"
	"tradechat.internal/testkit/faultproxy"
	"tradechat.internal/testkit/server"
)

// errNobody says that a fault found nobody whom it could meet just now.
var errNobody = errors.New("nobody to do it to")

// nemesis does one fault after the other; those of the network go on beside it.
type nemesis struct {
	options Options
	random  *rand.Rand
	target  *target
	proxy   *faultproxy.Proxy
	flood   []server.User // two accounts that fill the disk
	chosen  []fault

	kills      atomic.Int64
	done       map[string]int // by fault
	connsCut   int
	recovered  map[int]time.Time // by slot: when its process's death is no crash loop any more
	delayUntil time.Time
}

// logWriterSlot stands for the log writer in nemesis.recovered.
const logWriterSlot = -1

func newNemesis(o Options, random *rand.Rand, t *target, p *faultproxy.Proxy, flood []server.User) *nemesis {
	n := &nemesis{
		options: o, random: random, target: t, proxy: p, flood: flood, done: make(map[string]int), recovered: make(map[int]time.Time),
	}
	for _, f := range faults {
		if slices.Contains(o.Faults, f.name) && (f.name != faultFullDisk || t.disk != nil) {
			n.chosen = append(n.chosen, f)
		}
	}
	return n
}

// rage does faults until there were enough kills, or the time is over, or the context ends. What it damaged is whole again
// when it returns nil.
func (n *nemesis) rage(ctx context.Context, end time.Time) error {
	for n.more(end) {
		if err := clock.Sleep(ctx, upTo(n.random, pauseMost)); err != nil {
			return err
		}
		if n.target.disk != nil {
			if err := n.target.disk.keepFree(); err != nil {
				return err
			}
		}
		if time.Now().After(n.delayUntil) {
			n.proxy.Delay(0)
		}
		f := n.choose()
		switch err := f.do(n, ctx); {
		case errors.Is(err, errNobody):
		case err != nil:
			return fmt.Errorf("%s: %w", f.name, err)
		default:
			n.count(f)
		}
	}
	n.proxy.Delay(0)
	n.proxy.TurnAway(0)
	return n.target.awaitWhole(ctx)
}

func (n *nemesis) more(end time.Time) bool {
	return (n.options.Kills == 0 || int(n.kills.Load()) < n.options.Kills) && time.Now().Before(end)
}

func (n *nemesis) count(f fault) {
	n.done[f.name]++
	if f.kills {
		n.kills.Add(1)
	}
}

func (n *nemesis) choose() fault {
	sum := 0
	for _, f := range n.chosen {
		sum += f.weight
	}
	at := n.random.IntN(sum)
	for _, f := range n.chosen {
		if at -= f.weight; at < 0 {
			return f
		}
	}
	return n.chosen[0]
}

// ripe reports whether a slot's process has recovered from the death of the one before.
func (n *nemesis) ripe(slot int) bool { return time.Now().After(n.recovered[slot]) }

func (n *nemesis) died(slot int) { n.recovered[slot] = time.Now().Add(recoversAfter) }

// aWorker chooses a running worker. tooSoon: whether or not it has recovered.
func (n *nemesis) aWorker(ctx context.Context, tooSoon bool) (serverstats.Worker, victim, error) {
	stats, err := n.target.server.Stats(ctx)
	if err != nil {
		return serverstats.Worker{}, victim{}, err
	}
	workers := slices.DeleteFunc(stats.Workers, func(w serverstats.Worker) bool {
		return !w.Running() || w.PID == 0 || !tooSoon && !n.ripe(w.Slot)
	})
	if len(workers) == 0 {
		return serverstats.Worker{}, victim{}, errNobody
	}
	w := workers[n.random.IntN(len(workers))]
	v, err := hold(w.PID)
	return w, v, orNobody(err)
}

func (n *nemesis) theLogWriter(ctx context.Context) (victim, error) {
	stats, err := n.target.server.Stats(ctx)
	switch {
	case err != nil:
		return victim{}, err
	case stats.Journal.PID == 0 || stats.Journal.State != "running" || !n.ripe(logWriterSlot):
		return victim{}, errNobody
	}
	v, err := hold(stats.Journal.PID)
	return v, orNobody(err)
}

// orNobody makes errNobody of a process that has just ended.
func orNobody(err error) error {
	if errors.Is(err, unix.ESRCH) {
		return errNobody
	}
	return err
}
