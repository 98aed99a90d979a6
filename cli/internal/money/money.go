// Package money is how amounts are written for people: minor units (cents) as a number with two decimals.
//
//	amount = whole [ "." digit digit ]
//	whole  = "0" | "1"…"9" { digit }
//
// So 12 and 12.50 are amounts; 12.5, 012, 1,000, +1, 1e3, .50 and anything with a blank are not. Format writes exactly
// what Parse reads, and every amount has one form with decimals: Parse(Format(n)) is n, and Format(Parse(s)) is s, or
// s with ".00" behind it.
package money

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"tradechat.internal/libproto"
)

// ErrAmount is the error of every text that is not an amount.
var ErrAmount = errors.New("not an amount")

// minorPerMajor is how many cents make one unit.
const minorPerMajor = 100

// Parse reads an amount of 0 … libproto.AmountMax minor units.
func Parse(s string) (minor uint64, err error) {
	whole, cents, decimals := strings.Cut(s, ".")
	switch {
	case !digits(whole) || decimals && !digits(cents):
		return 0, refusal(s, "want digits, such as 12 or 12.50")
	case decimals && len(cents) != 2:
		return 0, refusal(s, "want two decimals or none, such as 12.50 or 12")
	case len(whole) > 1 && whole[0] == '0':
		return 0, refusal(s, "want no leading zeros")
	}
	if !decimals {
		cents = "00"
	}
	minor, err = strconv.ParseUint(whole+cents, 10, 64)
	if err != nil || minor > libproto.AmountMax {
		return 0, refusal(s, "the most is "+Format(libproto.AmountMax))
	}
	return minor, nil
}

// ParsePositive reads an amount that can be moved: at least one minor unit.
func ParsePositive(s string) (minor uint64, err error) {
	minor, err = Parse(s)
	if err == nil && minor == 0 {
		return 0, refusal(s, "the least is "+Format(1))
	}
	return minor, err
}

// FormatTotal is Format for a sum that is written in digits, of any length.
func FormatTotal(minor string) string {
	if missing := 3 - len(minor); missing > 0 {
		minor = strings.Repeat("0", missing) + minor
	}
	return minor[:len(minor)-2] + "." + minor[len(minor)-2:]
}

// Format writes minor units; a negative number has a minus sign.
func Format(minor int64) string {
	if minor < 0 {
		return "-" + format(-uint64(minor))
	}
	return format(uint64(minor))
}

// FormatChange writes minor units with their sign, also a plus.
func FormatChange(minor int64) string {
	if minor > 0 {
		return "+" + Format(minor)
	}
	return Format(minor)
}

func format(minor uint64) string {
	return fmt.Sprintf("%d.%02d", minor/minorPerMajor, minor%minorPerMajor)
}

// digits reports whether s is one or more of 0…9.
func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

func refusal(s, want string) error {
	return fmt.Errorf("%w: %.40q: %s", ErrAmount, s, want)
}
