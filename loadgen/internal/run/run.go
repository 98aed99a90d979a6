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

	"golang.org/x/sys/unix"

	"tradechat.internal/loadgen/internal/chatcheck"
	"tradechat.internal/loadgen/internal/config"
	"tradechat.internal/loadgen/internal/control"
	"tradechat.internal/loadgen/internal/driver"
	"tradechat.internal/loadgen/internal/mix"
	"tradechat.internal/loadgen/internal/moneycheck"
	"tradechat.internal/loadgen/internal/progress"
	"tradechat.internal/loadgen/internal/report"
	"tradechat.internal/loadgen/internal/roster"
	"tradechat.internal/loadgen/internal/stats"
)

// ErrSetup is the error of a run that came to an end before its load began.
var ErrSetup = errors.New("the load could not begin")

// Run makes the load of a complete configuration and judges the server. csv gets one row a second; nil: none. When the
// context ends during the load, the load ends early and is judged all the same.
func Run(ctx context.Context, cfg config.Config, display *progress.Display, csv io.Writer) (*report.Summary, error) {
	r := &runner{
		cfg:     cfg,
		display: display,
		csv:     csv,
		server:  control.Server{Addr: cfg.Server, Timeout: max(cfg.Timeout, controlTimeoutMin)},
		summary: report.Summary{Config: cfg},
	}
	before := runtime.GOMAXPROCS(max(runtime.GOMAXPROCS(0), cfg.Threads+spareProcs)) // a thread waits for the kernel only
	defer runtime.GOMAXPROCS(before)
	if err := r.prepare(ctx); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSetup, err)
	}
	if err := r.load(ctx); err != nil {
		return nil, err
	}
	r.judge(context.WithoutCancel(ctx))
	return &r.summary, nil
}

type runner struct {
	cfg     config.Config
	display *progress.Display
	csv     io.Writer
	server  control.Server
	users   []roster.User
	plan    *driver.Plan
	fleet   *driver.Fleet
	summary report.Summary
}

// prepare makes the users, their accounts and rooms, and the plan.
func (r *runner) prepare(ctx context.Context) error {
	drawn, err := mix.Parse(r.cfg.Mix, r.cfg.TradeRatio, false)
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
	r.plan = &driver.Plan{
		Server:      r.cfg.Server,
		Connections: r.cfg.Connections,
		Threads:     r.cfg.Threads,
		Pipeline:    r.cfg.Pipeline,
		PayloadLen:  r.cfg.PayloadLen,
		AmountMax:   r.cfg.AmountMax,
		Timeout:     r.cfg.Timeout,
		Seed:        r.cfg.Seed,
		BodyLenMax:  realm.BodyLenMax,
		Mix:         drawn,
		Users:       r.users,
		Chat:        chat,
		Timeline:    stats.NewTimeline(r.cfg.Threads),
	}
	return nil
}

// suits refuses a server whose limits the run does not fit.
func (r *runner) suits(realm roster.Realm) error {
	switch {
	case uint32(r.cfg.PayloadLen) > realm.MessageLenMax:
		return fmt.Errorf("--payload %d: the server takes messages of at most %d bytes", r.cfg.PayloadLen, realm.MessageLenMax)
	case realm.BodyLenMax > driver.BodyLenMax:
		return fmt.Errorf("the server announces bodies of up to %d bytes; at most %d are taken", realm.BodyLenMax, driver.BodyLenMax)
	}
	return nil
}

func (r *runner) openAccounts(ctx context.Context, realm roster.Realm) error {
	password, err := r.cfg.Password()
	if err != nil {
		return err
	}
	r.users = roster.New(r.cfg.UserPrefix, r.cfg.Users)
	err = roster.DeriveKeys(ctx, r.users, password, realm, r.step("deriving keys"))
	if err != nil {
		return err
	}
	return r.server.OpenAccounts(ctx, r.users, r.cfg.OpeningDeposit, r.step("opening accounts"))
}

