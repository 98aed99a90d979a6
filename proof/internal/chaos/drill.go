package chaos

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"tradechat.internal/testkit/clock"
	"tradechat.internal/testkit/faultproxy"
	"tradechat.internal/testkit/figure"
	"tradechat.internal/testkit/proc"
	"tradechat.internal/testkit/server"
)

// drill is one run.
type drill struct {
	options Options
	say     func(format string, args ...any)
	target  *target
	proxy   *faultproxy.Proxy
	bank    *bank
	chat    *chat
	nemesis *nemesis
	opening int64 // what all accounts began with
	began   time.Time
	loadFor time.Duration
}

// Run makes a drill and returns its certificate, which says whether everything held. Progress goes to say. An error says
// that the drill could not be made; then there is no certificate.
func Run(ctx context.Context, binaries proc.Binaries, say func(string, ...any), o Options) (*Certificate, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	d := &drill{options: o, say: say, began: time.Now()}
	noDisk := haveMounts()
	if !o.NeedsMounts() {
		noDisk = errors.New("not asked for")
	}
	environment := figure.Here()
	var err error
	if d.target, err = start(ctx, binaries, o, noDisk == nil); err != nil {
		return nil, err
	}
	defer d.target.server.Discard()
	say("chaos: seed %d, %d kills, %v at most; %d clients; %d workers on %s, master %d, segment %s",
		o.Seed, o.Kills, o.Duration, o.Clients, o.Workers, d.target.server.Address, d.target.server.PID(), d.target.server.Segment())
	defer d.close()
	if err := d.open(ctx); err != nil {
		return nil, err
	}
	if err := d.load(ctx); err != nil {
		return nil, err
	}
	c, err := d.judge(ctx, binaries)
	if err != nil {
		return nil, err
	}
	c.describe(d, environment, noDisk)
	return c, nil
}

// open connects the clients, through the proxy, and makes the nemesis.
func (d *drill) open(ctx context.Context) (err error) {
	o := d.options
	random := rand.New(rand.NewPCG(o.Seed, 0))
	proxyRandom, bankRandom, chatRandom, nemesisRandom := fork(random), fork(random), fork(random), fork(random)
	if d.proxy, err = faultproxy.Start(d.target.server.Address, proxyRandom); err != nil {
		return err
	}
	users, err := d.users(ctx)
	if err != nil {
		return err
	}
	if d.bank, err = openBank(ctx, d.proxy.Address(), users.bank, bankRandom); err != nil {
		return err
	}
	if d.chat, err = openChat(ctx, d.proxy.Address(), users.chat, chatRandom); err != nil {
		return err
	}
	d.nemesis = newNemesis(o, nemesisRandom, d.target, d.proxy, users.flood)
	return nil
}

// fork makes a source of its own of another one.
func fork(random *rand.Rand) *rand.Rand {
	return rand.New(rand.NewPCG(random.Uint64(), random.Uint64()))
}

// close ends what open made, as far as it came.
func (d *drill) close() {
	if d.bank != nil {
		d.bank.close()
	}
	if d.chat != nil {
		d.chat.close()
	}
	if d.proxy != nil {
		_ = d.proxy.Close()
	}
}

// roles are the users of a drill.
type roles struct{ bank, chat, flood []server.User }

func (d *drill) users(ctx context.Context) (r roles, err error) {
	for _, kind := range []struct {
		into    *[]server.User
		n       int
		opening uint64
	}{{&r.bank, d.options.groups() * groupAccounts, openingMinor}, {&r.chat, d.options.chatters(), 0}, {&r.flood, 2, floodMinor}} {
		if *kind.into, err = d.target.server.AddUsers(ctx, kind.n, kind.opening); err != nil {
			return r, err
		}
		d.opening += int64(kind.n) * int64(kind.opening)
	}
	return r, nil
}

// load runs the clients and the nemesis, and returns when the clients have finished what they had begun.
func (d *drill) load(ctx context.Context) error {
	begin := time.Now()
	stop := make(chan struct{})
	var clients sync.WaitGroup
	clients.Go(func() { d.bank.work(ctx, stop) })
	d.chat.settle(ctx)
	clients.Go(func() { d.chat.work(ctx, stop) })
	progress, quiet := context.WithCancel(ctx)
	clients.Go(func() { d.progress(progress, begin) })
	err := d.nemesis.rage(ctx, begin.Add(d.options.Duration))
	close(stop)
	quiet()
	if err != nil {
		d.close() // ends the calls under way: nobody will answer them
	}
	clients.Wait()
	d.loadFor = time.Since(begin)
	return errors.Join(err, ctx.Err())
}

// progress tells how far the drill is, every now and then.
func (d *drill) progress(ctx context.Context, begin time.Time) {
	for clock.Sleep(ctx, progressEvery) == nil {
		bank, chat := &d.bank.counts, &d.chat.counts
		d.say("chaos: %4.0f s  %d of %d kills  %d operations, %d without an answer  %d messages, %d delivered",
			time.Since(begin).Seconds(), d.nemesis.kills.Load(), d.options.Kills,
			bank.applied.Load()+bank.refused.Load(), bank.unknown.Load(), chat.acked.Load(), chat.delivered.Load())
	}
}
