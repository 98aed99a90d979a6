package attacks

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"tradechat.internal/libproto/serverstats"
	"tradechat.internal/testkit/figure"
	"tradechat.internal/testkit/proc"
	"tradechat.internal/testkit/sample"
	"tradechat.internal/testkit/server"
	"tradechat.internal/testkit/session"
)

var _ interface{ Figures() []figure.Figure } = Result{}

// Measure runs the attacks, one after the other.
func Measure(ctx context.Context, b proc.Bench, o Options) (r Result, err error) {
	if err := o.Validate(); err != nil {
		return r, err
	}
	r.Options = o
	for _, a := range o.chosen() {
		outcome, err := suffer(ctx, b, o, a)
		if err != nil {
			return r, fmt.Errorf("attacks: %s: %w", a.name, err)
		}
		r.Outcomes = append(r.Outcomes, outcome)
		for _, fault := range outcome.Faults {
			b.Say("attacks: %s: FAULT: %s", a.name, fault)
		}
	}
	return r, nil
}

// siege is one attack on its server.
type siege struct {
	proc.Bench
	options    Options
	attack     attack
	server     *server.Server
	bystanders *bystanders
	admin      server.Admin
	pids       []int
	order      Order
	before     serverstats.Report
	outcome    Outcome
}

// suffer measures one attack on a server of its own.
func suffer(ctx context.Context, b proc.Bench, o Options, a attack) (Outcome, error) {
	s, err := server.Start(ctx, b.Binaries, server.Options{Workers: workers, Args: []string{
		"--login-timeout", o.LoginTimeout.String(), "--max-per-address", strconv.Itoa(o.MaxPerAddress), "--rate-limit", strconv.Itoa(o.RateLimit),
		"--durability", o.Durability,
	}})
	if err != nil {
		return Outcome{}, err
	}
	defer s.Discard()
	g := &siege{Bench: b, options: o, attack: a, server: s, outcome: Outcome{Attack: a.name, What: a.short, Counter: a.counter}}
	if err := g.prepare(ctx); err != nil {
		return g.outcome, err
	}
	defer g.admin.Close()
	defer g.bystanders.loop.Close()
	if err := g.rounds(ctx); err != nil {
		return g.outcome, err
	}
	if err := g.conclude(ctx); err != nil {
		return g.outcome, err
	}
	g.outcome.Audit, err = s.Stop()
	if err != nil {
		g.fault("the stop: %v", err)
	}
	return g.outcome, nil
}

func (g *siege) fault(format string, args ...any) {
	g.outcome.Faults = append(g.outcome.Faults, fmt.Sprintf(format, args...))
}

// prepare has the bystanders log in and writes the attacker's order.
func (g *siege) prepare(ctx context.Context) (err error) {
	g.order = Order{Attack: g.attack.name, Server: g.server.Address, Connections: g.attack.connections, Sources: g.options.Sources}
	if g.options.Connections > 0 {
		g.order.Connections = g.options.Connections
	}
	if g.order.Accounts, err = g.server.AddUsers(ctx, max(1, g.attack.accounts), openingMinor); err != nil {
		return err
	}
	if g.order.Room, err = g.busyRoom(ctx); err != nil {
		return err
	}
	if g.pids, err = g.server.PIDs(ctx); err != nil {
		return err
	}
	if g.admin, err = g.server.DialAdmin(ctx); err != nil {
		return err
	}
	if g.bystanders, err = newBystanders(ctx, g.server, g.options.Bystanders); err != nil {
		return errors.Join(err, g.admin.Close())
	}
	return nil
}

// busyRoom makes the room of those who do not read; whoever is in it is none of the bystanders.
func (g *siege) busyRoom(ctx context.Context) (uint32, error) {
	u := g.order.Accounts[0]
	c, err := session.Open(ctx, g.server.Address, u.Name, u.Keys)
	if err != nil {
		return 0, err
	}
	room, err := openRoom(c, "busy")
	return room, errors.Join(err, c.Close())
}

