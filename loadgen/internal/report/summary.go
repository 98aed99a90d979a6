// Package report is what a run tells in the end: as JSON, as a table for people, and as one CSV row an interval.
package report

import (
	"encoding/json"
	"io"
	"time"

	"tradechat.internal/libproto"

	"tradechat.internal/loadgen/internal/chatcheck"
	"tradechat.internal/loadgen/internal/config"
	"tradechat.internal/loadgen/internal/findings"
	"tradechat.internal/loadgen/internal/mix"
	"tradechat.internal/loadgen/internal/moneycheck"
	"tradechat.internal/loadgen/internal/slo"
	"tradechat.internal/loadgen/internal/stats"
)

// Summary is the result of a run. The keys of its JSON up to verdict are relied on by others; more may be added.
type Summary struct {
	RequestsOK     uint64          `json:"requests_ok"`
	RequestsFailed uint64          `json:"requests_failed"`
	ReqPerS        float64         `json:"req_per_s"` // OK ones
	LatencyUs      stats.Quantiles `json:"latency_us"`
	Errors         Errors          `json:"errors"`
	PerOp          map[string]Op   `json:"per_op"`
	Verdict        Verdict         `json:"verdict"`

	FailedPerS  float64           `json:"failed_per_s"`
	Started     time.Time         `json:"started"`
	DurationS   float64           `json:"duration_s"` // of the load
	Interrupted bool              `json:"interrupted"`
	Config      config.Config     `json:"config"`
	Statuses    map[string]uint64 `json:"statuses"` // of failed requests that were answered
	Unanswered  uint64            `json:"unanswered"`
	InFlight    uint64            `json:"lost_in_flight"`
	LateAnswers uint64            `json:"late_answers"`
	Deliveries  uint64            `json:"deliveries"`
	Connections Connections       `json:"connections"`
	Reconnects  uint64            `json:"reconnects"`
	CPU         CPU               `json:"cpu"`
	AchievedS   float64           `json:"achieved_per_s"`      // OK answers that came while the load went on
	OpenLoop    *OpenLoop         `json:"open_loop,omitempty"` // nil: the loop was closed
	Legs        *Legs             `json:"legs,omitempty"`      // nil: no batches
	SLO         []slo.Result      `json:"slo,omitempty"`
	SLOMet      bool              `json:"slo_met"`         // true without an objective
	Sweep       *Sweep            `json:"sweep,omitempty"` // nil: no sweep
	Warnings    []string          `json:"warnings,omitempty"`
}

// OpenLoop is what became of requests that were due at times of their own.
type OpenLoop struct {
	Rate        float64         `json:"rate"`
	Due         uint64          `json:"due"`                   // all that are counted, sent or not
	LateSends   uint64          `json:"late_sends"`            // sent more than a millisecond after they were due
	Behind      uint64          `json:"behind"`                // those of them that the load generator itself came to too late
	Skipped     uint64          `json:"skipped"`               // never sent
	SinceSentUs stats.Quantiles `json:"latency_since_sent_us"` // uncorrected: from the sending, and not from when it was due
}

// Legs are the transfers of answered batches.
type Legs struct {
	OK      uint64  `json:"ok"`
	Refused uint64  `json:"refused"`
	OKPerS  float64 `json:"ok_per_s"`
}

// Errors are the failed requests by kind; their sum is requests_failed.
type Errors struct {
	Timeout  uint64 `json:"timeout"`
	Busy     uint64 `json:"busy"`
	Checksum uint64 `json:"checksum"`
	Auth     uint64 `json:"auth"`
	Other    uint64 `json:"other"`
}

// Op is one operation.
type Op struct {
	OK          uint64           `json:"ok"`
	Failed      uint64           `json:"failed"`
	LatencyUs   stats.Quantiles  `json:"latency_us"`
	SinceSentUs *stats.Quantiles `json:"latency_since_sent_us,omitempty"` // open loop
}

// Connections are what became of them beside reconnects.
type Connections struct {
	Lost             uint64 `json:"lost"`
	FailedReconnects uint64 `json:"failed_reconnects"`
	GoingAway        uint64 `json:"going_away"`
	BusyPauses       uint64 `json:"busy_pauses"`
}

// CPU is what the load generator itself used during the load.
type CPU struct {
	UserS        float64 `json:"user_s"`
	SystemS      float64 `json:"system_s"`
	UsPerRequest float64 `json:"us_per_request"` // failed ones counted, too

	OfCores float64 `json:"of_cores"`       // 0 … 1: the load threads' part of the processors that they may use
	Busiest float64 `json:"busiest_thread"` // 0 … 1: the busiest load thread's part of one processor
	Waiting float64 `json:"waiting"`        // 0 … 1: how long a load thread could run and had no processor, on average
}

// SetThreads fills in what the load threads used of so many processors.
func (c *CPU) SetThreads(threads []stats.CPU, cores int) {
	var wall, used, waiting float64
	for _, t := range threads {
		wall += t.Wall.Seconds()
		used += t.Used.Seconds()
		waiting += t.Waiting.Seconds()
		if t.Wall > 0 {
			c.Busiest = max(c.Busiest, t.Used.Seconds()/t.Wall.Seconds())
		}
	}
	if wall > 0 {
		c.OfCores = used / (wall / float64(len(threads))) / float64(min(cores, len(threads)))
		c.Waiting = waiting / wall
	}
}

// Verdict says whether the server did what it must.
type Verdict struct {
	ChatOK  bool    `json:"chat_ok"`
	MoneyOK bool    `json:"money_ok"`
	Details Details `json:"details"`
}

