package attacks

import (
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"tradechat.internal/libproto"
	"tradechat.internal/libproto/serverstats"
	"tradechat.internal/testkit/sample"
	"tradechat.internal/testkit/server"
)

func TestOptions(t *testing.T) {
	quick := DefaultOptions()
	quick.Quicken()
	for name, o := range map[string]Options{"default": DefaultOptions(), "quick": quick} {
		if err := o.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if o.Duration <= o.LoginTimeout {
			t.Errorf("%s: a phase of %v is over before the login timeout of %v", name, o.Duration, o.LoginTimeout)
		}
	}
	for name, change := range map[string]func(*Options){
		"an unknown attack": func(o *Options) { o.Attacks = []string{"silent", "loud"} },
		"no rounds":         func(o *Options) { o.Rounds = 0 },
		"one bystander":     func(o *Options) { o.Bystanders = 1 },
		"no time":           func(o *Options) { o.Duration = 0 },
		"no address":        func(o *Options) { o.Sources = 0 },
	} {
		o := DefaultOptions()
		if change(&o); !errors.Is(o.Validate(), ErrOption) {
			t.Errorf("%s: %v", name, o.Validate())
		}
	}
	some := DefaultOptions()
	some.Attacks = []string{"garbage", "silent"}
	if got := some.chosen(); len(got) != 2 || got[0].name != "silent" || got[1].name != "garbage" {
		t.Errorf("chosen: %+v", got)
	}
	if len(DefaultOptions().chosen()) != len(table) {
		t.Error("not all attacks are run unless told otherwise")
	}
}

