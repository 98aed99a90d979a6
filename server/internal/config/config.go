// Package config holds the server's settings: what they are called, what they may be, and where they come from.
//
// There is one table of them (options.go). The flag help, the names in the environment and in the file, the bounds, the
// messages and the table in docs/config.md are all made from it. A value comes from the first of these that has it:
//
//	--workers 4               the flag
//	TRADECHAT_WORKERS=4       the environment
//	workers = 4               the file named by --config or TRADECHAT_CONFIG
//	                          the default
//
// The file is TOML: a flat list of key = value with one way to write each, where YAML would read `no` as a boolean and
// 1:30 as a number. Whatever the source, a value goes through the same parser and the same bounds, and a key or a
// TRADECHAT_ variable that the table does not know is an error: a misspelt limit must not be a limit that is not there.
// What an orchestrator puts into the environment of a service that is called tradechat is ignored, and the log names it.
package config

import (
	"errors"
	"fmt"
	"net"
	"runtime"
	"strconv"
	"strings"
	"time"

	"tradechat.internal/libproto"
)

// ErrInvalid is the error of every setting that cannot be used.
var ErrInvalid = errors.New("invalid configuration")

// Config is the settings of one run. Load makes it, and the children inherit it.
type Config struct {
	Listen            string // host:port; port 0 lets the kernel choose
	Workers           int
	Data              string // folder, absolute after Load
	Fresh             bool
	Registration      string // RegistrationOpen or RegistrationClosed
	LockMode          string // LockAccount or LockGlobal
	Durability        string // DurabilitySync, DurabilityAsync or DurabilityNone
	SnapshotEvery     uint32 // records
	JournalRetain     uint32 // segment files besides those that the oldest snapshot needs; 0: all
	JournalFileMiB    uint32
	SessionTTL        time.Duration
	UsersMax          uint32
	SessionsMax       uint32
	RoomsMax          uint32
	LogRecords        uint32 // a power of two
	BodyBytesMax      uint32
	MessageBytesMax   uint32
	OutboundBytesMax  uint32
	RateLimit         uint32 // requests a second and connection; 0: none
	PerAddressMax     uint32 // connections of one network address; 0: no bound
	IdleTimeout       time.Duration
	LoginTimeout      time.Duration
	HeartbeatInterval time.Duration
	KDFIterations     uint32
	Watchdog          time.Duration
	StatsEvery        time.Duration // 0: no stats line
	LogLevel          string
	LogFormat         string
}

// The words of the settings that are a choice.
const (
	RegistrationOpen   = "open"
	RegistrationClosed = "closed"
	LockAccount        = "account"
	LockGlobal         = "global"
	DurabilitySync     = "sync"
	DurabilityAsync    = "async"
	DurabilityNone     = "none"
)

// Defaults returns the settings of a server that was told nothing.
func Defaults() Config {
	return Config{
		Listen:            "127.0.0.1:7878",
		Workers:           defaultWorkers(),
		Data:              "tradechat-data",
		Registration:      RegistrationClosed,
		LockMode:          LockAccount,
		Durability:        DurabilitySync,
		SnapshotEvery:     500_000,
		JournalFileMiB:    64,
		SessionTTL:        10 * time.Minute,
		UsersMax:          50_000,
		SessionsMax:       16_384,
		RoomsMax:          256,
		LogRecords:        1 << 17,
		BodyBytesMax:      libproto.BodyLenMaxDefault,
		MessageBytesMax:   4096,
		OutboundBytesMax:  1 << 20,
		IdleTimeout:       time.Minute,
		LoginTimeout:      libproto.ReadyDeadline,
		HeartbeatInterval: 20 * time.Second,
		KDFIterations:     libproto.KDFIterationsDefault,
		Watchdog:          5 * time.Second,
		StatsEvery:        5 * time.Second,
		LogLevel:          "info",
		LogFormat:         "auto",
	}
}

// defaultWorkers is a worker for every processor that this process may use; GOMAXPROCS knows a container's quota, NumCPU
// does not.
func defaultWorkers() int {
	return min(runtime.GOMAXPROCS(0), WorkersMax)
}

// Validate checks every setting by its own bounds, then those that depend on one another. The error names the flag, the
// value and what is allowed.
func (c Config) Validate() error {
	for _, o := range options(&c) {
		if err := o.value.check(); err != nil {
			return o.refusal(o.value.String(), "")
		}
	}
	switch {
	case c.MessageBytesMax+BroadcastOverheadBytes > c.BodyBytesMax:
		return fmt.Errorf("%w: --max-message %d does not fit into --max-body %d: allowed: at most %d", ErrInvalid,
			c.MessageBytesMax, c.BodyBytesMax, c.BodyBytesMax-BroadcastOverheadBytes)
	case c.OutboundBytesMax < c.BodyBytesMax+libproto.HeaderLen:
		return fmt.Errorf("%w: --max-outbound %d cannot hold one frame of --max-body %d: allowed: at least %d", ErrInvalid,
			c.OutboundBytesMax, c.BodyBytesMax, c.BodyBytesMax+libproto.HeaderLen)
	case c.HeartbeatInterval >= c.IdleTimeout:
		return fmt.Errorf("%w: --heartbeat-interval %s is not shorter than --idle-timeout %s: allowed: less than that",
			ErrInvalid, spanText(c.HeartbeatInterval), spanText(c.IdleTimeout))
	}
	return nil
}

// validAddress reports whether s is host:port with an IP address, a host name or nothing, and a port number.
func validAddress(s string) bool {
	_, port, err := net.SplitHostPort(s)
	if err != nil {
		return false
	}
	_, err = strconv.ParseUint(port, 10, 16)
	return err == nil
}

// validFolder reports whether s can be a path at all; whether it can be used is seen when it is opened.
func validFolder(s string) bool { return s != "" && strings.IndexByte(s, 0) < 0 }
