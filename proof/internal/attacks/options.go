package attacks

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// ErrOption reports a setting outside of its limits.
var ErrOption = errors.New("setting outside its limits")

// Options says what to measure.
type Options struct {
	Attacks       []string      // names; none: all
	Rounds        int           // of each attack: without, with
	Duration      time.Duration // of a phase
	Bystanders    int           // connections
	Rate          int           // requests a second of all bystanders together
	Connections   int           // of an attack; 0: its own number
	Sources       int           // addresses that an attack comes from
	MaxPerAddress int           // the server's --max-per-address
	RateLimit     int           // the server's --rate-limit
	LoginTimeout  time.Duration // the server's --login-timeout
	Durability    string        // the server's --durability
}

// DefaultOptions is what the reported figures are measured with. A phase is longer than the server's login timeout.
func DefaultOptions() Options {
	return Options{Rounds: 2, Duration: 12 * time.Second, Bystanders: 40, Rate: 1000, Sources: 64, LoginTimeout: 10 * time.Second, Durability: "sync"}
}

// Quicken reduces the sizes to what shows that it works.
func (o *Options) Quicken() {
	o.Rounds, o.Duration, o.Bystanders, o.Rate, o.Connections, o.LoginTimeout = 1, 2*time.Second, 10, 200, 12, 300*time.Millisecond
}

// Validate checks every setting.
func (o Options) Validate() error {
	var unknown error
	if !slices.Contains([]string{"sync", "async", "none"}, o.Durability) {
		unknown = fmt.Errorf("%w: durability is %q, want sync, async, none", ErrOption, o.Durability)
	}
	for _, name := range o.Attacks {
		if !slices.Contains(Names(), name) {
			unknown = fmt.Errorf("%w: attack %q, want %s", ErrOption, name, strings.Join(Names(), ", "))
		}
	}
	return errors.Join(unknown,
		within("rounds", o.Rounds, 1, roundsMax),
		within("duration", o.Duration, 100*time.Millisecond, time.Hour),
		within("bystanders", o.Bystanders, 2, bystandersMax),
		within("rate", o.Rate, 1, rateMax),
		within("connections", o.Connections, 0, connectionsMax),
		within("sources", o.Sources, 1, sourcesMax),
		within("max-per-address", o.MaxPerAddress, 0, 1_000_000),
		within("rate-limit", o.RateLimit, 0, 10_000_000),
		within("login-timeout", o.LoginTimeout, 100*time.Millisecond, 10*time.Minute),
	)
}

func within[T int | time.Duration](name string, value, least, most T) error {
	if least <= value && value <= most {
		return nil
	}
	return fmt.Errorf("%w: %s is %v, want %v … %v", ErrOption, name, value, least, most)
}

// chosen are the attacks to run.
func (o Options) chosen() (list []attack) {
	for _, a := range table {
		if len(o.Attacks) == 0 || slices.Contains(o.Attacks, a.name) {
			list = append(list, a)
		}
	}
	return list
}