func TestOrderComesAsItWasSent(t *testing.T) {
	sent := Order{
		Attack: "deaf", Server: "127.0.0.1:1", Connections: 3, Sources: 2, Room: 7,
		Accounts: []server.User{{Name: "a", ID: 1, Keys: libproto.Keys{Client: [32]byte{1}}}, {Name: "b", ID: 2}},
	}
	text, err := sent.encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParseOrder(text)
	if err != nil || !slices.Equal(got.Accounts, sent.Accounts) || got.Room != 7 || got.Attack != "deaf" {
		t.Errorf("%+v, %v", got, err)
	}
	for name, change := range map[string]func(*Order){
		"unknown":      func(o *Order) { o.Attack = "loud" },
		"nobody":       func(o *Order) { o.Connections = 0 },
		"from nowhere": func(o *Order) { o.Sources = 0 },
		"no account":   func(o *Order) { o.Accounts = nil },
	} {
		bad := sent
		change(&bad)
		text, _ := bad.encode()
		if _, err := ParseOrder(text); !errors.Is(err, ErrOption) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := ParseOrder("{"); err == nil {
		t.Error("what is no JSON is taken")
	}
}

func TestSourcesAreLoopbackAndNotTheBystanders(t *testing.T) {
	seen := make(map[string]bool)
	for i := range sourcesMax {
		address := sourceAddress(i).(*net.TCPAddr)
		if !address.IP.IsLoopback() || address.IP.String() == "127.0.0.1" || address.IP[len(address.IP)-1] == 255 {
			t.Fatalf("source %d is %v", i, address)
		}
		seen[address.IP.String()] = true
	}
	if len(seen) != sourcesMax {
		t.Errorf("%d different sources of %d", len(seen), sourcesMax)
	}
}

// TestFramesOfTheAttacks: they are what they are said to be, to the decoder that the server uses.
func TestFramesOfTheAttacks(t *testing.T) {
	decoder := libproto.Decoder{BodyLenMax: libproto.BodyLenMaxBeforeLogin}
	if _, n, err := decoder.Next(wrongChecksums); !errors.Is(err, libproto.ErrChecksum) || n != libproto.HeaderLen+libproto.BodyLenMaxBeforeLogin {
		t.Errorf("checksum storm: %d bytes, %v", n, err)
	}
	if f, n, err := decoder.Next(transfers); err != nil || f.Op != libproto.OpTransfer || len(transfers)%n != 0 {
		t.Errorf("ops before login: %v, %d bytes, %v", f.Op, n, err)
	}
	if _, _, err := decoder.Next(announce(hugeBody)); !errors.Is(err, libproto.ErrBodyTooLong) {
		t.Errorf("a length bomb over the limit: %v", err)
	}
	if _, n, err := decoder.Next(announce(libproto.BodyLenMaxBeforeLogin)); n != 0 || err != nil {
		t.Errorf("a length bomb within the limit: %d bytes, %v", n, err)
	}
}

// ended is a siege after two rounds in which nothing was wrong.
func ended() (*siege, serverstats.Report) {
	round := func(without, with float64) Round {
		return Round{
			Without: Phase{P99Us: without, P50Us: 100}, Ratio: with / without,
			With: Phase{P99Us: with, P50Us: 200, PeakBytes: 30 << 20, AfterBytes: 22 << 20, Tally: &Tally{Made: 100, seconds: 10}},
		}
	}
	silent, _ := find("silent")
	g := &siege{attack: silent, options: DefaultOptions(), outcome: Outcome{
		Attack: "silent", BeforeBytes: 20 << 20, Noticed: 5, Rounds: []Round{round(1000, 2000), round(1000, 4000)}, Ratio: sample.Of([]float64{2, 4}),
	}}
	return g, serverstats.Report{Verify: serverstats.Verdict{OK: true}}
}

func TestWhatMustNotHappenIsAFault(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*siege, *serverstats.Report)
		fault  string
	}{
		"nothing":           {func(*siege, *serverstats.Report) {}, ""},
		"a worker replaced": {func(_ *siege, s *serverstats.Report) { s.Restarts = 1 }, "1 workers were replaced"},
		"books":             {func(_ *siege, s *serverstats.Report) { s.Verify = serverstats.Verdict{Problems: []string{"lost"}} }, "the books:  [lost]"},
		"not noticed":       {func(g *siege, _ *serverstats.Report) { g.outcome.Noticed = 0 }, "the server has not noticed the attack"},
		"too short to be":   {func(g *siege, _ *serverstats.Report) { g.outcome.Noticed, g.options.Duration = 0, time.Second }, ""},
		"a leak":            {func(g *siege, _ *serverstats.Report) { g.outcome.Rounds[1].With.AfterBytes = 60 << 20 }, "memory grows from attack to attack: +38.0 MiB each"},
		"too much memory":   {func(g *siege, _ *serverstats.Report) { g.outcome.Rounds[0].With.PeakBytes = 300 << 20 }, "memory grew by 280.0 MiB"},
	} {
		g, stats := ended()
		c.change(g, &stats)
		g.judge(stats)
		if got := strings.Join(g.outcome.Faults, "; "); c.fault == "" && got != "" || !strings.HasPrefix(got, c.fault) {
			t.Errorf("%s: %q, want %q", name, got, c.fault)
		}
	}
}

func TestFigures(t *testing.T) {
	g, _ := ended()
	figures := Result{Outcomes: []Outcome{g.outcome}}.Figures()
	if len(figures) != 2 || figures[0].Value != 3 || !figures[0].Met || figures[1].Value != 0 || !figures[1].Met {
		t.Fatalf("%+v", figures)
	}
	want := "p50 0.10 → 0.20, p99 1.00 → 3.00 ms; server 0.00 → 0.00 cores, +10.0 MiB at the height, +2.0 after; 10 connections/s"
	if figures[0].Detail != want {
		t.Errorf("%q, want %q", figures[0].Detail, want)
	}
	g.fault("a worker died")
	if f := (Result{Outcomes: []Outcome{g.outcome}}).Figures()[1]; f.Met || f.Value != 1 || f.Detail != "silent: a worker died" {
		t.Errorf("%+v", f)
	}
}
