package money_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tradechat.internal/cli/internal/money"
	"tradechat.internal/libproto"
)

func TestParse(t *testing.T) {
	for s, want := range map[string]uint64{
		"0":                    0,
		"0.00":                 0,
		"0.01":                 1,
		"0.10":                 10,
		"1":                    100,
		"12":                   12_00,
		"12.50":                12_50,
		"1000000":              1_000_000_00,
		"92233720368547758.07": libproto.AmountMax,
		"92233720368547758":    libproto.AmountMax - 7,
	} {
		if got, err := money.Parse(s); err != nil || got != want {
			t.Errorf("Parse(%q) = %d, %v, want %d", s, got, err, want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for s, why := range map[string]string{
		"":                      "want digits",
		".":                     "want digits",
		".50":                   "want digits",
		"12.":                   "want digits",
		"-1":                    "want digits",
		"+1":                    "want digits",
		"-0.01":                 "want digits",
		" 1":                    "want digits",
		"1 ":                    "want digits",
		"1,50":                  "want digits",
		"1,000.00":              "want digits",
		"1_000":                 "want digits",
		"1e3":                   "want digits",
		"0x10":                  "want digits",
		"twelve":                "want digits",
		"1.2.3":                 "want digits",
		"1.-5":                  "want digits",
		"٣":                     "want digits", // digits, but not ASCII
		"1\x00":                 "want digits",
		"12.5":                  "two decimals or none",
		"12.505":                "two decimals or none",
		"12.500":                "two decimals or none",
		"00":                    "leading zeros",
		"012":                   "leading zeros",
		"00.50":                 "leading zeros",
		"92233720368547758.08":  "the most is 92233720368547758.07",
		"92233720368547759":     "the most is",
		"184467440737095516.16": "the most is",
		"184467440737095516.17": "the most is",
		strings.Repeat("9", 99): "the most is",
	} {
		got, err := money.Parse(s)
		if !errors.Is(err, money.ErrAmount) || !strings.Contains(err.Error(), why) {
			t.Errorf("Parse(%q) = %d, %v, want an error with %q", s, got, err, why)
		}
	}
}

func TestParsePositive(t *testing.T) {
	for _, s := range []string{"0", "0.00", "-1", ""} {
		if _, err := money.ParsePositive(s); !errors.Is(err, money.ErrAmount) {
			t.Errorf("ParsePositive(%q): %v", s, err)
		}
	}
	if got, err := money.ParsePositive("0.01"); got != 1 || err != nil {
		t.Errorf("ParsePositive(0.01) = %d, %v", got, err)
	}
}

func TestFormat(t *testing.T) {
	for minor, want := range map[int64]string{
		0: "0.00", 1: "0.01", 10: "0.10", 12_50: "12.50", -1: "-0.01", -12_50: "-12.50",
		math.MaxInt64: "92233720368547758.07", math.MinInt64: "-92233720368547758.08",
	} {
		if got := money.Format(minor); got != want {
			t.Errorf("Format(%d) = %q, want %q", minor, got, want)
		}
	}
	for minor, want := range map[int64]string{0: "0.00", 1: "+0.01", -1: "-0.01"} {
		if got := money.FormatChange(minor); got != want {
			t.Errorf("FormatChange(%d) = %q, want %q", minor, got, want)
		}
	}
}

func TestParseUndoesFormat(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		minor := rapid.Uint64Range(0, libproto.AmountMax).Draw(t, "minor")
		if got, err := money.Parse(money.Format(int64(minor))); err != nil || got != minor {
			t.Fatalf("Parse(Format(%d)) = %d, %v", minor, got, err)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"0", "12.50", "012", "1.5", "-3", "92233720368547758.07", "92233720368547758.08", ".", "1e9"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		minor, err := money.Parse(s)
		if err != nil {
			if !errors.Is(err, money.ErrAmount) {
				t.Errorf("Parse(%q): %v", s, err)
			}
			return
		}
		if written := money.Format(int64(minor)); minor > libproto.AmountMax || written != s && written != s+".00" {
			t.Errorf("Parse(%q) = %d, which is written %q", s, minor, written)
		}
	})
}

func TestFormatTotal(t *testing.T) {
	for digits, want := range map[string]string{"0": "0.00", "7": "0.07", "42": "0.42", "100": "1.00", "36893488147419103230": "368934881474191032.30"} {
		if got := money.FormatTotal(digits); got != want {
			t.Errorf("%s: %s, want %s", digits, got, want)
		}
	}
}
