package measure

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tradechat.internal/bench/internal/echoserver"
	"tradechat.internal/testkit/clock"
	"tradechat.internal/testkit/closedloop"
	"tradechat.internal/testkit/figure"
	"tradechat.internal/testkit/proc"
	"tradechat.internal/testkit/procfs"
	"tradechat.internal/testkit/sample"
	"tradechat.internal/testkit/server"
)

// EchoOptions says how to compare.
type EchoOptions struct {
	Workers     int           // of tradechatd, and loops of the echo
	Connections int           // to each
	Rounds      int           // of each
	Duration    time.Duration // of a round
	Durability  string        // of tradechatd; an echo waits for no disk
}

// DefaultEchoOptions is what the reported figure is measured with.
func DefaultEchoOptions() EchoOptions {
	return EchoOptions{Workers: 1, Connections: 100, Rounds: 6, Duration: 2 * time.Second, Durability: "none"}
}

// Validate checks every setting.
func (o EchoOptions) Validate() error {
	return errors.Join(
		within("workers", o.Workers, 1, WorkersMax),
		within("connections", o.Connections, 2, ConnectionsMax),
		within("rounds", o.Rounds, 1, RoundsMax),
		within("duration", o.Duration, 10*time.Millisecond, time.Hour),
		oneOf("durability", o.Durability, "sync", "async", "none"),
	)
}

// EchoRound is one round of one server.
type EchoRound struct {
	Requests              uint64  `json:"requests"`
	Seconds               float64 `json:"seconds"`
	RequestsPerS          float64 `json:"requests_per_s"`
	CPUUsPerRequest       float64 `json:"cpu_us_per_request"`
	CoresBusy             float64 `json:"cores_busy"` // processor time over time
	ClientCPUUsPerRequest float64 `json:"client_cpu_us_per_request"`
}

// EchoPair is a round of tradechatd and the round of the echo that followed.
type EchoPair struct {
	Tradechatd EchoRound `json:"tradechatd"`
	Echo       EchoRound `json:"echo"`
	Ratio      float64   `json:"ratio"`
}

// EchoResult is the comparison.
type EchoResult struct {
	Workers       int           `json:"workers"`
	Connections   int           `json:"connections"`
	Durability    string        `json:"durability"`
	RequestBytes  int           `json:"request_bytes"`
	ResponseBytes int           `json:"response_bytes"`
	Pairs         []EchoPair    `json:"pairs"`
	Ratio         sample.Spread `json:"ratio"`
}

// Figures is the one ratio.
func (r EchoResult) Figures() []figure.Figure {
	var own, echo []float64
	for _, p := range r.Pairs {
		own, echo = append(own, p.Tradechatd.CPUUsPerRequest), append(echo, p.Echo.CPUUsPerRequest)
	}
	what := fmt.Sprintf("server CPU per TRANSFER, %d connections, against a bare gnet echo", r.Connections)
	if r.Workers > 1 {
		what += fmt.Sprintf(", %d workers", r.Workers)
	}
	detail := fmt.Sprintf("--durability %s; %.2f µs against %.2f µs, %d rounds each in turns", r.Durability,
		sample.Of(own).Median, sample.Of(echo).Median, len(r.Pairs))
	return []figure.Figure{figure.OfSpread(what, r.Ratio, "×", echoTarget, detail)}
}

// contender is one of the two servers under load.
type contender struct {
	name string
	pids []int // of all its processes
	loop *closedloop.Loop
	sent uint64 // over all rounds
}

// Echo compares the processor time of a request.
func (b Bench) Echo(ctx context.Context, o EchoOptions) (result EchoResult, err error) {
	if err := o.Validate(); err != nil {
		return result, err
	}
	s, err := server.Start(ctx, b.Binaries, server.Options{Workers: o.Workers, Args: []string{"--idle-timeout", "1h", "--durability", o.Durability}})
	if err != nil {
		return result, err
	}
	defer s.Discard()
	own, err := ownContender(ctx, s, o)
	if err != nil {
		return result, err
	}
	defer own.loop.Close()
	process, echo, err := echoContender(ctx, o)
	if err != nil {
		return result, err
	}
	defer process.Kill()
	defer echo.loop.Close()
	if result, err = b.compare(ctx, own, echo, o); err != nil {
		return result, err
	}
	if err := s.CheckTransfers(ctx, own.sent); err != nil {
		return result, err
	}
	_, err = s.Stop()
	return result, errors.Join(err, process.Stop())
}

