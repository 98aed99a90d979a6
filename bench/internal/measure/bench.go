package measure

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tradechat.internal/testkit/proc"
)

// ErrOption reports a setting outside of its limits.
var ErrOption = errors.New("setting outside its limits")

// Bench is what all measurements need.
type Bench proc.Bench

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
