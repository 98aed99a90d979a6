package realtest

import (
	"fmt"
	"strings"
)

// Shown is a table for people.
type Shown struct {
	Header []string
	Rows   [][]string
}

// Shown has one row a case, and only columns in which there is something.
func (r *Result) Shown() Shown {
	legs, locks := false, false
	for i := range r.Cases {
		legs = legs || r.Cases[i].LegsPerS > 0
		locks = locks || r.Cases[i].Locks.WaitsPer1000 > 0
	}
	s := Shown{Header: []string{"case", "requests/s"}}
	if legs {
		s.Header = append(s.Header, "transfers/s")
	}
	s.Header = append(s.Header, "p50", "p95", "p99", "p99.9", "longest", "failed")
	if locks {
		s.Header = append(s.Header, "lock waits in 1,000 requests", "lock wait a request")
	}
	for i := range r.Cases {
		c := &r.Cases[i]
		row := []string{c.name(), c.throughput()}
		if legs {
			row = append(row, orDash(c.LegsPerS > 0, thousands(c.LegsPerS)))
		}
		l := c.LatencyUs
		row = append(row, ms(l.P50), ms(l.P95), ms(l.P99), ms(l.P999), ms(l.Max), thousands(float64(c.Failed)))
		if locks {
			row = append(row, digits(c.Locks.WaitsPer1000), digits(c.Locks.UsPerRequest)+" µs")
		}
		s.Rows = append(s.Rows, row)
	}
	return s
}

// throughput is the median, and the ends where there is more than one round.
func (c *CaseResult) throughput() string {
	text := thousands(c.PerSecond.Median)
	if c.PerSecond.Count > 1 {
		text += fmt.Sprintf(" (%s … %s)", thousands(c.PerSecond.Min), thousands(c.PerSecond.Max))
	}
	return text
}

func orDash(there bool, text string) string {
	if there {
		return text
	}
	return "–"
}

// Flags are the commands of each case, but for addresses and files.
func (r *Result) Flags() (commands []string) {
	for i := range r.Cases {
		c := &r.Cases[i]
		commands = append(commands, fmt.Sprintf("%s: tradechatd %s; tradechat-loadgen %s --duration %gs --warm-up %gs",
			c.name(), strings.Join(c.ServerFlags, " "), strings.Join(c.LoadFlags, " "), r.RunS, r.WarmUpS))
	}
	return commands
}

// Measured says how: "2 rounds in turns, each of 10 s after a warm-up of 1 s".
func (r *Result) Measured() string {
	text := fmt.Sprintf("%d rounds of each in turns, %g s each after a warm-up of %g s; medians.", r.Rounds, r.RunS, r.WarmUpS)
	if r.Rounds == 1 {
		text = fmt.Sprintf("One round of each, %g s after a warm-up of %g s.", r.RunS, r.WarmUpS)
	}
	if r.Quick {
		text += " A quick run: it shows that everything works, and the numbers mean nothing."
	}
	return text
}
