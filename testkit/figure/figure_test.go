package figure

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"tradechat.internal/testkit/sample"
)

func TestTargets(t *testing.T) {
	for _, c := range []struct {
		bound Bound
		value float64
		want  bool
	}{
		{AtMost, 1.3, true}, {AtMost, 1.29, true}, {AtMost, 1.31, false},
		{AtLeast, 1.3, true}, {AtLeast, 1.31, true}, {AtLeast, 1.29, false},
		{AtMost, math.NaN(), false}, {AtLeast, math.NaN(), false}, {AtMost, math.Inf(1), false},
	} {
		if got := (Target{c.bound, 1.3}).Met(c.value); got != c.want {
			t.Errorf("%v %s 1.3: %v, want %v", c.value, c.bound, got, c.want)
		}
	}
}

func TestFiguresForAReader(t *testing.T) {
	atMost := Target{AtMost, 1.3}
	for _, c := range []struct {
		figure                    Figure
		measured, wanted, verdict string
	}{
		{New("a", 1.21849, "×", atMost, ""), "1.22 ×", "≤ 1.3 ×", "met"},
		{New("a", 1234.5, "ms", Target{AtMost, 100}, ""), "1234 ms", "≤ 100 ms", "MISSED"},
		{New("a", 8, "million/s", Target{AtLeast, 8}, ""), "8 million/s", "≥ 8 million/s", "met"},
		{New("a", 0.00031, "", Target{AtMost, 0.01}, ""), "0.0003", "≤ 0.01", "met"},
		{New("a", 0, "", Target{AtMost, 0.01}, ""), "0", "≤ 0.01", "met"},
		{OfSpread("a", sample.Spread{Median: 1.2, Min: 1.1, Max: 1.45678, Count: 4}, "×", atMost, ""), "1.2 × (1.1 … 1.46)", "≤ 1.3 ×", "met"},
		{OfSpread("a", sample.Spread{Median: 1.4, Min: 1.4, Max: 1.4, Count: 1}, "×", atMost, ""), "1.4 ×", "≤ 1.3 ×", "MISSED"},
	} {
		if m, w, v := c.figure.Measured(), c.figure.Wanted(), c.figure.Verdict(); m != c.measured || w != c.wanted || v != c.verdict {
			t.Errorf("%+v reads %q %q %q, want %q %q %q", c.figure, m, w, v, c.measured, c.wanted, c.verdict)
		}
	}
}

func TestAllMet(t *testing.T) {
	good, bad := New("a", 1, "", Target{AtMost, 2}, ""), New("b", 3, "", Target{AtMost, 2}, "")
	if !AllMet([]Figure{good, good}) || AllMet([]Figure{good, bad}) {
		t.Error("one bad figure must count")
	}
}

func report() Report {
	return Report{
		Environment: Environment{Machine: "A Processor", Cores: 2, Kernel: "Linux 6", Go: "go1.26", Commit: "0123456789abcdef", Load: "0.25",
			Date: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)},
		Figures: []Figure{
			New("one", 1, "ns", Target{AtMost, 2}, "with a | in it"),
			New("another", 3, "ns", Target{AtMost, 2}, ""),
		},
		Details: map[string]any{"one": map[string]int{"rounds": 4}},
	}
}

func TestReportAsText(t *testing.T) {
	var b bytes.Buffer
	if err := report().Text(&b); err != nil {
		t.Fatal(err)
	}
	const want = "what     measured  target  verdict  remark\n" +
		"one      1 ns      ≤ 2 ns  met      with a | in it\n" +
		"another  3 ns      ≤ 2 ns  MISSED   \n" +
		"\nA Processor, 2 cores, Linux 6, go1.26, commit 0123456789ab, 2026-01-02 03:04 UTC, load before 0.25\n"
	if b.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", b.String(), want)
	}
}

func TestReportAsMarkdown(t *testing.T) {
	var b bytes.Buffer
	if err := report().Markdown(&b); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"| what | measured | target | verdict | remark |\n| --- | --- | --- | --- | --- |\n",
		"| one | 1 ns | ≤ 2 ns | met | with a \\| in it |\n",
		"\n\nA Processor, 2 cores",
	} {
		if !strings.Contains(b.String(), line) {
			t.Errorf("no %q in:\n%s", line, b.String())
		}
	}
}

func TestReportAsJSON(t *testing.T) {
	var b bytes.Buffer
	if err := report().JSON(&b); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Environment struct {
			Commit string
			Date   time.Time
		}
		Figures []struct {
			What  string
			Value float64
			Met   bool
		}
		Details map[string]map[string]int
	}
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Environment.Commit != "0123456789abcdef" || len(got.Figures) != 2 || !got.Figures[0].Met || got.Figures[1].Met ||
		got.Figures[1].Value != 3 || got.Details["one"]["rounds"] != 4 {
		t.Errorf("%+v of\n%s", got, b.String())
	}
}

func TestModelName(t *testing.T) {
	if got := modelName("processor\t: 0\nmodel name\t: Fast One\nmodel name\t: Other\n"); got != "Fast One" {
		t.Errorf("%q", got)
	}
	if got := modelName("processor\t: 0\n"); got == "" {
		t.Error("a machine without a model name has no name at all")
	}
}

func TestHereIsComplete(t *testing.T) {
	e := Here()
	if e.Machine == "" || e.Cores < 1 || !strings.HasPrefix(e.Kernel, "Linux ") || !strings.HasPrefix(e.Go, "go") || e.Date.IsZero() || e.Load == "" {
		t.Errorf("%+v", e)
	}
}
