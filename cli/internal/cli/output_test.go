package cli

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"plain text, äöü 漢字 😀": "plain text, äöü 漢字 😀",
		"👩\u200d🚀":             "👩\u200d🚀",
		"\x1b[2J\x1b]0;x\x07":  `\x1b[2J\x1b]0;x\a`,
		"a\nb\r\tc":            `a\nb\r\tc`,
		"\u009b31m":            `\u009b31m`,
		"\u202eabc\u2066":      `\u202eabc\u2066`,
		"\x7f\x00":             `\x7f\x00`,
		"bad \xff\xfe":         `bad \xff\xfe`,
		"\ufeff":               `\ufeff`,
		"\ufffd":               "\ufffd",
		`it's "quoted" \`:      `it's "quoted" \`,
		"":                     "",
	} {
		if got := printable(text); got != want {
			t.Errorf("printable(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestPrintableLetsNothingThrough(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		got := printable(string(rapid.SliceOf(rapid.Byte()).Draw(t, "text")))
		if !utf8.ValidString(got) || strings.ContainsFunc(got, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }) {
			t.Fatalf("got %q", got)
		}
	})
}

func TestTableLayout(t *testing.T) {
	tbl := table{columns: []column{{"NAME", false}, {"N", true}, {"LAST", false}}}
	tbl.add("äö", "1", "")
	tbl.add("a-long-name", "1000", "x")
	var out bytes.Buffer
	tbl.write(&out, "  ")
	want := "" +
		"  NAME            N  LAST\n" +
		"  äö              1\n" +
		"  a-long-name  1000  x\n"
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

func TestCount(t *testing.T) {
	for n, want := range map[int]string{0: "0 users", 1: "1 user", 2: "2 users"} {
		if got := count(n, "user"); got != want {
			t.Errorf("count(%d) = %q", n, got)
		}
	}
}
