package attacks

import (
	"fmt"
	"strings"

	"tradechat.internal/testkit/clock"
	"tradechat.internal/testkit/figure"
	"tradechat.internal/testkit/openloop"
	"tradechat.internal/testkit/sample"
)

// Phase is what was seen while the bystanders ran, with an attack or without.
type Phase struct {
	Requests    int     `json:"requests"` // of the bystanders, answered with OK
	Failed      uint64  `json:"failed"`
	Late        uint64  `json:"late"` // sent more than a millisecond after they were due: the bench lacked processor time
	P50Us       float64 `json:"p50_us"`
	P99Us       float64 `json:"p99_us"`
	MaxUs       float64 `json:"max_us"`
	ServerCores float64 `json:"server_cores"` // processor time of the server ÷ time
	PeakBytes   int64   `json:"peak_bytes"`   // private memory of the server's processes, at most
	AfterBytes  int64   `json:"after_bytes"`  // when the attack's connections were gone
	Connections uint64  `json:"connections"`  // open at the end of the phase
	Tally       *Tally  `json:"tally,omitempty"`
}

// Round is a phase without and one with the attack.
type Round struct {
	Without Phase   `json:"without"`
	With    Phase   `json:"with"`
	Ratio   float64 `json:"p99_ratio"`
}

// Outcome is what one attack did.
type Outcome struct {
	Attack      string            `json:"attack"`
	What        string            `json:"what"`
	BeforeBytes int64             `json:"before_bytes"` // private memory, the bystanders logged in
	Rounds      []Round           `json:"rounds"`
	Ratio       sample.Spread     `json:"p99_ratio"`
	Noticed     uint64            `json:"noticed"` // by the server, in Counter
	Counter     string            `json:"counter"`
	Totals      map[string]uint64 `json:"totals"` // the server's counters at the end
	Audit       string            `json:"audit"`  // of its stop
	Faults      []string          `json:"faults"`
}

// Result is all that was measured.
type Result struct {
	Options  Options   `json:"options"`
	Outcomes []Outcome `json:"attacks"`
}

// Figures are the ratio of each attack, and how many things happened that must not.
func (r Result) Figures() (list []figure.Figure) {
	var faults []string
	for _, o := range r.Outcomes {
		list = append(list, o.figure())
		for _, fault := range o.Faults {
			faults = append(faults, o.Attack+": "+fault)
		}
	}
	detail := "every bystander answered, no worker replaced, books right, connections gone, memory bounded"
	if len(faults) > 0 {
		detail = strings.Join(faults, "; ")
	}
	return append(list, figure.New("what must not happen under attack, and did", float64(len(faults)), "", figure.Target{Bound: figure.AtMost}, detail))
}

func (o Outcome) figure() figure.Figure {
	without, with := o.phases()
	detail := fmt.Sprintf("p50 %s → %s, p99 %s → %s ms; server %.2f → %.2f cores, %+.1f MiB at the height, %+.1f after; %.0f connections/s",
		ms(without.P50Us), ms(with.P50Us), ms(without.P99Us), ms(with.P99Us), without.ServerCores, with.ServerCores,
		mib(with.PeakBytes-o.BeforeBytes), mib(with.AfterBytes-o.BeforeBytes), o.madePerSecond())
	return figure.OfSpread(fmt.Sprintf("%s: p99 of bystanders, with ÷ without", o.Attack), o.Ratio, "×", figure.Target{Bound: figure.AtMost, Limit: ratioMax}, detail)
}

// phases are the medians over the rounds; of memory, the most.
func (o Outcome) phases() (without, with Phase) {
	sum := func(pick func(Round) Phase) (p Phase) {
		middle := func(value func(Phase) float64) float64 {
			var values []float64
			for _, r := range o.Rounds {
				values = append(values, value(pick(r)))
			}
			return sample.Of(values).Median
		}
		p.P50Us = middle(func(p Phase) float64 { return p.P50Us })
		p.P99Us = middle(func(p Phase) float64 { return p.P99Us })
		p.ServerCores = middle(func(p Phase) float64 { return p.ServerCores })
		for _, r := range o.Rounds {
			p.PeakBytes, p.AfterBytes = max(p.PeakBytes, pick(r).PeakBytes), max(p.AfterBytes, pick(r).AfterBytes)
		}
		return p
	}
	return sum(func(r Round) Phase { return r.Without }), sum(func(r Round) Phase { return r.With })
}

// madePerSecond is how many connections the attacker made.
func (o Outcome) madePerSecond() float64 {
	made, seconds := 0.0, 0.0
	for _, r := range o.Rounds {
		made += float64(r.With.Tally.Made)
		seconds += r.With.Tally.seconds
	}
	return made / max(seconds, 1e-9)
}

func ms(us float64) string { return fmt.Sprintf("%.2f", us/1000) }

func mib(bytes int64) float64 { return float64(bytes) / (1 << 20) }

// latencies enters a run's percentiles; it sorts them.
func (p *Phase) latencies(run openloop.Result) {
	p.Requests, p.Failed, p.Late = len(run.Latencies), run.Failed, run.Late
	p.P50Us, p.P99Us = clock.Micros(run.Percentile(50)), clock.Micros(run.Percentile(99))
	p.MaxUs = clock.Micros(run.Percentile(100))
}
