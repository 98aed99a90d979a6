package peers

import (
	"slices"

	"tradechat.internal/testkit/sample"
)

// Result is a whole comparison.
type Result struct {
	Options Options   `json:"options"`
	Classes []Class   `json:"classes"`
	Skipped []Skipped `json:"skipped"`
}

// Versions are those of all that was compared and not made here, in the order of their first row.
func (r Result) Versions() (list []string) {
	for _, c := range r.Classes {
		for _, row := range c.Rows {
			if row.Version != "" && !slices.Contains(list, row.Version) {
				list = append(list, row.Version)
			}
		}
	}
	return list
}

// Skipped is what could not be compared.
type Skipped struct {
	Name string `json:"name"`
	Why  string `json:"why"`
}

// Class is what was found of one class.
type Class struct {
	Name     string  `json:"name"`
	Key      string  `json:"key"`
	Unit     string  `json:"unit"`
	RatePerS float64 `json:"rate_per_s"` // at which latency was measured, of requests or of messages
	Rows     []*Row  `json:"rows"`       // the first is tradechat's
}

// Row is what was found of one contender, a request or a delivery at a time.
type Row struct {
	Name        string        `json:"name"`
	Version     string        `json:"version,omitempty"` // of what was not made here
	Rounds      []Round       `json:"rounds"`
	Latencies   []Latency     `json:"latencies"`
	PerS        sample.Spread `json:"per_s"`
	CPUUs       sample.Spread `json:"cpu_us"`        // of all its processes
	ClientCPUUs sample.Spread `json:"client_cpu_us"` // of the thread that drove it
	P50Us       sample.Spread `json:"p50_us"`        // at RatePerS
	P99Us       sample.Spread `json:"p99_us"`        // likewise
	MemoryBytes int64         `json:"memory_bytes"`  // resident, after the rounds at full speed, with their connections

	// Ratios to tradechat's of the same round.
	PerSRatio sample.Spread `json:"per_s_ratio"`
	CPURatio  sample.Spread `json:"cpu_ratio"`
	P50Ratio  sample.Spread `json:"p50_ratio"`
	P99Ratio  sample.Spread `json:"p99_ratio"`
}

// Round is one round at full speed.
type Round struct {
	Count       uint64  `json:"count"`
	Seconds     float64 `json:"seconds"`
	PerS        float64 `json:"per_s"`
	CPUUs       float64 `json:"cpu_us"`
	ClientCPUUs float64 `json:"client_cpu_us"`
	CoresBusy   float64 `json:"cores_busy"` // by the contender
}

// Latency is one round at a fixed rate, from when a request was due to its answer.
type Latency struct {
	Answers int     `json:"answers"`
	P50Us   float64 `json:"p50_us"`
	P99Us   float64 `json:"p99_us"`
	Late    uint64  `json:"late"` // requests that the client sent more than a millisecond after they were due
}

// sumUp takes the middles, and the ratios to tradechat's rounds.
func (c *Class) sumUp() error {
	for _, row := range c.Rows {
		for _, one := range []struct {
			value  *sample.Spread
			ratio  *sample.Spread // nil: says nothing
			values func(*Row) []float64
		}{
			{&row.PerS, &row.PerSRatio, each(rounds, func(r Round) float64 { return r.PerS })},
			{&row.CPUUs, &row.CPURatio, each(rounds, func(r Round) float64 { return r.CPUUs })},
			{&row.ClientCPUUs, nil, each(rounds, func(r Round) float64 { return r.ClientCPUUs })},
			{&row.P50Us, &row.P50Ratio, each(latencies, func(l Latency) float64 { return l.P50Us })},
			{&row.P99Us, &row.P99Ratio, each(latencies, func(l Latency) float64 { return l.P99Us })},
		} {
			*one.value = sample.Of(one.values(row))
			if one.ratio == nil {
				continue
			}
			ratios, err := sample.PairedRatios(one.values(row), one.values(c.Rows[0]))
			if err != nil {
				return err
			}
			*one.ratio = sample.Of(ratios)
		}
	}
	return nil
}

func rounds(r *Row) []Round      { return r.Rounds }
func latencies(r *Row) []Latency { return r.Latencies }

// each makes a function that takes one number of each round of a row.
func each[T any](of func(*Row) []T, number func(T) float64) func(*Row) []float64 {
	return func(r *Row) (list []float64) {
		for _, one := range of(r) {
			list = append(list, number(one))
		}
		return list
	}
}
