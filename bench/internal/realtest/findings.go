package realtest

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// change is what became of a number: "28 % less".
func change(from, to float64) string {
	if from <= 0 {
		return "no comparison"
	}
	switch ratio := to / from; {
	case ratio >= 2:
		return fmt.Sprintf("%.1f times as much", ratio)
	case ratio >= 1.005:
		return fmt.Sprintf("%.0f %% more", (ratio-1)*100)
	case ratio <= 0.995:
		return fmt.Sprintf("%.0f %% less", (1-ratio)*100)
	}
	return "the same"
}

func ms(us float64) string {
	switch {
	case us < 1000:
		return fmt.Sprintf("%.0f µs", us)
	case us < 10_000:
		return fmt.Sprintf("%.2f ms", us/1e3)
	}
	return fmt.Sprintf("%.0f ms", us/1e3)
}

// digits writes two significant digits of a small number, and the whole of a large one.
func digits(v float64) string {
	if v >= 10 {
		return thousands(v)
	}
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 2, 64), 64) // what was just formatted parses
	return strconv.FormatFloat(rounded, 'f', -1, 64)
}

// thousands writes 142035 as "142,035".
func thousands(v float64) string {
	digits := fmt.Sprintf("%.0f", math.Round(v))
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// compare says what became of throughput and latency from one case to another.
func compare(what string, from, to *CaseResult) string {
	return fmt.Sprintf("%s: %s → %s requests a second (%s); p50 %s → %s, p99 %s → %s.", what,
		thousands(from.PerSecond.Median), thousands(to.PerSecond.Median), change(from.PerSecond.Median, to.PerSecond.Median),
		ms(from.LatencyUs.P50), ms(to.LatencyUs.P50), ms(from.LatencyUs.P99), ms(to.LatencyUs.P99))
}

// failures tells of requests that failed, case by case and by their kind.
func (r *Result) failures() (findings []string) {
	for i := range r.Cases {
		kinds := make(map[string]uint64)
		for _, run := range r.Cases[i].Runs {
			for kind, n := range run.Load.Errors {
				kinds[kind] += n
			}
		}
		var parts []string
		for _, kind := range slices.Sorted(maps.Keys(kinds)) {
			if kinds[kind] > 0 {
				parts = append(parts, fmt.Sprintf("%s %s", thousands(float64(kinds[kind])), kind))
			}
		}
		if len(parts) > 0 {
			findings = append(findings, fmt.Sprintf("%s: of its requests failed %s (all rounds together).", r.Cases[i].name(), strings.Join(parts, ", ")))
		}
	}
	return findings
}

// findRange compares the last case with the first.
func findRange(what string) func(*Result) []string {
	return func(r *Result) []string { return []string{compare(what, &r.Cases[0], &r.Cases[len(r.Cases)-1])} }
}

func findMixed(r *Result) []string {
	c := &r.Cases[0]
	return []string{fmt.Sprintf("%s requests a second; p50 %s, p95 %s, p99 %s, p99.9 %s; %d failed. The load generator's verdict: every message once and in order, no cent lost.",
		thousands(c.PerSecond.Median), ms(c.LatencyUs.P50), ms(c.LatencyUs.P95), ms(c.LatencyUs.P99), ms(c.LatencyUs.P999), c.Failed)}
}

func findContention(r *Result) []string {
	a, b := &r.Cases[0], &r.Cases[1]
	return []string{compare("From 100 to 200 connections", a, b), locksOf(a), locksOf(b)}
}

func findWorkers(r *Result) []string {
	best := &r.Cases[0]
	for i := range r.Cases {
		if r.Cases[i].PerSecond.Median > best.PerSecond.Median {
			best = &r.Cases[i]
		}
	}
	return []string{
		fmt.Sprintf("The most is done by %s workers on this machine's %d processors, of which the load generator used %.0f %% itself.",
			best.Label, r.Environment.Cores, best.LoadCores*100),
		compare("From 1 worker to 8", &r.Cases[0], &r.Cases[len(r.Cases)-1]),
	}
}

func findPipeline(r *Result) []string {
	var first, last, one, most *CaseResult
	for i := range r.Cases {
		switch c := &r.Cases[i]; {
		case c.Group == "depth" && first == nil:
			first, last = c, c
		case c.Group == "depth":
			last = c
		case one == nil:
			one, most = c, c
		case c.LegsPerS > most.LegsPerS:
			most = c
		}
	}
	return []string{
		compare(fmt.Sprintf("From %s request under way to %s", first.Label, last.Label), first, last),
		fmt.Sprintf("Batches of %s transfers move the most: %s transfers a second, against %s one by one (%s).",
			most.Label, thousands(most.LegsPerS), thousands(one.LegsPerS), change(one.LegsPerS, most.LegsPerS)),
	}
}

func findKill(r *Result) []string {
	c := &r.Cases[0]
	k := c.Runs[0].Kill
	var worst Moment
	for _, m := range c.Runs[0].Moves {
		if m.LatencyUs.Max > worst.LatencyUs.Max && m.Second+r.IntervalS >= k.AtS {
			worst = m
		}
	}
	return []string{
		fmt.Sprintf("At %.1f s worker %d was killed, which had %d connections; its successor ran %.0f ms later. %d requests failed, those under way on its connections; "+
			"the longest after that took %s.", k.AtS, k.Slot, k.Connections, (k.ReplacedS-k.AtS)*1000, c.Failed, ms(worst.LatencyUs.Max)),
		"The load generator's verdict: every message once and in order to all who were there, no cent lost.",
	}
}
