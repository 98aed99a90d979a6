package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
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
		"--payload 21":         func(c *Config) { c.PayloadLen = 21 },
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
		PayloadLen: 32, Pipeline: 4, Users: 5, Rooms: 6, RoomSize: 7, Seed: 8, Timeout: time.Second, DrainTimeout: 2 * time.Second,
		UserPrefix: "p", OpeningDeposit: 9, AmountMax: 10, PasswordFile: "f", JSONPath: "j", CSVPath: "c",
	}
	err := flags.Parse(strings.Fields("--server h:1 --connections 2 --threads 3 --mix chat --trade-ratio 1,2,3,4 --duration 1m " +
		"--payload 32 --pipeline 4 --users 5 --rooms 6 --room-size 7 --seed 8 --timeout 1s --drain-timeout 2s --user-prefix p " +
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
