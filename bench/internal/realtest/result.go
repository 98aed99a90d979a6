package realtest

import (
	"time"

	"tradechat.internal/testkit/figure"
	"tradechat.internal/testkit/load"
	"tradechat.internal/testkit/sample"
)

// Result is all that a test has to say: NAME.json.
type Result struct {
	Name        string             `json:"name"`
	Title       string             `json:"title"`
	What        string             `json:"what"`
	Environment figure.Environment `json:"environment"`
	Quick       bool               `json:"quick"` // the numbers mean nothing
	Rounds      int                `json:"rounds"`
	RunS        float64            `json:"run_s"` // measured time of each run
	WarmUpS     float64            `json:"warm_up_s"`
	IntervalS   float64            `json:"interval_s"`
	Findings    []string           `json:"findings"`
	Figures     []Drawing          `json:"figures"`
	Cases       []CaseResult       `json:"cases"`
}

// Drawing names the files of a figure.
type Drawing struct {
	Name    string `json:"name"` // NAME.svg, NAME.png, NAME.csv, NAME.gp
	Title   string `json:"title"`
	Caption string `json:"caption"`
}

// CaseResult is what was found in all rounds of a case; medians of the rounds.
type CaseResult struct {
	Group       string         `json:"group,omitempty"`
	Place       int            `json:"place"`
	Label       string         `json:"label"`
	Workers     int            `json:"workers"`
	ServerFlags []string       `json:"server_flags"`
	LoadFlags   []string       `json:"load_flags"`
	PerSecond   sample.Spread  `json:"req_per_s"`
	LegsPerS    float64        `json:"legs_per_s,omitempty"`
	LatencyUs   load.Quantiles `json:"latency_us"`
	Failed      uint64         `json:"failed"` // in all rounds together
	Locks       Locks          `json:"locks"`
	SlowPer1000 float64        `json:"slow_per_1000"`   // requests of a thousand that took longer than slowMs
	Holds       int            `json:"holds,omitempty"` // stops of a worker that held an account, in all rounds
	LoadCores   float64        `json:"load_of_cores"`   // the load generator's own part of the processors that it may use
	Runs        []Run          `json:"runs"`
}

// Locks is what the server's own counters say, its warm-up left out.
type Locks struct {
	WaitsPer1000 float64 `json:"waits_per_1000_requests"`
	UsPerRequest float64 `json:"wait_us_per_request"`
	MsPerS       float64 `json:"wait_ms_per_s"` // all workers together
	P99Ms        float64 `json:"wait_p99_ms"`   // of a wait, the warm-up's included
	Timeouts     float64 `json:"timeouts"`
}

// Run is one round of one case.
type Run struct {
	Load  load.Result `json:"load"`
	Locks Locks       `json:"locks"`
	Moves []Moment    `json:"timeline"`
	Kill  *Kill       `json:"kill,omitempty"`
	Holds int         `json:"holds,omitempty"` // stops of a worker that held an account
}

// Moment is one interval of a run.
type Moment struct {
	load.Interval
	PerSecond    float64 `json:"req_per_s"`
	LockMsPerS   float64 `json:"lock_wait_ms_per_s"`
	LockUsPerReq float64 `json:"lock_wait_us_per_request"`
}

// Kill is when a worker was killed, in seconds of the run.
type Kill struct {
	AtS         float64 `json:"at_s"`
	ReplacedS   float64 `json:"replaced_s"` // when its successor was seen to run
	Connections uint64  `json:"connections"`
	Slot        int     `json:"slot"`
}

func newResult(t Test, p plan, o Options) *Result {
	r := &Result{
		Name: t.Name, Title: t.Title, What: t.What, Quick: o.Quick, Rounds: p.rounds,
		RunS: p.length.Seconds(), WarmUpS: p.warmUp.Seconds(), IntervalS: p.interval.Seconds(),
	}
	for _, c := range t.Cases {
		r.Cases = append(r.Cases, CaseResult{Group: c.Group, Place: c.Place, Label: c.Label, Workers: c.Workers,
			ServerFlags: c.flags(), LoadFlags: c.Load})
	}
	return r
}

