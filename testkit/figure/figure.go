// Package figure holds what a measurement says: a number with its unit, what it was to be, and on what machine and with
// which build it was found. Tables and JSON of all measurements come from here.
package figure

import (
	"fmt"
	"math"
	"strconv"

	"tradechat.internal/testkit/sample"
)

// Bound says on which side of its limit a figure is good.
type Bound string

const (
	AtMost  Bound = "≤"
	AtLeast Bound = "≥"
)

// Target is what a figure is to be.
type Target struct {
	Bound Bound   `json:"bound"`
	Limit float64 `json:"limit"`
}

// Met tells whether a value is within the target. What is no number never is.
func (t Target) Met(value float64) bool {
	if t.Bound == AtLeast {
		return value >= t.Limit
	}
	return value <= t.Limit
}

// Figure is one measured number.
type Figure struct {
	What   string         `json:"what"`
	Value  float64        `json:"value"`
	Unit   string         `json:"unit"`
	Spread *sample.Spread `json:"spread,omitempty"` // where it was measured more than once
	Target Target         `json:"target"`
	Met    bool           `json:"met"`
	Detail string         `json:"detail,omitempty"` // what a reader should know beside it
}

// New makes a figure of one value.
func New(what string, value float64, unit string, target Target, detail string) Figure {
	return Figure{What: what, Value: value, Unit: unit, Target: target, Met: target.Met(value), Detail: detail}
}

// OfSpread makes a figure of repeated measurements; their median counts.
func OfSpread(what string, s sample.Spread, unit string, target Target, detail string) Figure {
	f := New(what, s.Median, unit, target, detail)
	f.Spread = &s
	return f
}

// AllMet tells whether every figure met its target.
func AllMet(figures []Figure) bool {
	for _, f := range figures {
		if !f.Met {
			return false
		}
	}
	return true
}

// Measured is the value as a reader wants it: "1.21 × (1.18 … 1.25)".
func (f Figure) Measured() string {
	text := withUnit(f.Value, f.Unit)
	if f.Spread != nil {
		text += ends(*f.Spread)
	}
	return text
}

// SpreadText is a spread as a reader wants it: "1.21 × (1.18 … 1.25)".
func SpreadText(s sample.Spread, unit string) string { return withUnit(s.Median, unit) + ends(s) }

// ends are the least and the most of values, if there were several.
func ends(s sample.Spread) string {
	if s.Count < 2 {
		return ""
	}
	return fmt.Sprintf(" (%s … %s)", number(s.Min), number(s.Max))
}

// Wanted is the target as a reader wants it: "≤ 1.3 ×".
func (f Figure) Wanted() string {
	return string(f.Target.Bound) + " " + withUnit(f.Target.Limit, f.Unit)
}

// Verdict is one word.
func (f Figure) Verdict() string {
	if f.Met {
		return "met"
	}
	return "MISSED"
}

func withUnit(value float64, unit string) string {
	if unit == "" {
		return number(value)
	}
	return number(value) + " " + unit
}

// number writes a value with three significant digits and at most four decimals, whole numbers whole.
func number(v float64) string {
	if math.Abs(v) >= 100 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 3, 64), 64) // what was just formatted parses
	return strconv.FormatFloat(math.Round(rounded*1e4)/1e4, 'f', -1, 64)
}