// rounds runs A B A B, after a quarter of a phase that does not count.
func (g *siege) rounds(ctx context.Context) (err error) {
	if _, err = g.bystanders.loop.Run(ctx, float64(g.options.Rate), g.options.Duration/4); err != nil {
		return err
	}
	if err = g.awaitGone(ctx); err != nil {
		return err
	}
	if g.before, err = g.admin.Stats(ctx); err != nil {
		return err
	}
	if g.outcome.BeforeBytes, err = privateBytes(g.pids); err != nil {
		return err
	}
	var ratios []float64
	for i := range g.options.Rounds {
		var round Round
		if round.Without, err = g.phase(ctx, false); err != nil {
			return err
		}
		if round.With, err = g.phase(ctx, true); err != nil {
			return err
		}
		round.Ratio = round.With.P99Us / max(round.Without.P99Us, 1)
		ratios = append(ratios, round.Ratio)
		g.outcome.Rounds = append(g.outcome.Rounds, round)
		g.report(i, round)
	}
	g.outcome.Ratio = sample.Of(ratios)
	return nil
}

// report is one line of progress about a round.
func (g *siege) report(i int, r Round) {
	t := r.With.Tally
	g.Say("attacks: %s, round %d of %d: p99 %s ms without, %s ms with: %.2f ×; server %.2f and %.2f cores, %+.1f MiB; "+
		"%d connections, %d made, %d thrown out, %d failed, %.1f MB sent", g.attack.name, i+1, g.options.Rounds,
		ms(r.Without.P99Us), ms(r.With.P99Us), r.Ratio, r.Without.ServerCores, r.With.ServerCores, mib(r.With.PeakBytes-g.outcome.BeforeBytes),
		t.Connections, t.Made, t.ThrownOut, t.Failed, float64(t.BytesSent)/1e6)
}

// conclude judges what is left after the rounds.
func (g *siege) conclude(ctx context.Context) error {
	stats, err := g.admin.Stats(ctx)
	if err != nil {
		return err
	}
	g.outcome.Totals = stats.Totals
	g.outcome.Noticed = stats.Totals[g.attack.counter] - g.before.Totals[g.attack.counter]
	g.judge(stats)
	if err := g.stillServes(ctx); err != nil {
		g.fault("a new client is not served: %v", err)
	}
	g.bystanders.loop.Close()
	g.bystanders.count = 0
	return g.awaitGone(ctx)
}

func (g *siege) judge(stats serverstats.Report) {
	if stats.Restarts != 0 {
		g.fault("%d workers were replaced", stats.Restarts)
	}
	if !stats.Verify.OK {
		g.fault("the books: %s %v", stats.Verify.Error, stats.Verify.Problems)
	}
	if g.outcome.Noticed == 0 && (!g.attack.timed || g.options.Duration > g.options.LoginTimeout) {
		g.fault("the server has not noticed the attack: %s did not move", g.attack.counter)
	}
	first, last := g.outcome.Rounds[0].With, g.outcome.Rounds[len(g.outcome.Rounds)-1].With
	if kept := (last.AfterBytes - first.AfterBytes) / int64(max(1, len(g.outcome.Rounds)-1)); kept > memoryKeptMax {
		g.fault("memory grows from attack to attack: %+.1f MiB each", mib(kept))
	}
	_, with := g.outcome.phases()
	if grown := with.PeakBytes - g.outcome.BeforeBytes; grown > memoryGrowthMax {
		g.fault("memory grew by %.1f MiB", mib(grown))
	}
}

// stillServes has a client log in and join a room, from the bystanders' address.
func (g *siege) stillServes(ctx context.Context) error {
	u := g.order.Accounts[0]
	c, err := session.Open(ctx, g.server.Address, u.Name, u.Keys)
	if err != nil {
		return err
	}
	_, err = joinBystanders(c, 0)
	return errors.Join(err, c.Close())
}
