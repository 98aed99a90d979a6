// Package run takes a run through its parts: accounts and rooms, connections, load, drain, audit, verdict.
package run

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"runtime"
	"time"

	"tradechat.internal/libproto"

	"tradechat.internal/loadgen/internal/chatcheck"
	"tradechat.internal/loadgen/internal/config"
	"tradechat.internal/loadgen/internal/control"
	"tradechat.internal/loadgen/internal/driver"
	"tradechat.internal/loadgen/internal/mix"
	"tradechat.internal/loadgen/internal/moneycheck"
	"tradechat.internal/loadgen/internal/progress"
	"tradechat.internal/loadgen/internal/report"
	"tradechat.internal/loadgen/internal/roster"
	"tradechat.internal/loadgen/internal/slo"
	"tradechat.internal/loadgen/internal/zipf"
)

// ErrSetup is the error of a run that came to an end before its load began.
var ErrSetup = errors.New("the load could not begin")

// ErrRefused is the error of such a run if the server answered and refused.
var ErrRefused = errors.New("the server refused")

// Outputs are where a run's figures go beside the summary; nil: nowhere.
type Outputs struct {
	CSV       io.Writer // one row an interval
	Latencies io.Writer // the distribution of the latencies
	SinceSent io.Writer // likewise, of those since the sending; of an open loop
}

// Run makes the load of a complete configuration and judges the server. When the context ends during the load, the load ends early
// and is judged all the same.
func Run(ctx context.Context, cfg config.Config, display *progress.Display, out Outputs) (*report.Summary, error) {
	objective, err := slo.Parse(cfg.SLO)
	if err != nil {
		return nil, err
	}
	r := &runner{
		cfg:       cfg,
		objective: objective,
		display:   display,
		out:       out,
		server:    control.Server{Addr: cfg.Server, Timeout: max(cfg.Timeout, controlTimeoutMin)},
		summary:   report.Summary{Config: cfg},
	}
	before := runtime.GOMAXPROCS(max(runtime.GOMAXPROCS(0), cfg.Threads+spareProcs)) // a thread waits for the kernel only
	defer runtime.GOMAXPROCS(before)
	if err := r.prepare(ctx); err != nil {
		return nil, setupError(err)
	}
	if err := r.load(ctx); err != nil {
		return nil, err
	}
	r.judge(context.WithoutCancel(ctx))
	return &r.summary, r.writeLatencies()
}

// setupError tells a refusal from a server that cannot be reached.
func setupError(err error) error {
	var refusal *control.StatusError
	if errors.As(err, &refusal) {
		return fmt.Errorf("%w: %w: %w", ErrSetup, ErrRefused, err)
	}
	return fmt.Errorf("%w: %w", ErrSetup, err)
}

type runner struct {
	cfg       config.Config
	objective slo.Objective
	display   *progress.Display
	out       Outputs
	table     *report.CSV // nil: none
	server    control.Server
	users     []roster.User
	plan      *driver.Plan
	fleet     *driver.Fleet
	stages    uint64        // that began
	untilNs   int64         // the end of the last stage, on the fleet's clock
	measured  time.Duration // all stages that are measured, together
	chosen    *stage        // what the summary is of
	summary   report.Summary
}

// prepare makes the users, their accounts and rooms, and the plan.
func (r *runner) prepare(ctx context.Context) error {
	drawn, err := r.cfg.Drawn()
	if err != nil {
		return err
	}
	realm, err := r.server.Probe(ctx)
	if err != nil {
		return err
	}
	if err := r.suits(realm); err != nil {
		return err
	}
	if err := r.openAccounts(ctx, realm); err != nil {
		return err
	}
	chat, err := r.openRooms(ctx, drawn)
	if err != nil {
		return err
	}
	skew, err := r.skew()
	if err != nil {
		return err
	}
	r.plan = &driver.Plan{
		Server:      r.cfg.Server,
		Connections: r.cfg.Connections,
		Threads:     r.cfg.Threads,
		Pipeline:    r.cfg.Pipeline,
		PayloadMin:  r.cfg.Payload.Least,
		PayloadMax:  r.cfg.Payload.Most,
		Batch:       r.cfg.Batch,
		Skew:        skew,
		Think:       r.cfg.Think,
		ConnectRate: r.cfg.ConnectRate,
		AmountMax:   r.cfg.AmountMax,
		Timeout:     r.cfg.Timeout,
		Seed:        r.cfg.Seed,
		BodyLenMax:  realm.BodyLenMax,
		Mix:         drawn,
		Users:       r.users,
		Chat:        chat,
	}
	return nil
}

