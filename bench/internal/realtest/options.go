package realtest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// ErrOption reports a setting outside of its limits.
var ErrOption = errors.New("setting outside its limits")

// Options says what to run.
type Options struct {
	Out      string        // folder
	Only     []string      // names of tests; none: all
	Duration time.Duration // measured time of a case, all its rounds together
	Quick    bool          // shows that everything works; the numbers mean nothing
}

// DefaultOptions is what the reported results are measured with.
func DefaultOptions() Options { return Options{Out: "results", Duration: durationDefault} }

// Validate checks every setting.
func (o Options) Validate() error {
	if o.Duration < DurationMin || o.Duration > DurationMax {
		return fmt.Errorf("%w: duration is %v, want %v … %v", ErrOption, o.Duration, DurationMin, DurationMax)
	}
	for _, name := range o.Only {
		if !slices.Contains(Names(), name) {
			return fmt.Errorf("%w: there is no test %q: there are %s", ErrOption, name, strings.Join(Names(), ", "))
		}
	}
	if o.Out == "" {
		return fmt.Errorf("%w: no folder for the results", ErrOption)
	}
	return nil
}

// chosen are the tests to run, in their own order.
func (o Options) chosen() (list []Test) {
	for _, t := range Tests() {
		if len(o.Only) == 0 || slices.Contains(o.Only, t.Name) {
			list = append(list, t)
		}
	}
	return list
}

// duration is the measured time of each case of a test.
func (o Options) duration(t Test) time.Duration {
	switch {
	case !o.Quick:
		return o.Duration
	case t.Kill:
		return durationQuickKill
	}
	return durationQuick
}

// plan says how a test is divided.
func (o Options) plan(t Test) plan {
	p := plan{rounds: max(t.Rounds, 1), warmUp: warmUp}
	if o.Quick {
		p.rounds, p.warmUp = 1, warmUpQuick
	}
	p.length = max(o.duration(t)/time.Duration(p.rounds), runMin).Truncate(10 * time.Millisecond)
	p.interval = min(max(p.length/intervalsWanted, intervalMin), intervalMax).Truncate(10 * time.Millisecond)
	return p
}

// plan is how long each run of a test is.
type plan struct {
	rounds                   int
	length, warmUp, interval time.Duration
}
