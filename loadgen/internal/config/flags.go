package config

import (
	"strings"

	"github.com/spf13/pflag"

	"tradechat.internal/loadgen/internal/mix"
)

// Group is flags that belong together.
type Group struct {
	Title string
	Flags *pflag.FlagSet
}

// Groups declares a flag for each setting. What they say is in c after parsing.
func (c *Config) Groups() []Group {
	return []Group{
		{"Server and connections", declare(c.connectionFlags)},
		{"Requests", declare(c.requestFlags)},
		{"Loop", declare(c.loopFlags)},
		{"Users, money and rooms", declare(c.userFlags)},
		{"Results", declare(c.resultFlags)},
	}
}

// AddFlags declares all of them in one set.
func (c *Config) AddFlags(flags *pflag.FlagSet) {
	flags.SortFlags = false
	for _, group := range c.Groups() {
		flags.AddFlagSet(group.Flags)
	}
}

func declare(flags func(*pflag.FlagSet)) *pflag.FlagSet {
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	set.SortFlags = false
	flags(set)
	return set
}

func (c *Config) connectionFlags(flags *pflag.FlagSet) {
	flags.StringVar(&c.Server, "server", c.Server, "`host:port` to load; TRADECHAT_SERVER")
	flags.IntVar(&c.Connections, "connections", c.Connections, "connections over all threads")
	flags.Float64Var(&c.ConnectRate, "connect-rate", c.ConnectRate, "begin `N` connections a second (default as fast as it goes)")
	flags.IntVar(&c.Threads, "threads", c.Threads, "threads, each with an event loop of its own")
	flags.DurationVar(&c.Timeout, "timeout", c.Timeout, "time after which a request without an answer has failed")
}

func (c *Config) requestFlags(flags *pflag.FlagSet) {
	flags.StringVar(&c.Mix, "mix", c.Mix,
		"what to ask for: `"+strings.Join(mix.Names(), "|")+"`, or shares such as transfer=60,balance=20,chat=20")
	flags.Var(&c.TradeRatio, "trade-ratio", "shares of TRANSFER,WITHDRAW,DEPOSIT,BALANCE in the trade and mixed mixes")
	flags.IntVar(&c.Batch, "batch", c.Batch, "send transfers as TRANSFER_BATCH of so many `legs` (default singly)")
	flags.Var(&c.Payload, "payload", "length of a chat message, or least-most of lengths drawn evenly")
	flags.Float64Var(&c.Skew, "skew", c.Skew,
		"hot accounts: the k-th user gets money in proportion to 1/k^`S` (default all alike; 0.99 is usual)")
	flags.Uint64Var(&c.AmountMax, "amount-max", c.AmountMax, "the largest amount of a request, in minor `units`")
	flags.Uint64Var(&c.Seed, "seed", c.Seed, "what the requests are drawn from")
}

func (c *Config) loopFlags(flags *pflag.FlagSet) {
	flags.DurationVar(&c.Duration, "duration", c.Duration, "how long to make requests that are measured; in a sweep, of each step")
	flags.DurationVar(&c.WarmUp, "warm-up", c.WarmUp, "how long to make requests before that, which are judged and not measured")
	flags.IntVar(&c.Pipeline, "pipeline", c.Pipeline, "requests in flight on a connection; in an open loop at most")
	flags.DurationVar(&c.Think, "think", c.Think, "closed loop: time from an answer to the next request in its place")
	flags.Float64Var(&c.Rate, "rate", c.Rate,
		"open loop: `R` requests a second over all connections, whatever becomes of the answers (default closed loop)")
	flags.StringVar(&c.Arrivals, "arrivals", c.Arrivals, "open loop: how the requests are spaced: `constant|poisson`")
	flags.Var(&c.RateSweep, "rate-sweep", "open loop: find the highest rate that is held, in steps or by search")
	flags.StringVar(&c.SLO, "slo", c.SLO, "`objective` that decides the exit code, such as p99<2ms,errors<0.1%")
	flags.DurationVar(&c.DrainTimeout, "drain-timeout", c.DrainTimeout,
		"time after the load in which every member must have seen every message")
}

func (c *Config) userFlags(flags *pflag.FlagSet) {
	flags.IntVar(&c.Users, "users", c.Users, "users; connection i is user i modulo their number (default one a connection)")
	flags.StringVar(&c.UserPrefix, "user-prefix", c.UserPrefix,
		"what the names of users and rooms begin with; runs at the same time need different ones")
	flags.StringVar(&c.PasswordFile, "password-file", c.PasswordFile,
		"`file` with the password of all users (default one that is no secret)")
	flags.Uint64Var(&c.OpeningDeposit, "opening-deposit", c.OpeningDeposit, "what each user gets before the load, in minor `units`")
	flags.IntVar(&c.Rooms, "rooms", c.Rooms, "chat rooms (default as many as it takes for every connection to be in one)")
	flags.IntVar(&c.RoomSize, "room-size", c.RoomSize,
		"members of a room, at most all connections: every message is delivered so many times")
}

func (c *Config) resultFlags(flags *pflag.FlagSet) {
	flags.DurationVar(&c.Interval, "interval", c.Interval, "time between two lines of progress, and two rows of --csv")
	flags.StringVar(&c.JSONPath, "json", c.JSONPath, "`file` for the result as JSON; - is stdout")
	flags.StringVar(&c.CSVPath, "csv", c.CSVPath, "`file` for one row an interval; - is stdout")
	flags.StringVar(&c.HgrmPath, "hgrm", c.HgrmPath,
		"`file` for the percentile distribution, as HdrHistogram's plotters read it; - is stdout")
}
