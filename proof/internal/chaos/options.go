package chaos

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

var (
	// ErrFailed says that something did not hold; the certificate says what.
	ErrFailed = errors.New("the drill failed")

	// ErrOption reports a setting outside of its limits.
	ErrOption = errors.New("setting outside its limits")
)

// Options says how large a drill is.
type Options struct {
	Kills    int           // kills after which it ends; other faults come between them
	Duration time.Duration // after which it ends at the latest, with what it has
	Seed     uint64
	Workers  int
	Clients  int      // half of them move money, in groups of three, and the others chat
	Faults   []string // names of faults
}

// DefaultOptions is a drill of some seconds.
func DefaultOptions() Options {
	return Options{Kills: 10, Duration: 15 * time.Minute, Workers: 4, Clients: 18, Faults: FaultNames()}
}

// Validate checks every setting.
func (o Options) Validate() error {
	switch {
	case o.Kills < 0 || o.Kills > KillsMax:
		return fmt.Errorf("%w: kills is %d, want 0 … %d", ErrOption, o.Kills, KillsMax)
	case o.Duration < DurationMin || o.Duration > DurationMax:
		return fmt.Errorf("%w: duration is %v, want %v … %v", ErrOption, o.Duration, DurationMin, DurationMax)
	case o.Workers < WorkersMin || o.Workers > WorkersMax:
		return fmt.Errorf("%w: workers is %d, want %d … %d", ErrOption, o.Workers, WorkersMin, WorkersMax)
	case o.Clients < ClientsMin || o.Clients > ClientsMax:
		return fmt.Errorf("%w: clients is %d, want %d … %d", ErrOption, o.Clients, ClientsMin, ClientsMax)
	case len(o.Faults) == 0:
		return fmt.Errorf("%w: no faults; there are %s", ErrOption, strings.Join(FaultNames(), ", "))
	}
	kills := false
	for _, name := range o.Faults {
		i := slices.IndexFunc(faults, func(f fault) bool { return f.name == name })
		if i < 0 {
			return fmt.Errorf("%w: no fault is called %q; there are %s", ErrOption, name, strings.Join(FaultNames(), ", "))
		}
		kills = kills || faults[i].kills
	}
	if o.Kills > 0 && !kills {
		return fmt.Errorf("%w: kills is %d, and none of the faults kills: with 0 the duration alone ends the drill", ErrOption, o.Kills)
	}
	return nil
}

// groups is how many groups of accounts there are, chatters how many clients chat.
func (o Options) groups() int { return max(1, (o.Clients/2+groupAccounts-1)/groupAccounts) }

func (o Options) chatters() int { return max(2, o.Clients-o.groups()*groupAccounts) }

// NeedsMounts reports whether a drill with these options can use mounts of its own.
func (o Options) NeedsMounts() bool { return slices.Contains(o.Faults, faultFullDisk) }

// command is how the drill is run again.
func (o Options) command() string {
	text := fmt.Sprintf("tradechat-proof chaos --kills %d --seed %d --workers %d --clients %d --duration %v",
		o.Kills, o.Seed, o.Workers, o.Clients, o.Duration)
	if len(o.Faults) < len(faults) {
		text += " --faults " + strings.Join(o.Faults, ",")
	}
	return text
}
