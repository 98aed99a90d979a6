package config

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"tradechat.internal/loadgen/internal/sweep"
)

func TestCompleteFillsIn(t *testing.T) {
	for _, test := range []struct {
		name                          string
		change                        func(*Config)
		threads, users, rooms, member int
	}{
		{"defaults", func(*Config) {}, 8, 100, 10, 10},
		{"few connections", func(c *Config) { c.Connections = 3 }, 3, 3, 1, 3},
		{"rooms that do not divide", func(c *Config) { c.Connections, c.RoomSize = 23, 5 }, 8, 23, 5, 5},
		{"given", func(c *Config) { c.Users, c.Rooms, c.RoomSize, c.Threads = 7, 12, 20, 2 }, 2, 7, 12, 20},
	} {
		c := Defaults()
		test.change(&c)
		if err := c.Complete(); err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		if c.Threads != test.threads || c.Users != test.users || c.Rooms != test.rooms || c.RoomSize != test.member {
			t.Errorf("%s: %d threads, %d users, %d rooms of %d", test.name, c.Threads, c.Users, c.Rooms, c.RoomSize)
		}
	}
}

func TestCompleteRefuses(t *testing.T) {
	for says, change := range map[string]func(*Config){
		"--connections 0":      func(c *Config) { c.Connections = 0 },
		"descriptors":          func(c *Config) { c.Connections, c.RoomSize = connectionsMax, 1000 },
		"--threads 0":          func(c *Config) { c.Threads = 0 },
		"--duration 1ms":       func(c *Config) { c.Duration = time.Millisecond },
		"--duration 25h0m0s":   func(c *Config) { c.Duration = 25 * time.Hour },
		"--payload 21":         func(c *Config) { c.Payload.Least = 21 },
		"--payload 15361":      func(c *Config) { c.Payload.Most = 15361 },
		"--rate -1":            func(c *Config) { c.Rate = -1 },
		"--rate NaN":           func(c *Config) { c.Rate = math.NaN() },
		"--rate 0.01":          func(c *Config) { c.Rate = 0.01 },
		"--rate 1e+08":         func(c *Config) { c.Rate = 1e8 },
		"exclude each other":   func(c *Config) { c.Rate, c.RateSweep.Auto = 1, true },
		"--think is of the":    func(c *Config) { c.Rate, c.Think = 1, time.Second },
		"--think is of":        func(c *Config) { c.RateSweep.Auto, c.Think = true, time.Second },
		"--think -1s":          func(c *Config) { c.Think = -time.Second },
		"--arrivals":           func(c *Config) { c.Arrivals = "even" },
		"--slo":                func(c *Config) { c.SLO = "p99<2" },
		"--skew 6":             func(c *Config) { c.Skew = 6 },
		"--batch 1025":         func(c *Config) { c.Batch = 1025 },
		"--batch is of no use": func(c *Config) { c.Batch, c.Mix = 4, "chat" },
		"says of how many":     func(c *Config) { c.Mix = "batch=1" },
		"--interval 10ms":      func(c *Config) { c.Interval = 10 * time.Millisecond },
		"--warm-up -1s":        func(c *Config) { c.WarmUp = -time.Second },
		"--connect-rate -5":    func(c *Config) { c.ConnectRate = -5 },
		"--pipeline 1025":      func(c *Config) { c.Pipeline = 1025 },
		"--users -1":           func(c *Config) { c.Users = -1 },
		"--users 1:":           func(c *Config) { c.Users = 1 },
		"--room-size 0":        func(c *Config) { c.RoomSize = 0 },
		"a place for each":     func(c *Config) { c.Rooms = 2 },
		"more than 512":        func(c *Config) { c.Rooms, c.RoomSize = 6000, 100 },
		"--timeout 0s":         func(c *Config) { c.Timeout = 0 },
		"--amount-max 0":       func(c *Config) { c.AmountMax = 0 },
		"unknown mix":          func(c *Config) { c.Mix = "all" },
		`--server "localhost"`: func(c *Config) { c.Server = "localhost" },
		`--server "a:0"`:       func(c *Config) { c.Server = "a:0" },
		"--user-prefix":        func(c *Config) { c.UserPrefix = "a b" },
		"both be stdout":       func(c *Config) { c.JSONPath, c.CSVPath = "-", "-" },
		"cannot both":          func(c *Config) { c.JSONPath, c.HgrmPath = "-", "-" },
	} {
		c := Defaults()
		change(&c)
		if err := c.Complete(); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), says) {
			t.Errorf("Complete = %v, want %q", err, says)
		}
	}
}

