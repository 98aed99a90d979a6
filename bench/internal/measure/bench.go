package measure

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tradechat.internal/bench/internal/figure"
	"tradechat.internal/bench/internal/proc"
)

// ErrOption reports a setting outside of its limits.
var ErrOption = errors.New("setting outside its limits")

// Bench is what all measurements need.
type Bench struct {
	Binaries proc.Binaries
	Say      func(format string, args ...any) // one line of progress
}

// Result is what a measurement found: all of it for JSON, and its figures.
type Result interface {
	Figures() []figure.Figure
}

// within checks a setting.
func within[T int | time.Duration](name string, value, least, most T) error {
	if least <= value && value <= most {
		return nil
	}
	return fmt.Errorf("%w: %s is %v, want %v … %v", ErrOption, name, value, least, most)
}

func oneOf(name, value string, known ...string) error {
	if slices.Contains(known, value) {
		return nil
	}
	return fmt.Errorf("%w: %s is %q, want %s", ErrOption, name, value, strings.Join(known, ", "))
}
