package realtest

import (
	"fmt"
	"slices"
)

// locksOf says how much a case waited for locks.
func locksOf(c *CaseResult) string {
	text := fmt.Sprintf("%s. %s of 1,000 requests waited for a lock, %s µs a request on average", c.name(),
		digits(c.Locks.WaitsPer1000), digits(c.Locks.UsPerRequest))
	if c.Locks.WaitsPer1000 > 0 {
		text += fmt.Sprintf("; of the waits 1 in 100 was longer than %s", ms(c.Locks.P99Ms*1e3))
	}
	return text + "."
}

// findLocks compares before and after, and says what the slowest requests are made of.
func findLocks(r *Result) (findings []string) {
	for i := range r.Cases {
		for j := range r.Cases {
			before, after := &r.Cases[i], &r.Cases[j]
			if before.Group == "global" && after.Group == "account" && before.Label == after.Label {
				findings = append(findings, compare(before.Label+", one lock for all → one for each account", before, after))
			}
		}
	}
	for i := range r.Cases {
		findings = append(findings, locksOf(&r.Cases[i])+" "+explainP99(&r.Cases[i])+" "+explainSpikes(&r.Cases[i]))
	}
	return findings
}

// findHolder says how many had to wait for a worker that was stopped while it held an account.
func findHolder(r *Result) (findings []string) {
	for i := range r.Cases {
		c := &r.Cases[i]
		findings = append(findings, fmt.Sprintf("%s: a worker was stopped %d times. %s of 1,000 requests took longer than %d ms; p50 %s, "+
			"p95 %s, p99 %s. %s", c.Group, c.Holds, digits(c.SlowPer1000), slowMs, ms(c.LatencyUs.P50), ms(c.LatencyUs.P95),
			ms(c.LatencyUs.P99), locksOf(c)))
	}
	before, after := &r.Cases[0], &r.Cases[1]
	return append(findings, fmt.Sprintf("Slow requests, one lock for all → one for each account: %s → %s of 1,000 (%s).",
		digits(before.SlowPer1000), digits(after.SlowPer1000), change(before.SlowPer1000, after.SlowPer1000)))
}

// explainP99 says whether lock waits can be what makes the slowest hundredth slow. A worker that waits for a lock serves nobody
// meanwhile: of the requests that come then, each is late, whatever account it is about. So it is the part of the workers' time
// that says how many meet a wait, and the length of the long waits how much later they are.
func explainP99(c *CaseResult) string {
	part := c.waitingPart(c.Locks.MsPerS)
	p99Ms := c.LatencyUs.P99 / 1e3
	share := c.Locks.P99Ms / max(p99Ms, 1e-9)
	text := fmt.Sprintf("The workers spent %s %% of their time waiting", digits(part*100))
	switch {
	case part < partLeast:
		return text + fmt.Sprintf(", so about as few requests can have met a wait, their own or that of one before them: the p99 "+
			"of %s is made of something else, such as standing in line for the processors.", ms(c.LatencyUs.P99))
	case share >= 0.5:
		return text + fmt.Sprintf(", and a long wait is %.0f %% of the p99 of %s: lock waits are frequent and long enough to make it.",
			share*100, ms(c.LatencyUs.P99))
	}
	return text + fmt.Sprintf(", but even a long wait is only %.0f %% of the p99 of %s: most of it is something else, such as "+
		"standing in line for the processors.", share*100, ms(c.LatencyUs.P99))
}

// waitingPart is the part of the workers' time, of a number of milliseconds of all of them in a second.
func (c *CaseResult) waitingPart(msPerS float64) float64 {
	return msPerS / 1e3 / float64(max(c.Workers, 1))
}

// explainSpikes compares the lock waits in intervals whose p99 stands out with those in the others.
func explainSpikes(c *CaseResult) string {
	var p99s, inSpikes, elsewhere []float64
	for _, run := range c.Runs {
		for _, m := range run.Moves {
			p99s = append(p99s, m.LatencyUs.P99)
		}
	}
	if len(p99s) == 0 {
		return "No interval was whole."
	}
	slices.Sort(p99s)
	median := p99s[len(p99s)/2]
	for _, run := range c.Runs {
		for _, m := range run.Moves {
			if m.LatencyUs.P99 > spikeFactor*median {
				inSpikes = append(inSpikes, c.waitingPart(m.LockMsPerS))
			} else {
				elsewhere = append(elsewhere, c.waitingPart(m.LockMsPerS))
			}
		}
	}
	if len(inSpikes) == 0 {
		return fmt.Sprintf("No interval's p99 is more than %g times the median of them.", spikeFactor)
	}
	spikes, rest := mean(inSpikes), mean(elsewhere)
	text := fmt.Sprintf("In %d of %d intervals p99 is more than %g times the median of them; there the workers spent %s %% of "+
		"their time waiting for locks, elsewhere %s %%: ",
		len(inSpikes), len(p99s), spikeFactor, digits(spikes*100), digits(rest*100))
	switch {
	case spikes < partLeast:
		return text + "too little to make them. The spikes come from elsewhere."
	case spikes > spikeFactor*rest:
		return text + "the spikes come with lock waits (a worker that loses its processor while it holds a lock makes both)."
	}
	return text + "no more than elsewhere. The spikes do not come from lock waits."
}

func mean(values []float64) float64 {
	var sum float64
	for _, v := range values {
		sum += v
	}
	return sum / float64(max(len(values), 1))
}