// skew is how unevenly the users get money; nil: all alike.
func (r *runner) skew() (*zipf.Table, error) {
	if r.cfg.Skew == 0 {
		return nil, nil
	}
	return zipf.New(r.cfg.Users, r.cfg.Skew)
}

// suits refuses a server whose limits the run does not fit.
func (r *runner) suits(realm roster.Realm) error {
	switch {
	case uint32(r.cfg.Payload.Most) > realm.MessageLenMax:
		return fmt.Errorf("%w: --payload %d: the server takes messages of at most %d bytes", config.ErrInvalid, r.cfg.Payload.Most,
			realm.MessageLenMax)
	case r.cfg.Batch > 0 && batchLen(r.cfg.Batch) > int(realm.BodyLenMax):
		return fmt.Errorf("%w: --batch %d: its frames have %d bytes, and the server takes at most %d", config.ErrInvalid, r.cfg.Batch,
			batchLen(r.cfg.Batch), realm.BodyLenMax)
	case realm.BodyLenMax > driver.BodyLenMax:
		return fmt.Errorf("the server announces bodies of up to %d bytes; at most %d are taken", realm.BodyLenMax, driver.BodyLenMax)
	}
	return nil
}

// batchLen is the length of a batch's body.
func batchLen(legs int) int {
	return len(libproto.TransferBatchRequest{Legs: make([]libproto.TransferLeg, legs)}.AppendTo(nil))
}

func (r *runner) openAccounts(ctx context.Context, realm roster.Realm) error {
	password, err := r.cfg.Password()
	if err != nil {
		return err
	}
	r.users = roster.New(r.cfg.UserPrefix, r.cfg.Users)
	err = roster.DeriveKeys(ctx, r.users, password, realm, r.tellStep("deriving keys"))
	if err != nil {
		return err
	}
	return r.server.OpenAccounts(ctx, r.users, r.cfg.OpeningDeposit, r.tellStep("opening accounts"))
}

func (r *runner) tellStep(name string) func(done int) {
	return func(done int) { r.display.Step(name, done, r.cfg.Users) }
}

// openRooms makes the chat group; nil when the mix sends no messages.
func (r *runner) openRooms(ctx context.Context, drawn *mix.Mix) (*chatcheck.Group, error) {
	if !drawn.Has(mix.ChatSend) {
		return nil, nil
	}
	names := make([][]byte, r.cfg.Rooms)
	for i := range names {
		names[i] = roster.RoomName(r.cfg.UserPrefix, i)
	}
	ids, err := r.server.OpenRooms(ctx, &r.users[0], names)
	if err != nil {
		return nil, fmt.Errorf("%d rooms (a larger --room-size needs fewer): %w", len(names), err)
	}
	owners := make([]chatcheck.Owner, r.cfg.Connections)
	for i := range owners {
		user := &r.users[i%len(r.users)]
		owners[i] = chatcheck.Owner{UserID: user.ID, Name: user.Name}
	}
	codec := chatcheck.NewCodec(runNumber(), r.cfg.Seed, r.cfg.Payload.Most)
	return chatcheck.NewGroup(codec, owners, ids, r.cfg.RoomSize), nil
}

// runNumber tells this run's messages from those of any other: never from the seed, which runs share.
func runNumber() uint64 {
	var number [8]byte
	_, _ = rand.Read(number[:]) // never fails: crypto/rand ends the process instead
	return binary.NativeEndian.Uint64(number[:])
}

// judge fills in the verdict.
func (r *runner) judge(ctx context.Context) {
	opening := make([]int64, len(r.users))
	for i := range r.users {
		opening[i] = r.users[i].Opening
	}
	audit := moneycheck.NewAudit(opening, r.fleet.Books())
	money := r.server.Audit(ctx, r.users, audit)
	r.summary.SetVerdict(r.plan.Chat, money, &r.plan.Violations)
}

// writeLatencies writes the distributions that were asked for.
func (r *runner) writeLatencies() error {
	if r.out.Latencies != nil {
		all := r.chosen.totals.Latency()
		if err := all.WriteDistribution(r.out.Latencies); err != nil {
			return fmt.Errorf("write the latencies: %w", err)
		}
	}
	if r.out.SinceSent != nil {
		all := r.chosen.totals.SinceSent()
		if err := all.WriteDistribution(r.out.SinceSent); err != nil {
			return fmt.Errorf("write the latencies since the sending: %w", err)
		}
	}
	return nil
}