// take puts what the server counted beside what the load generator measured.
func (r *Run) take(seen []sighting, k *killing, p plan) {
	began := r.Load.Started
	second := func(s float64) time.Time { return began.Add(time.Duration(s * float64(time.Second))) }
	requests, waits, waitUs := between(seen, began, second(r.Load.DurationS))
	if requests > 0 {
		r.Locks = Locks{WaitsPer1000: waits * 1000 / requests, UsPerRequest: waitUs / requests,
			MsPerS: waitUs / 1e3 / r.Load.DurationS}
	}
	if len(seen) > 0 {
		last := seen[len(seen)-1]
		r.Locks.P99Ms, r.Locks.Timeouts = last.waitP99Ms, last.timeouts
	}
	length := p.interval.Seconds()
	for _, i := range r.Load.Intervals {
		if i.Second+length > p.length.Seconds()*(1+1e-9) {
			break // what was left, of another length
		}
		m := Moment{Interval: i, PerSecond: i.OK / length}
		requests, _, waitUs := between(seen, second(i.Second), second(i.Second+length))
		m.LockMsPerS = waitUs / 1e3 / length
		if requests > 0 {
			m.LockUsPerReq = waitUs / requests
		}
		r.Moves = append(r.Moves, m)
	}
	r.Load.Intervals = nil // they are in the timeline
	if k != nil {
		r.Kill = &Kill{
			AtS: k.at.Sub(began).Seconds(), ReplacedS: k.replaced.Sub(began).Seconds(), Connections: k.victim.Connections,
			Slot: k.victim.Slot,
		}
	}
}

// sumUp makes one number of all rounds.
func (r *Result) sumUp(t Test) {
	for i := range r.Cases {
		r.Cases[i].sumUp()
	}
	r.Findings = t.Findings(r)
	if !t.Kill { // there they are told with the kill
		r.Findings = append(r.Findings, r.failures()...)
	}
}

func (c *CaseResult) sumUp() {
	of := func(pick func(*Run) float64) sample.Spread {
		var values []float64
		for i := range c.Runs {
			values = append(values, pick(&c.Runs[i]))
		}
		return sample.Of(values)
	}
	c.PerSecond = of(func(r *Run) float64 { return r.Load.PerSecond })
	c.LegsPerS = of(func(r *Run) float64 {
		if r.Load.Legs == nil {
			return 0
		}
		return r.Load.Legs.PerSecond
	}).Median
	c.LatencyUs = load.Quantiles{
		P50:  of(func(r *Run) float64 { return r.Load.LatencyUs.P50 }).Median,
		P95:  of(func(r *Run) float64 { return r.Load.LatencyUs.P95 }).Median,
		P99:  of(func(r *Run) float64 { return r.Load.LatencyUs.P99 }).Median,
		P999: of(func(r *Run) float64 { return r.Load.LatencyUs.P999 }).Median,
		Max:  of(func(r *Run) float64 { return r.Load.LatencyUs.Max }).Max,
	}
	c.Locks = Locks{
		WaitsPer1000: of(func(r *Run) float64 { return r.Locks.WaitsPer1000 }).Median,
		UsPerRequest: of(func(r *Run) float64 { return r.Locks.UsPerRequest }).Median,
		MsPerS:       of(func(r *Run) float64 { return r.Locks.MsPerS }).Median,
		P99Ms:        of(func(r *Run) float64 { return r.Locks.P99Ms }).Median,
	}
	c.LoadCores = of(func(r *Run) float64 { return r.Load.CPU.OfCores }).Median
	c.SlowPer1000 = of(func(r *Run) float64 { return 1000 * load.Slower(r.Load.Latencies, slowMs) }).Median
	for i := range c.Runs {
		c.Holds += c.Runs[i].Holds
		c.Failed += c.Runs[i].Load.RequestsFailed
		c.Locks.Timeouts += c.Runs[i].Locks.Timeouts
	}
}

// name is how a case is called where all cases stand together.
func (c *CaseResult) name() string { return Case{Group: c.Group, Label: c.Label}.name() }
