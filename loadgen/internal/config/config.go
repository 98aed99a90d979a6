// Package config holds the settings of a run: their flags, their defaults and their bounds.
package config

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"tradechat.internal/libproto"

	"tradechat.internal/loadgen/internal/arrival"
	"tradechat.internal/loadgen/internal/driver"
	"tradechat.internal/loadgen/internal/mix"
	"tradechat.internal/loadgen/internal/slo"
	"tradechat.internal/loadgen/internal/sweep"
	"tradechat.internal/loadgen/internal/zipf"
)

// ErrInvalid is the error of every setting that cannot be used.
var ErrInvalid = errors.New("invalid setting")

// Stdout is the path that stands for it.
const Stdout = "-"

// passwordDefault is for servers that hold nothing but play money.
const passwordDefault = "tradechat-loadgen"

// Config is the settings of one run. Complete makes it whole.
type Config struct {
	Server         string         `json:"server"`
	Connections    int            `json:"connections"`
	ConnectRate    float64        `json:"connect_rate"` // a second; 0: as fast as it goes
	Threads        int            `json:"threads"`
	Mix            string         `json:"mix"`
	TradeRatio     mix.TradeRatio `json:"trade_ratio"`
	Batch          int            `json:"batch"` // legs; 0: no batches
	Duration       time.Duration  `json:"duration_ns"`
	WarmUp         time.Duration  `json:"warm_up_ns"`
	Interval       time.Duration  `json:"interval_ns"`
	Rate           float64        `json:"rate"` // requests a second; 0: a closed loop
	Arrivals       string         `json:"arrivals"`
	RateSweep      sweep.Range    `json:"rate_sweep"`
	SLO            string         `json:"slo"`
	Payload        Payload        `json:"payload_bytes"`
	Pipeline       int            `json:"pipeline"`
	Think          time.Duration  `json:"think_ns"`
	Users          int            `json:"users"` // 0: one a connection
	Skew           float64        `json:"skew"`
	Rooms          int            `json:"rooms"` // 0: as many as it takes
	RoomSize       int            `json:"room_size"`
	Seed           uint64         `json:"seed"`
	Timeout        time.Duration  `json:"timeout_ns"`
	DrainTimeout   time.Duration  `json:"drain_timeout_ns"`
	UserPrefix     string         `json:"user_prefix"`
	OpeningDeposit uint64         `json:"opening_deposit"` // minor units
	AmountMax      uint64         `json:"amount_max"`      // minor units
	PasswordFile   string         `json:"-"`
	JSONPath       string         `json:"-"` // "-": stdout; empty: none
	CSVPath        string         `json:"-"`
	HgrmPath       string         `json:"-"`
}

// Defaults returns the settings of a run that was told nothing.
func Defaults() Config {
	return Config{
		Server:         "127.0.0.1:7878",
		Connections:    100,
		Threads:        8,
		Mix:            mix.Mixed,
		TradeRatio:     mix.TradeRatioDefault,
		Duration:       10 * time.Second,
		Interval:       time.Second,
		Arrivals:       string(arrival.Constant),
		Payload:        Payload{Least: 64, Most: 64},
		Pipeline:       1,
		RoomSize:       10,
		Seed:           1,
		Timeout:        5 * time.Second,
		DrainTimeout:   10 * time.Second,
		UserPrefix:     "load",
		OpeningDeposit: 100_000_000,
		AmountMax:      100,
	}
}

// Open reports whether the loop is open: requests are due at a rate, whatever becomes of the answers.
func (c *Config) Open() bool { return c.Rate > 0 || !c.RateSweep.None() }

// Drawn is the mix of requests.
func (c *Config) Drawn() (*mix.Mix, error) { return mix.Parse(c.Mix, c.TradeRatio, c.Batch > 0) }

// Complete fills in what follows from other settings, and checks everything.
func (c *Config) Complete() error {
	if c.Users == 0 {
		c.Users = c.Connections
	}
	c.Threads = min(c.Threads, c.Connections)
	c.RoomSize = min(c.RoomSize, c.Connections)
	if c.Rooms == 0 && c.RoomSize > 0 {
		c.Rooms = (c.Connections + c.RoomSize - 1) / c.RoomSize
	}
	for _, check := range c.bounds() {
		if err := check; err != nil {
			return err
		}
	}
	drawn, err := c.Drawn()
	if err != nil {
		return fmt.Errorf("%w: --mix: %w", ErrInvalid, err)
	}
	return errors.Join(c.checkAddress(), c.checkNames(), c.checkMix(drawn), c.checkLoop(), c.checkOutputs(), c.checkDescriptors())
}