func ownContender(ctx context.Context, s *server.Server, o EchoOptions) (*contender, error) {
	loop, err := traders(ctx, s, o.Connections, 1)
	if err != nil {
		return nil, err
	}
	pids, err := s.PIDs(ctx)
	if err != nil {
		loop.Close()
		return nil, err
	}
	return &contender{name: "tradechatd", pids: pids, loop: loop}, nil
}

func echoContender(ctx context.Context, o EchoOptions) (*proc.Process, *contender, error) {
	process, address, err := echoserver.Start(ctx, echoserver.Config{
		Loops: o.Workers, RequestLen: closedloop.RequestLen, ResponseLen: closedloop.ResponseLen,
	})
	if err != nil {
		return nil, nil, err
	}
	connections, err := closedloop.Dial(ctx, address, o.Connections, func() closedloop.Exchange { return closedloop.NewTransfer(1) })
	if err != nil {
		return nil, nil, errors.Join(err, process.Stop())
	}
	loop, err := closedloop.New(connections, 1)
	if err != nil {
		return nil, nil, errors.Join(err, process.Stop())
	}
	return process, &contender{name: "echo", pids: []int{process.PID()}, loop: loop}, nil
}

// compare runs the rounds: one of each that does not count, then A B A B.
func (b Bench) compare(ctx context.Context, own, echo *contender, o EchoOptions) (EchoResult, error) {
	r := EchoResult{
		Workers: o.Workers, Connections: o.Connections, Durability: o.Durability, RequestBytes: closedloop.RequestLen, ResponseBytes: closedloop.ResponseLen,
	}
	for _, c := range []*contender{own, echo} {
		if _, err := c.round(ctx, o.Duration/4); err != nil {
			return r, err
		}
	}
	var a, e []float64
	for i := range o.Rounds {
		var pair EchoPair
		var err error
		if pair.Tradechatd, err = own.round(ctx, o.Duration); err != nil {
			return r, err
		}
		if pair.Echo, err = echo.round(ctx, o.Duration); err != nil {
			return r, err
		}
		a, e = append(a, pair.Tradechatd.CPUUsPerRequest), append(e, pair.Echo.CPUUsPerRequest)
		pair.Ratio = a[i] / e[i]
		r.Pairs = append(r.Pairs, pair)
		b.Say("echo: round %d of %d: tradechatd %.2f µs at %.0f/s, echo %.2f µs at %.0f/s: %.3f ×", i+1, o.Rounds,
			a[i], pair.Tradechatd.RequestsPerS, e[i], pair.Echo.RequestsPerS, pair.Ratio)
	}
	ratios, err := sample.PairedRatios(a, e)
	r.Ratio = sample.Of(ratios)
	return r, err
}

// round drives one server and reads its processes' clocks before and after.
func (c *contender) round(ctx context.Context, duration time.Duration) (r EchoRound, err error) {
	before, err := procfs.CPUTimeOf(c.pids)
	if err != nil {
		return r, err
	}
	run, err := c.loop.Run(ctx, duration)
	c.sent += run.Requests
	if err != nil {
		return r, fmt.Errorf("measure: %s: %w", c.name, err)
	}
	after, err := procfs.CPUTimeOf(c.pids)
	used := after - before
	return EchoRound{
		Requests:              run.Requests,
		Seconds:               run.Elapsed.Seconds(),
		RequestsPerS:          run.PerSecond(),
		CPUUsPerRequest:       clock.Micros(used) / float64(max(run.Requests, 1)),
		CoresBusy:             used.Seconds() / run.Elapsed.Seconds(),
		ClientCPUUsPerRequest: clock.Micros(run.ClientCPU) / float64(max(run.Requests, 1)),
	}, err
}
