package client

import (
	"errors"
	"fmt"
	"time"

	"tradechat.internal/libproto"
)

// ErrConfig is the error of every Config that cannot be used.
var ErrConfig = errors.New("client: invalid configuration")

// Config says where a Client connects to and how patient it is. Begin with DefaultConfig.
type Config struct {
	Address string // host:port
	Agent   string // what the client calls itself in HELLO, for the server's log

	DialTimeout time.Duration // of one attempt: connect and HELLO; when reconnecting LOGIN and the rooms too
	CallTimeout time.Duration // of a call whose context has no deadline

	PipelineMax int // calls under way at once on a connection; further ones wait
	PushesMax   int // pushes that wait for the consumer; what comes when it is full is dropped, see Pushes

	TriesMax    int           // tries of one call, the first included, while the server is busy or the connection fails
	BusyWaitMax time.Duration // longest wait before a try; a server that asks for more ends the call

	ReconnectFor time.Duration // how long to try to come back after a loss; 0: never, the first loss ends the Client
}

// DefaultConfig returns the Config of a client that was told nothing.
func DefaultConfig() Config {
	return Config{
		Address:      AddressDefault,
		Agent:        "tradechat-client",
		DialTimeout:  DialTimeoutDefault,
		CallTimeout:  CallTimeoutDefault,
		PipelineMax:  PipelineMaxDefault,
		PushesMax:    PushesMaxDefault,
		TriesMax:     TriesMaxDefault,
		BusyWaitMax:  BusyWaitMaxDefault,
		ReconnectFor: ReconnectForDefault,
	}
}

// Validate checks every field; the error wraps ErrConfig and names the field, the value and what is allowed.
func (c Config) Validate() error {
	switch {
	case c.Address == "":
		return fmt.Errorf("%w: Address is empty, want host:port", ErrConfig)
	case len(c.Agent) > agentLenMax || !libproto.ValidText([]byte(c.Agent)):
		return fmt.Errorf("%w: Agent %.64q, want at most %d bytes of text", ErrConfig, c.Agent, agentLenMax)
	}
	return errors.Join(
		within("DialTimeout", c.DialTimeout, time.Millisecond, time.Hour),
		within("CallTimeout", c.CallTimeout, time.Millisecond, 24*time.Hour),
		within("PipelineMax", c.PipelineMax, 1, PipelineMost),
		within("PushesMax", c.PushesMax, 1, PushesMost),
		within("TriesMax", c.TriesMax, 1, TriesMost),
		within("BusyWaitMax", c.BusyWaitMax, 0, time.Hour),
		within("ReconnectFor", c.ReconnectFor, 0, 365*24*time.Hour),
	)
}

func within[T int | time.Duration](field string, value, least, most T) error {
	if least <= value && value <= most {
		return nil
	}
	return fmt.Errorf("%w: %s is %v, want %v … %v", ErrConfig, field, value, least, most)
}