// OK reports whether all of it is.
func (v Verdict) OK() bool { return v.ChatOK && v.MoneyOK }

// Details are what the verdict stands on.
type Details struct {
	Chat     Chat               `json:"chat"`
	Money    moneycheck.Verdict `json:"money"`
	Protocol Protocol           `json:"protocol"`
}

// Chat is what the chat check did and found.
type Chat struct {
	OK        bool              `json:"ok"`
	Rooms     int               `json:"rooms"`
	Intervals uint64            `json:"memberships"`
	Foreign   uint64            `json:"foreign_messages"`
	Gaps      uint64            `json:"gaps_announced"`
	Recovered uint64            `json:"messages_recovered"`
	Faults    map[string]uint64 `json:"faults"`
	Examples  []string          `json:"examples,omitempty"`
}

// Protocol is what the server did that the protocol does not allow.
type Protocol struct {
	OK         bool     `json:"ok"`
	Violations uint64   `json:"violations"`
	Examples   []string `json:"examples,omitempty"`
}

// SetTotals fills in what was counted; DurationS is known. rate is that of an open loop, 0 of a closed one.
func (s *Summary) SetTotals(t *stats.Totals, rate float64) {
	s.RequestsOK, s.RequestsFailed = t.OK(), t.Failed()
	if s.DurationS > 0 {
		s.ReqPerS = float64(s.RequestsOK) / s.DurationS
		s.FailedPerS = float64(s.RequestsFailed) / s.DurationS
		s.AchievedS = float64(t.Answered) / s.DurationS
	}
	all := t.Latency()
	s.LatencyUs = all.Quantiles()
	s.Errors = errorsOf(t.Errors)
	if rate > 0 {
		s.OpenLoop = openLoopOf(t, rate)
	}
	if t.LegsOK+t.LegsRefused > 0 {
		s.Legs = &Legs{OK: t.LegsOK, Refused: t.LegsRefused, OKPerS: float64(t.LegsOK) / s.DurationS}
	}
	s.setOps(t)
	s.Statuses = make(map[string]uint64)
	for status, count := range t.Statuses {
		if count > 0 {
			s.Statuses[libproto.Status(status).String()] = count
		}
	}
	s.Unanswered, s.InFlight, s.LateAnswers = t.Unanswered, t.InFlight, t.Late
	s.Deliveries, s.Reconnects = t.Deliveries, t.Reconnects
	s.Connections = Connections{Lost: t.Lost, FailedReconnects: t.Rejected, GoingAway: t.GoingAway, BusyPauses: t.Pauses}
	if requests := s.RequestsOK + s.RequestsFailed; requests > 0 {
		s.CPU.UsPerRequest = (s.CPU.UserS + s.CPU.SystemS) * 1e6 / float64(requests)
	}
}

func openLoopOf(t *stats.Totals, rate float64) *OpenLoop {
	sinceSent := t.SinceSent()
	return &OpenLoop{
		Rate: rate, Due: t.OK() + t.Failed() + t.Skipped, LateSends: t.LateSends, Behind: t.Behind, Skipped: t.Skipped,
		SinceSentUs: sinceSent.Quantiles(),
	}
}

func errorsOf(counts [stats.ErrorKindCount]uint64) Errors {
	return Errors{
		Timeout:  counts[stats.Timeout],
		Busy:     counts[stats.Busy],
		Checksum: counts[stats.Checksum],
		Auth:     counts[stats.Auth],
		Other:    counts[stats.Other],
	}
}

func (s *Summary) setOps(t *stats.Totals) {
	s.PerOp = make(map[string]Op)
	for op := range mix.Op(mix.OpCount) {
		counted := &t.Ops[op]
		if counted.OK+counted.Failed > 0 {
			row := Op{OK: counted.OK, Failed: counted.Failed, LatencyUs: counted.Latency.Quantiles()}
			if s.OpenLoop != nil {
				sinceSent := counted.SinceSent.Quantiles()
				row.SinceSentUs = &sinceSent
			}
			s.PerOp[op.String()] = row
		}
	}
}

// SetVerdict fills in the verdict. A server that breaks the protocol fails both parts: what it said cannot be relied
// on. chat is nil when no messages were sent.
func (s *Summary) SetVerdict(chat *chatcheck.Group, money moneycheck.Verdict, violations *findings.Log) {
	protocol := Protocol{OK: violations.Count() == 0, Violations: violations.Count(), Examples: violations.Examples()}
	details := Details{Chat: chatOf(chat), Money: money, Protocol: protocol}
	s.Verdict = Verdict{ChatOK: details.Chat.OK && protocol.OK, MoneyOK: money.OK && protocol.OK, Details: details}
}

func chatOf(group *chatcheck.Group) Chat {
	if group == nil {
		return Chat{OK: true}
	}
	c := Chat{
		OK:        group.Faults.Count() == 0,
		Rooms:     group.Rooms(),
		Intervals: group.Intervals.Load(),
		Foreign:   group.Foreign.Load(),
		Gaps:      group.Gaps.Load(),
		Recovered: group.Recovered.Load(),
		Faults:    make(map[string]uint64),
		Examples:  group.Faults.Examples(),
	}
	for _, kind := range chatcheck.FaultKinds() {
		c.Faults[kind.String()] = group.Faults.Of(kind)
	}
	return c
}

// WriteJSON writes the summary, indented.
func (s *Summary) WriteJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(s)
}
