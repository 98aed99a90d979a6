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

	"github.com/spf13/pflag"
	"golang.org/x/sys/unix"

	"tradechat.internal/libproto"

	"tradechat.internal/loadgen/internal/driver"
	"tradechat.internal/loadgen/internal/mix"
)

// ErrInvalid is the error of every setting that cannot be used.
var ErrInvalid = errors.New("invalid setting")

// passwordDefault is for servers that hold nothing but play money.
const passwordDefault = "tradechat-loadgen"

// Config is the settings of one run. Complete makes it whole.
type Config struct {
	Server         string         `json:"server"`
	Connections    int            `json:"connections"`
	Threads        int            `json:"threads"`
	Mix            string         `json:"mix"`
	TradeRatio     mix.TradeRatio `json:"trade_ratio"`
	Duration       time.Duration  `json:"duration_ns"`
	PayloadLen     int            `json:"payload_bytes"`
	Pipeline       int            `json:"pipeline"`
	Users          int            `json:"users"` // 0: one a connection
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
		PayloadLen:     64,
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

// AddFlags declares a flag for each setting. What they say is in c after parsing.
func (c *Config) AddFlags(flags *pflag.FlagSet) {
	flags.SortFlags = false
	flags.StringVar(&c.Server, "server", c.Server, "`host:port` to load")
	flags.IntVar(&c.Connections, "connections", c.Connections, "connections over all threads")
	flags.IntVar(&c.Threads, "threads", c.Threads, "threads, each with an event loop of its own")
	flags.StringVar(&c.Mix, "mix", c.Mix, "what to ask for: `"+strings.Join(mix.Names(), "|")+"`")
	flags.Var(&c.TradeRatio, "trade-ratio", "shares of TRANSFER,WITHDRAW,DEPOSIT,BALANCE in the trade mix")
	flags.DurationVar(&c.Duration, "duration", c.Duration, "how long to make requests")
	flags.IntVar(&c.PayloadLen, "payload", c.PayloadLen, "length of a chat message in `bytes`")
	flags.IntVar(&c.Pipeline, "pipeline", c.Pipeline, "requests in flight on a connection")
	flags.IntVar(&c.Users, "users", c.Users, "users; connection i is user i modulo their number (default one a connection)")
	flags.IntVar(&c.Rooms, "rooms", c.Rooms, "chat rooms (default as many as it takes for every connection to be in one)")
	flags.IntVar(&c.RoomSize, "room-size", c.RoomSize, "members of a room, at most all connections: every message is delivered so many times")
	flags.Uint64Var(&c.Seed, "seed", c.Seed, "what the requests are drawn from")
	flags.DurationVar(&c.Timeout, "timeout", c.Timeout, "time after which a request without an answer has failed")
	flags.DurationVar(&c.DrainTimeout, "drain-timeout", c.DrainTimeout,
		"time after the load in which every member must have seen every message")
	flags.StringVar(&c.UserPrefix, "user-prefix", c.UserPrefix,
		"what the names of users and rooms begin with; runs at the same time need different ones")
	flags.Uint64Var(&c.OpeningDeposit, "opening-deposit", c.OpeningDeposit, "what each user gets before the load, in minor `units`")
	flags.Uint64Var(&c.AmountMax, "amount-max", c.AmountMax, "the largest amount of a request, in minor `units`")
	flags.StringVar(&c.PasswordFile, "password-file", c.PasswordFile,
		"`file` with the password of all users (default one that is no secret)")
	flags.StringVar(&c.JSONPath, "json", c.JSONPath, "`file` for the result as JSON; - is stdout")
	flags.StringVar(&c.CSVPath, "csv", c.CSVPath, "`file` for one row a second; - is stdout")
}

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
	drawn, err := mix.Parse(c.Mix, c.TradeRatio, false)
	if err != nil {
		return fmt.Errorf("%w: --mix: %w", ErrInvalid, err)
	}
	return errors.Join(c.checkAddress(), c.checkNames(), c.checkMix(drawn), c.checkOutputs(), c.checkDescriptors())
}

func (c *Config) bounds() []error {
	return []error{
		within("connections", c.Connections, 1, connectionsMax),
		within("threads", c.Threads, 1, threadsMax),
		within("duration", c.Duration, durationMin, durationMax),
		within("payload", c.PayloadLen, payloadMin, payloadMax),
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

func within[T int | uint64 | time.Duration](flag string, value, least, most T) error {
	if value < least || value > most {
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
	case drawn.Has(mix.Transfer) && c.Users < 2:
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

func (c *Config) checkOutputs() error {
	if c.JSONPath == "-" && c.CSVPath == "-" {
		return fmt.Errorf("%w: --json and --csv cannot both be stdout", ErrInvalid)
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
