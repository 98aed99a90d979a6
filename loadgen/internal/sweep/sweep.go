// Package sweep chooses the rates at which an open loop is tried, one after the other, to find the highest that a server holds.
package sweep

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// ErrSyntax is the error of a range that cannot be read.
var ErrSyntax = errors.New("unusable range of rates")

const (
	// StepsMax bounds the steps of a sweep.
	StepsMax = 100

	// RateMax bounds a rate, in requests a second.
	RateMax = 10_000_000

	// autoFrom is the first rate of a search, and autoLeast the rate at which it gives up.
	autoFrom, autoLeast = 1000, 10

	// autoWithin is how near to the knee a search goes: the lowest rate that was not held is at most so much above the
	// highest that was.
	autoWithin = 1.05
)

const auto = "auto"

// Range is the rates of a sweep: from one to another in steps, or those of a search. The zero value is none. It is a flag's
// value.
type Range struct {
	Auto           bool
	From, To, Step float64
}

// None reports whether there is no sweep.
func (r Range) None() bool { return r == Range{} }

// String is the text that Set reads.
func (r *Range) String() string {
	switch {
	case r.None():
		return ""
	case r.Auto:
		return auto
	}
	return fmt.Sprintf("%v:%v:%v", r.From, r.To, r.Step)
}

// Type is the name of the value in help texts.
func (r *Range) Type() string { return "FROM:TO:STEP|auto" }

// MarshalText makes JSON of it.
func (r Range) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads it back.
func (r *Range) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*r = Range{}
		return nil
	}
	return r.Set(string(text))
}

// Set parses the text; r keeps its value if that fails.
func (r *Range) Set(text string) error {
	if text == auto {
		*r = Range{Auto: true}
		return nil
	}
	parts := strings.Split(text, ":")
	if len(parts) != 3 {
		return fmt.Errorf("%w: %q: want from:to:step, such as 1000:20000:1000, or %s", ErrSyntax, text, auto)
	}
	var numbers [3]float64
	for i, part := range parts {
		number, err := strconv.ParseFloat(strings.TrimSpace(part), 64)
		if err != nil || !(number >= 1 && number <= RateMax) {
			return fmt.Errorf("%w: %q: %q is not a rate of 1 … %d", ErrSyntax, text, part, RateMax)
		}
		numbers[i] = number
	}
	parsed := Range{From: numbers[0], To: numbers[1], Step: numbers[2]}
	switch {
	case parsed.To < parsed.From:
		return fmt.Errorf("%w: %q ends below its begin", ErrSyntax, text)
	case parsed.steps() > StepsMax:
		return fmt.Errorf("%w: %q has %v steps; at most %d", ErrSyntax, text, parsed.steps(), StepsMax)
	}
	*r = parsed
	return nil
}

// steps is how many rates a range that is no search has.
func (r Range) steps() float64 { return math.Floor((r.To-r.From)/r.Step*(1+1e-9)) + 1 }

// Search goes through the rates of a range. Ask Next, try the rate, and tell Tried.
//
// A range is gone through whole. A search doubles the rate until it is not held (or halves it until it is), and then
// halves what is left between the two. A rate that was not held is tried a second time before that is believed: a machine
// has other things to do as well.
type Search struct {
	r      Range
	next   float64
	steps  int
	again  bool
	best   float64 // the highest that was held; 0: none
	broken float64 // the lowest that was not, twice; +Inf: none
	over   bool
}

// NewSearch begins a sweep.
func NewSearch(r Range) *Search {
	s := &Search{r: r, next: r.From, broken: math.Inf(1)}
	if r.Auto {
		s.next = autoFrom
	}
	return s
}

// Next is the rate to try; ok is false when the sweep is over.
func (s *Search) Next() (rate float64, ok bool) { return s.next, !s.over && s.steps < StepsMax }

// Tried tells whether the rate was held.
func (s *Search) Tried(held bool) {
	s.steps++
	if held {
		s.best = max(s.best, s.next)
	}
	if !s.r.Auto {
		s.next = s.r.From + float64(s.steps)*s.r.Step
		s.over = float64(s.steps) >= s.r.steps()
		return
	}
	if !held && !s.again {
		s.again = true
		return
	}
	s.again = false
	if !held {
		s.broken = min(s.broken, s.next)
	}
	s.narrow()
}

// narrow chooses the next rate of a search.
func (s *Search) narrow() {
	switch {
	case math.IsInf(s.broken, 1):
		s.next = 2 * s.best
	case s.best == 0:
		s.next = s.broken / 2
	default:
		s.next = math.Round((s.best + s.broken) / 2)
		s.over = s.broken <= s.best*autoWithin
	}
	s.over = s.over || s.next > RateMax || s.next < autoLeast
}

// Best is the highest rate that was held; 0: none was.
func (s *Search) Best() float64 { return s.best }