func (r *runner) step(name string) func(done int) {
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
	codec := chatcheck.NewCodec(runNumber(), r.cfg.Seed, r.cfg.PayloadLen)
	return chatcheck.NewGroup(codec, owners, ids, r.cfg.RoomSize), nil
}

// runNumber tells this run's messages from those of any other: never from the seed, which runs share.
func runNumber() uint64 {
	var number [8]byte
	_, _ = rand.Read(number[:]) // never fails: crypto/rand ends the process instead
	return binary.NativeEndian.Uint64(number[:])
}

// load makes the connections, the requests, and the drain.
func (r *runner) load(ctx context.Context) error {
	fleet, err := driver.NewFleet(r.plan)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSetup, err)
	}
	r.fleet = fleet
	watched := make(chan error, 1)
	go func() { watched <- r.watch() }()
	patience := connectPatience + time.Duration(r.cfg.Connections)*connectPatienceEach
	if err := fleet.Await(ctx, driver.Connect, patience); err != nil {
		return errors.Join(fmt.Errorf("%w: %w", ErrSetup, err), fleet.End(), <-watched)
	}
	failed := r.makeRequests(ctx)
	if failed == nil {
		failed = r.windDown(context.WithoutCancel(ctx))
	}
	return errors.Join(failed, fleet.End(), <-watched)
}

// makeRequests is the load itself, with its measure.
func (r *runner) makeRequests(ctx context.Context) error {
	timer := time.NewTimer(r.cfg.Duration)
	defer timer.Stop()
	r.summary.Started = time.Now()
	before := usage()
	if err := r.fleet.Enter(driver.Load); err != nil {
		return err
	}
	var failed error
	select {
	case <-timer.C:
	case <-ctx.Done():
		r.summary.Interrupted = true
	case failed = <-r.fleet.Failed():
	}
	r.summary.DurationS = time.Since(r.summary.Started).Seconds()
	after := usage()
	r.summary.CPU = report.CPU{UserS: seconds(after.Utime) - seconds(before.Utime), SystemS: seconds(after.Stime) - seconds(before.Stime)}
	return failed
}

// usage is what the process has used of the processors (getrusage(2)).
func usage() (u unix.Rusage) {
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		panic(err) // for oneself it cannot fail
	}
	return u
}

func seconds(t unix.Timeval) float64 { return float64(t.Nano()) / float64(time.Second) }

// windDown waits for the last answers and deliveries. What does not come in time is the verdict's business.
func (r *runner) windDown(ctx context.Context) error {
	for _, part := range []struct {
		phase    driver.Phase
		patience time.Duration
	}{
		{driver.Settle, r.cfg.Timeout + settleSlack},
		{driver.Mark, r.cfg.Timeout + settleSlack},
		{driver.Drain, r.cfg.DrainTimeout},
		{driver.Leave, leavePatience},
	} {
		if err := r.fleet.Enter(part.phase); err != nil {
			return err
		}
		if err := r.fleet.Await(ctx, part.phase, part.patience); err != nil && !errors.Is(err, driver.ErrPhase) {
			return err
		}
	}
	return nil
}

// watch shows the seconds until all threads have ended.
func (r *runner) watch() error {
	var table *report.CSV
	var failed error
	if r.csv != nil {
		table, failed = report.NewCSV(r.csv)
	}
	r.plan.Timeline.Run(func(row stats.Row) {
		live := r.fleet.Live()
		r.display.Second(row, live, r.cfg.Connections, r.cfg.Duration)
		if table != nil && failed == nil {
			failed = table.Row(row, live)
		}
	})
	if failed != nil {
		return fmt.Errorf("write the CSV: %w", failed)
	}
	return nil
}

// judge fills in the summary.
func (r *runner) judge(ctx context.Context) {
	opening := make([]int64, len(r.users))
	for i := range r.users {
		opening[i] = r.users[i].Opening
	}
	audit := moneycheck.NewAudit(opening, r.fleet.Books())
	money := r.server.Audit(ctx, r.users, audit)
	totals := r.plan.Timeline.Totals()
	r.summary.SetTotals(&totals)
	r.summary.SetVerdict(r.plan.Chat, money, &r.plan.Violations)
}
