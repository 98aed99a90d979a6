// Package slo reads what a service must keep (a service level objective), such as "p99<2ms,errors<0.1%", and compares a
// measurement with it.
package slo

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// ErrSyntax is the error of an objective that cannot be read.
var ErrSyntax = errors.New("unusable objective")

// termsMax bounds the terms of an objective.
const termsMax = 16

// Measured is what an objective looks at.
type Measured interface {
	Percentile(percent float64) time.Duration // of the latencies; 100 is the longest
	ErrorShare() float64                      // 0 … 1: of all requests that were due, those not answered with OK
	Rate() float64                            // OK answers a second
}

// Objective is all that must hold together. The zero value always holds.
type Objective struct {
	text  string
	terms []term
}

// term is one comparison. What is compared is a number of what: nanoseconds, a share or a rate.
type term struct {
	text    string
	value   func(Measured) float64
	atLeast bool // the limit is a floor; else a ceiling
	strict  bool // the limit itself does not do
	limit   float64
	show    func(float64) string
}

// Result is what became of one term.
type Result struct {
	Term  string `json:"term"`
	Value string `json:"value"`
	Met   bool   `json:"met"`
}

// Parse reads terms with commas between them. A term is
//
//	p50 p95 p99 p99.9 (or p999) … max   < or <=   a duration, such as 2ms
//	errors                              < or <=   a share, such as 0.1%
//	rate                                > or >=   OK answers a second
//
// The empty text is the objective that always holds.
func Parse(text string) (Objective, error) {
	o := Objective{text: text}
	if strings.TrimSpace(text) == "" {
		return o, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		parsed, err := parseTerm(strings.TrimSpace(part))
		if err != nil {
			return Objective{}, err
		}
		if o.terms = append(o.terms, parsed); len(o.terms) > termsMax {
			return Objective{}, fmt.Errorf("%w: more than %d terms", ErrSyntax, termsMax)
		}
	}
	return o, nil
}

// Empty reports whether nothing is asked for.
func (o Objective) Empty() bool { return len(o.terms) == 0 }

// String is the text it was read from.
func (o Objective) String() string { return o.text }

// Check compares each term. met is whether all of them hold.
func (o Objective) Check(m Measured) (results []Result, met bool) {
	met = true
	for i := range o.terms {
		t := &o.terms[i]
		value := t.value(m)
		holds := t.holds(value)
		met = met && holds
		results = append(results, Result{Term: t.text, Value: t.show(value), Met: holds})
	}
	return results, met
}

func (t *term) holds(value float64) bool {
	switch {
	case value == t.limit:
		return !t.strict
	case t.atLeast:
		return value > t.limit
	}
	return value < t.limit
}

func parseTerm(text string) (t term, err error) {
	at := strings.IndexAny(text, "<>")
	if at < 0 {
		return t, fmt.Errorf("%w: %q compares nothing: want such as p99<2ms, errors<0.1%% or rate>1000", ErrSyntax, text)
	}
	limit, orEqual := strings.CutPrefix(text[at+1:], "=")
	t = term{text: text, atLeast: text[at] == '>', strict: !orEqual}
	name, limit := strings.TrimSpace(text[:at]), strings.TrimSpace(limit)
	switch name {
	case "errors":
		err = t.share(limit)
	case "rate":
		err = t.rate(limit)
	default:
		err = t.percentile(name, limit)
	}
	if err == nil && t.atLeast != (name == "rate") {
		err = fmt.Errorf("%w: %q: latencies and errors have a ceiling (<), a rate has a floor (>)", ErrSyntax, text)
	}
	return t, err
}

func (t *term) share(limit string) error {
	percent, ok := strings.CutSuffix(limit, "%")
	parsed, err := strconv.ParseFloat(percent, 64)
	if !ok || err != nil || !(parsed >= 0 && parsed <= 100) {
		return fmt.Errorf("%w: %q: want a share such as 0.1%%, 0%% … 100%%", ErrSyntax, t.text)
	}
	t.limit, t.value = parsed/100, Measured.ErrorShare
	t.show = func(v float64) string { return strconv.FormatFloat(100*v, 'g', 4, 64) + "%" }
	return nil
}

func (t *term) rate(limit string) error {
	parsed, err := strconv.ParseFloat(limit, 64)
	if err != nil || !(parsed >= 0) || math.IsInf(parsed, 0) {
		return fmt.Errorf("%w: %q: want a rate such as 1000", ErrSyntax, t.text)
	}
	t.limit, t.value = parsed, Measured.Rate
	t.show = func(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) + "/s" }
	return nil
}

func (t *term) percentile(name, limit string) error {
	percent, err := parsePercent(name)
	if err != nil {
		return fmt.Errorf("%w: %q: there is no %q: want p50 … p99.99, max, errors or rate", ErrSyntax, t.text, name)
	}
	parsed, err := time.ParseDuration(limit)
	if err != nil || parsed <= 0 {
		return fmt.Errorf("%w: %q: want a duration such as 500us or 2ms", ErrSyntax, t.text)
	}
	t.limit = float64(parsed)
	t.value = func(m Measured) float64 { return float64(m.Percentile(percent)) }
	t.show = func(v float64) string { return time.Duration(v).Round(100 * time.Nanosecond).String() }
	return nil
}

// parsePercent reads p99, p99.9 or p999: after two nines the point may be left out.
func parsePercent(name string) (float64, error) {
	if name == "max" {
		return 100, nil
	}
	digits, ok := strings.CutPrefix(name, "p")
	if strings.HasPrefix(digits, "99") && !strings.Contains(digits, ".") {
		digits = digits[:2] + "." + digits[2:]
	}
	percent, err := strconv.ParseFloat(digits, 64)
	if !ok || err != nil || !(percent > 0 && percent < 100) {
		return 0, ErrSyntax
	}
	return percent, nil
}
