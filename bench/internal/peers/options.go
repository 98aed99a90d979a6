package peers

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// ErrOption reports a setting outside of its limits.
var ErrOption = errors.New("setting outside its limits")

// The names of what tradechat can be compared with.
const (
	Redis    = "redis"
	Postgres = "postgres"
	NATS     = "nats"
	Echo     = "echo"
)

// Names are all of them.
func Names() []string { return []string{Redis, Postgres, NATS, Echo} }

// Options says how to compare.
type Options struct {
	Only        []string      `json:"only"`
	Workers     int           `json:"workers"`     // of tradechat, and loops of the gnet echo
	Connections int           `json:"connections"` // to each
	Subscribers int           `json:"subscribers"` // of the fan-out
	Depth       int           `json:"depth"`       // requests of a connection under way at once
	Rounds      int           `json:"rounds"`      // of each
	Duration    time.Duration `json:"duration_ns"` // of a round at full speed
	Latency     time.Duration `json:"latency_ns"`  // of a round at a fixed rate
}

// DefaultOptions is what a comparison is reported with.
func DefaultOptions() Options {
	return Options{
		Only: Names(), Workers: 1, Connections: 50, Subscribers: 100, Depth: 1,
		Rounds: 5, Duration: 2 * time.Second, Latency: 2 * time.Second,
	}
}

// Quicken reduces the sizes to what shows that everything works.
func (o *Options) Quicken() {
	o.Connections, o.Subscribers, o.Rounds, o.Duration, o.Latency = 8, 8, 2, 80*time.Millisecond, 80*time.Millisecond
}

// Validate checks every setting.
func (o Options) Validate() error {
	err := errors.Join(
		within("workers", o.Workers, 1, WorkersMax),
		within("connections", o.Connections, 2, ConnectionsMax),
		within("subscribers", o.Subscribers, 2, ConnectionsMax),
		within("depth", o.Depth, 1, DepthMax),
		within("rounds", o.Rounds, 1, RoundsMax),
		within("duration", o.Duration, DurationMin, DurationMax),
		within("latency-duration", o.Latency, DurationMin, DurationMax),
	)
	if len(o.Only) == 0 {
		err = errors.Join(err, fmt.Errorf("%w: only names nothing; there are %s", ErrOption, strings.Join(Names(), ", ")))
	}
	for _, name := range o.Only {
		if !slices.Contains(Names(), name) {
			err = errors.Join(err, fmt.Errorf("%w: only is %q; there are %s", ErrOption, name, strings.Join(Names(), ", ")))
		}
	}
	return err
}

func within[T int | time.Duration](name string, value, least, most T) error {
	if least <= value && value <= most {
		return nil
	}
	return fmt.Errorf("%w: %s is %v, want %v … %v", ErrOption, name, value, least, most)
}