func (c *Config) bounds() []error {
	return []error{
		within("connections", c.Connections, 1, connectionsMax),
		within("threads", c.Threads, 1, threadsMax),
		within("duration", c.Duration, durationMin, durationMax),
		within("warm-up", c.WarmUp, 0, durationMax),
		within("interval", c.Interval, intervalMin, intervalMax),
		within("rate", c.Rate, 0, sweep.RateMax),
		within("connect-rate", c.ConnectRate, 0, connectRateMax),
		within("batch", c.Batch, 0, libproto.BatchLegsMax),
		within("think", c.Think, 0, thinkMax),
		within("skew", c.Skew, 0, zipf.SkewMax),
		within("payload", c.Payload.Least, payloadMin, payloadMax),
		within("payload", c.Payload.Most, payloadMin, payloadMax),
		within("pipeline", c.Pipeline, 1, pipelineMax),
		within("users", c.Users, 1, usersMax),
		within("room-size", c.RoomSize, 1, roomSizeMax),
		within("rooms", c.Rooms, 1, roomsMax),
		within("timeout", c.Timeout, timeoutMin, timeoutMax),
		within("drain-timeout", c.DrainTimeout, drainMin, drainMax),
		within("opening-deposit", c.OpeningDeposit, 0, openingDepositMax),
		within("amount-max", c.AmountMax, 1, amountMax),
	}
}

func within[T int | uint64 | float64 | time.Duration](flag string, value, least, most T) error {
	if value < least || value > most || value != value { // or not a number
		return fmt.Errorf("%w: --%s %v: allowed: %v … %v", ErrInvalid, flag, value, least, most)
	}
	return nil
}

func (c *Config) checkAddress() error {
	if _, port, err := net.SplitHostPort(c.Server); err != nil || port == "" || port == "0" {
		return fmt.Errorf("%w: --server %q: want host:port, such as 127.0.0.1:7878", ErrInvalid, c.Server)
	}
	return nil
}

func (c *Config) checkNames() error {
	if len(c.UserPrefix) > prefixLenMax || !libproto.ValidName([]byte(c.UserPrefix)) {
		return fmt.Errorf("%w: --user-prefix %q: want 1 … %d of A-Z a-z 0-9 _ . -", ErrInvalid, c.UserPrefix, prefixLenMax)
	}
	return nil
}

func (c *Config) checkMix(drawn *mix.Mix) error {
	switch {
	case (drawn.Has(mix.Transfer) || drawn.Has(mix.TransferBatch)) && c.Users < 2:
		return fmt.Errorf("%w: --users %d: a TRANSFER needs two", ErrInvalid, c.Users)
	case drawn.Has(mix.ChatSend) && c.Rooms*c.RoomSize < c.Connections:
		return fmt.Errorf("%w: --rooms %d of --room-size %d do not have a place for each of %d connections", ErrInvalid,
			c.Rooms, c.RoomSize, c.Connections)
	case drawn.Has(mix.ChatSend) && c.Rooms*c.RoomSize/c.Connections >= driver.RoomsPerConnectionMax:
		return fmt.Errorf("%w: --rooms %d of --room-size %d put a connection into more than %d", ErrInvalid, c.Rooms,
			c.RoomSize, driver.RoomsPerConnectionMax)
	}
	return nil
}

// checkLoop refuses what the kind of loop has no use for.
func (c *Config) checkLoop() error {
	if _, err := arrival.ParseKind(c.Arrivals); err != nil {
		return fmt.Errorf("%w: --arrivals: %w", ErrInvalid, err)
	}
	if _, err := slo.Parse(c.SLO); err != nil {
		return fmt.Errorf("%w: --slo: %w", ErrInvalid, err)
	}
	switch {
	case c.Rate > 0 && c.Rate < rateMin:
		return fmt.Errorf("%w: --rate %v: allowed: %v … %v, or 0: a closed loop", ErrInvalid, c.Rate, rateMin, sweep.RateMax)
	case c.Rate > 0 && !c.RateSweep.None():
		return fmt.Errorf("%w: --rate and --rate-sweep exclude each other", ErrInvalid)
	case c.Open() && c.Think > 0:
		return fmt.Errorf("%w: --think is of the closed loop: with --rate or --rate-sweep requests are due when they are due",
			ErrInvalid)
	}
	return nil
}

func (c *Config) checkOutputs() error {
	stdout := 0
	for _, path := range []string{c.JSONPath, c.CSVPath, c.HgrmPath} {
		if path == Stdout {
			stdout++
		}
	}
	if stdout > 1 {
		return fmt.Errorf("%w: --json, --csv and --hgrm cannot both be stdout", ErrInvalid)
	}
	return nil
}

// checkDescriptors refuses what the process could not open. Go has raised the soft limit to the hard one.
func (c *Config) checkDescriptors() error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return os.NewSyscallError("getrlimit", err)
	}
	if need := uint64(c.Connections + 2*c.Threads + spareDescriptors); need > limit.Cur {
		return fmt.Errorf("%w: --connections %d need %d descriptors, and this process may have %d (ulimit -n)", ErrInvalid,
			c.Connections, need, limit.Cur)
	}
	return nil
}

// Password is the password of all users: the file's, or one that is no secret.
func (c *Config) Password() (string, error) {
	if c.PasswordFile != "" {
		return readPassword(c.PasswordFile)
	}
	return passwordDefault, nil
}

// readPassword takes the file's text without the line end.
func readPassword(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("%w: --password-file: %w", ErrInvalid, err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, passwordBytesMax+2))
	if err != nil {
		return "", fmt.Errorf("%w: --password-file: %w", ErrInvalid, err)
	}
	password := strings.TrimRight(string(text), "\r\n")
	if password == "" || len(password) > passwordBytesMax {
		return "", fmt.Errorf("%w: --password-file %s: want 1 … %d bytes, has %d", ErrInvalid, path, passwordBytesMax, len(password))
	}
	return password, nil
}