// The defaults are what the flags say they are, and every flag reaches its field.
func TestFlags(t *testing.T) {
	c := Defaults()
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	c.AddFlags(flags)
	if err := flags.Parse(nil); err != nil || c != Defaults() {
		t.Errorf("no flags: %v, %+v", err, c)
	}
	want := Config{
		Server: "h:1", Connections: 2, Threads: 3, Mix: "chat", TradeRatio: [4]uint32{1, 2, 3, 4}, Duration: time.Minute,
		Payload: Payload{32, 99}, Batch: 11, WarmUp: 3 * time.Second, Interval: 4 * time.Second, Rate: 12.5, Arrivals: "poisson",
		RateSweep: sweep.Range{From: 1, To: 3, Step: 2}, SLO: "p99<1s", Think: time.Millisecond, Skew: 0.5, ConnectRate: 13, HgrmPath: "g",
		Pipeline: 4, Users: 5, Rooms: 6, RoomSize: 7, Seed: 8, Timeout: time.Second, DrainTimeout: 2 * time.Second,
		UserPrefix: "p", OpeningDeposit: 9, AmountMax: 10, PasswordFile: "f", JSONPath: "j", CSVPath: "c",
	}
	err := flags.Parse(strings.Fields("--server h:1 --connections 2 --threads 3 --mix chat --trade-ratio 1,2,3,4 --duration 1m " +
		"--payload 32-99 --batch 11 --warm-up 3s --interval 4s --rate 12.5 --arrivals poisson --rate-sweep 1:3:2 --slo p99<1s " +
		"--think 1ms --skew 0.5 --connect-rate 13 --hgrm g --pipeline 4 --users 5 --rooms 6 --room-size 7 --seed 8 --timeout 1s --drain-timeout 2s --user-prefix p " +
		"--opening-deposit 9 --amount-max 10 --password-file f --json j --csv c"))
	if err != nil || c != want {
		t.Errorf("all flags: %v\n got %+v\nwant %+v", err, c, want)
	}
}

func TestPassword(t *testing.T) {
	c := Defaults()
	if got, err := c.Password(); err != nil || got != passwordDefault {
		t.Errorf("without any: %q, %v", got, err)
	}
	c.PasswordFile = filepath.Join(t.TempDir(), "password")
	for text, want := range map[string]string{"of the file\n": "of the file", " spaces \r\n": " spaces ", "\n": "", strings.Repeat("x", 5000): ""} {
		if err := os.WriteFile(c.PasswordFile, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := c.Password(); got != want || (err == nil) != (want != "") {
			t.Errorf("file with %.20q: %q, %v", text, got, err)
		}
	}
	c.PasswordFile = filepath.Join(t.TempDir(), "none")
	if _, err := c.Password(); !errors.Is(err, os.ErrNotExist) || !errors.Is(err, ErrInvalid) {
		t.Errorf("no file: %v", err)
	}
}

func TestPayload(t *testing.T) {
	for text, want := range map[string]Payload{"64": {64, 64}, "32-1024": {32, 1024}, " 7 - 7 ": {7, 7}} {
		var p, back Payload
		if err := p.Set(text); err != nil || p != want {
			t.Errorf("Set(%q) = %+v, %v", text, p, err)
		}
		written, err := json.Marshal(p)
		if err != nil || json.Unmarshal(written, &back) != nil || back != want {
			t.Errorf("%q is written as %s and read as %+v", text, written, back)
		}
	}
	p := Payload{1, 2}
	for _, text := range []string{"", "x", "-5", "5-", "9-8", "1-2-3", "1.5", "99999999999"} {
		if err := p.Set(text); !errors.Is(err, errPayload) || p != (Payload{1, 2}) {
			t.Errorf("Set(%q) = %+v, %v", text, p, err)
		}
	}
}
