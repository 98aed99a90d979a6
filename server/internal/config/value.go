package config

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"time"
)

// errValue is what Set and check answer to a value outside of allowed(); the caller knows the name and the source.
var errValue = errors.New("value not allowed")

// value is one setting in a Config: its text form, and the bounds that hold for it wherever it comes from.
type value interface {
	String() string
	Set(text string) error
	Type() string    // the word that stands for the value in the flag help
	allowed() string // the bounds, for a person
	check() error
}

// number is a whole number from least to most; where zero is not empty, 0 is allowed too and means that.
type number[T int | uint32] struct {
	field       *T
	least, most T
	zero        string
}

func (n number[T]) String() string { return fmt.Sprint(*n.field) }
func (n number[T]) Type() string   { return "number" }

func (n number[T]) allowed() string {
	return orZero(fmt.Sprintf("%d … %d", n.least, n.most), n.zero)
}

func (n number[T]) check() error {
	v := *n.field
	if n.least <= v && v <= n.most || v == 0 && n.zero != "" {
		return nil
	}
	return errValue
}

func (n number[T]) Set(text string) error {
	v, err := strconv.ParseInt(text, 10, 64)
	if err != nil || int64(T(v)) != v {
		return errValue
	}
	*n.field = T(v)
	return n.check()
}

// power is a number that is a power of two.
type power struct{ number[uint32] }

func (p power) allowed() string { return "a power of two, " + p.number.allowed() }

func (p power) check() error {
	if bits.OnesCount32(*p.field) != 1 {
		return errValue
	}
	return p.number.check()
}

func (p power) Set(text string) error { return errors.Join(p.number.Set(text), p.check()) }

// span is a length of time from least to most; where zero is not empty, 0 is allowed too and means that.
type span struct {
	field       *time.Duration
	least, most time.Duration
	zero        string
}

func (s span) String() string  { return spanText(*s.field) }
func (s span) Type() string    { return "duration" }
func (s span) allowed() string { return orZero(spanText(s.least)+" … "+spanText(s.most), s.zero) }

func (s span) check() error {
	v := *s.field
	if s.least <= v && v <= s.most || v == 0 && s.zero != "" {
		return nil
	}
	return errValue
}

func (s span) Set(text string) error {
	v, err := time.ParseDuration(text)
	if err != nil {
		return errValue
	}
	*s.field = v
	return s.check()
}

// spanText is d without the zero parts that time.Duration writes: 24h and not 24h0m0s.
func spanText(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func orZero(bounds, zero string) string {
	if zero == "" {
		return bounds
	}
	return bounds + ", or 0: " + zero
}

// choice is one of a few words.
type choice struct {
	field *string
	words []string
}

func (c choice) String() string  { return *c.field }
func (c choice) Type() string    { return "word" }
func (c choice) allowed() string { return strings.Join(c.words, ", ") }

func (c choice) check() error {
	if slices.Contains(c.words, *c.field) {
		return nil
	}
	return errValue
}

func (c choice) Set(text string) error {
	*c.field = text
	return c.check()
}

// text is a string with a form of its own.
type text struct {
	field *string
	kind  string
	form  string
	valid func(string) bool
}

func (t text) String() string  { return *t.field }
func (t text) Type() string    { return t.kind }
func (t text) allowed() string { return t.form }

func (t text) check() error {
	if t.valid(*t.field) {
		return nil
	}
	return errValue
}

func (t text) Set(s string) error {
	*t.field = s
	return t.check()
}

// toggle is a yes-or-no setting.
type toggle struct{ field *bool }

func (t toggle) String() string  { return strconv.FormatBool(*t.field) }
func (t toggle) Type() string    { return "bool" }
func (t toggle) allowed() string { return "true, false" }
func (t toggle) check() error    { return nil }

func (t toggle) Set(s string) error {
	v, err := strconv.ParseBool(s)
	if err != nil {
		return errValue
	}
	*t.field = v
	return nil
}
