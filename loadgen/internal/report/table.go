package report

import (
	"fmt"
	"io"
	"sort"
	"strings"
	"text/tabwriter"

	"tradechat.internal/loadgen/internal/chatcheck"
	"tradechat.internal/loadgen/internal/mix"
	"tradechat.internal/loadgen/internal/stats"
)

// WriteTable writes the summary for people.
func (s *Summary) WriteTable(w io.Writer) error {
	var b strings.Builder
	s.writeHead(&b)
	s.writeSweep(&b)
	s.writeRequests(&b)
	s.writeOps(&b)
	s.writeErrors(&b)
	s.writeVerdict(&b)
	s.writeObjective(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

func (s *Summary) writeHead(b *strings.Builder) {
	c := &s.Config
	fmt.Fprintf(b, "\n%s on %s: %s connections, %d threads, pipeline %d, %s users, %.1f s", c.Mix, c.Server,
		Grouped(uint64(c.Connections)), c.Threads, c.Pipeline, Grouped(uint64(c.Users)), s.DurationS)
	if s.Interrupted {
		b.WriteString(" (interrupted)")
	}
	b.WriteString("\n\n")
}

func (s *Summary) writeRequests(b *strings.Builder) {
	fmt.Fprintf(b, "requests    %s ok, %s/s; %s failed, %s/s\n", Grouped(s.RequestsOK), Whole(s.ReqPerS),
		Grouped(s.RequestsFailed), Whole(s.FailedPerS))
	if o := s.OpenLoop; o != nil {
		fmt.Fprintf(b, "open loop   %s/s offered (%s), %s/s achieved; of %s due: %s late, %s of them by the load generator's own fault; ",
			Whole(o.Rate), s.Config.Arrivals, Whole(s.AchievedS), Grouped(o.Due), Grouped(o.LateSends), Grouped(o.Behind))
		fmt.Fprintf(b, "%s skipped\n", Grouped(o.Skipped))
	}
	if s.Legs != nil {
		fmt.Fprintf(b, "batches     of %d: %s transfers, %s/s; %s refused\n", s.Config.Batch, Grouped(s.Legs.OK),
			Whole(s.Legs.OKPerS), Grouped(s.Legs.Refused))
	}
	if s.Deliveries > 0 {
		fmt.Fprintf(b, "deliveries  %s, %s/s\n", Grouped(s.Deliveries), Whole(float64(s.Deliveries)/s.DurationS))
	}
	fmt.Fprintf(b, "own CPU     %.2f µs a request (%.2f s user, %.2f s system); the load threads used %.0f %% of their processors\n\n",
		s.CPU.UsPerRequest, s.CPU.UserS, s.CPU.SystemS, 100*s.CPU.OfCores)
}

func (s *Summary) writeOps(b *strings.Builder) {
	table := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "latency in µs\tok\tfailed\tp50\tp95\tp99\tp99.9\tmax\t")
	for op := range mix.Op(mix.OpCount) {
		if o, counted := s.PerOp[op.String()]; counted {
			writeOp(table, op.String(), Grouped(o.OK), Grouped(o.Failed), o.LatencyUs)
		}
	}
	writeOp(table, "all", Grouped(s.RequestsOK), Grouped(s.RequestsFailed), s.LatencyUs)
	if s.OpenLoop != nil {
		writeOp(table, "all, since sent", "", "", s.OpenLoop.SinceSentUs)
	}
	_ = table.Flush() // into a strings.Builder, which takes everything
}

func writeOp(w io.Writer, name, ok, failed string, q stats.Quantiles) {
	fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", name, ok, failed, Whole(q.P50), Whole(q.P95), Whole(q.P99), Whole(q.P999),
		Whole(q.Max))
}

func (s *Summary) writeErrors(b *strings.Builder) {
	e := &s.Errors
	fmt.Fprintf(b, "\nerrors       timeout %s, busy %s, checksum %s, auth %s, other %s\n", Grouped(e.Timeout), Grouped(e.Busy),
		Grouped(e.Checksum), Grouped(e.Auth), Grouped(e.Other))
	for _, reason := range s.reasons() {
		fmt.Fprintf(b, "             %s\n", reason)
	}
	fmt.Fprintf(b, "connections  %s lost, %s reconnects", Grouped(s.Connections.Lost), Grouped(s.Reconnects))
	if s.Connections.FailedReconnects > 0 {
		fmt.Fprintf(b, ", %s failed attempts", Grouped(s.Connections.FailedReconnects))
	}
	b.WriteString("\n")
}

// writeObjective says which terms hold, and what makes the figures doubtful.
func (s *Summary) writeObjective(b *strings.Builder) {
	for _, r := range s.SLO {
		fmt.Fprintf(b, "slo    %s  %s: %s\n", word(r.Met), r.Term, r.Value)
	}
	for _, warning := range s.Warnings {
		fmt.Fprintf(b, "\nwarning: %s\n", warning)
	}
}

// reasons say more of the errors, where there is more to say.
func (s *Summary) reasons() (reasons []string) {
	for status, n := range s.Statuses {
		reasons = append(reasons, fmt.Sprintf("%s answered %s", Grouped(n), status))
	}
	sort.Strings(reasons)
	if s.Unanswered > 0 {
		reasons = append(reasons, fmt.Sprintf("%s not answered in time, %s of them later", Grouped(s.Unanswered), Grouped(s.LateAnswers)))
	}
	if s.InFlight > 0 {
		reasons = append(reasons, Grouped(s.InFlight)+" in flight when their connection ended")
	}
	return reasons
}

func (s *Summary) writeVerdict(b *strings.Builder) {
	details := &s.Verdict.Details
	fmt.Fprintf(b, "\nchat   %s  %s\n", word(s.Verdict.ChatOK), details.Chat.words(s.Deliveries))
	writeExamples(b, details.Chat.Examples)
	m := &details.Money
	fmt.Fprintf(b, "money  %s  %s users have %s in sum, expected %s; %s unanswered requests: %s applied, %s not, %s undecided\n",
		word(s.Verdict.MoneyOK), Grouped(uint64(m.Users)), signed(m.Final), interval(m.ExpectedMin, m.ExpectedMax),
		Grouped(m.UnknownApplied+m.UnknownNotApplied+m.UnknownUndecided), Grouped(m.UnknownApplied),
		Grouped(m.UnknownNotApplied), Grouped(m.UnknownUndecided))
	writeExamples(b, m.Problems)
	if p := &details.Protocol; !p.OK {
		fmt.Fprintf(b, "the server broke the protocol %s times, which fails both\n", Grouped(p.Violations))
		writeExamples(b, p.Examples)
	}
}

func (c *Chat) words(deliveries uint64) string {
	if c.Rooms == 0 {
		return "no messages were sent"
	}
	text := fmt.Sprintf("%s deliveries in %s rooms, %s memberships", Grouped(deliveries), Grouped(uint64(c.Rooms)), Grouped(c.Intervals))
	if c.Gaps > 0 {
		text += fmt.Sprintf("; %s gaps announced, %s messages recovered", Grouped(c.Gaps), Grouped(c.Recovered))
	}
	if c.Foreign > 0 {
		text += fmt.Sprintf("; %s messages of others", Grouped(c.Foreign))
	}
	for _, kind := range chatcheck.FaultKinds() {
		if n := c.Faults[kind.String()]; n > 0 {
			text += fmt.Sprintf("\n       %s %s: %s", Grouped(n), kind, kind.Help())
		}
	}
	return text
}

func writeExamples(b *strings.Builder, examples []string) {
	for _, example := range examples {
		fmt.Fprintf(b, "       - %s\n", example)
	}
}

func word(ok bool) string {
	if ok {
		return "OK    "
	}
	return "FAILED"
}

func interval(least, most int64) string {
	if least == most {
		return signed(least)
	}
	return signed(least) + " … " + signed(most)
}

func signed(n int64) string {
	if n < 0 {
		return "-" + Grouped(uint64(-n))
	}
	return Grouped(uint64(n))
}

// Whole writes a rate, or microseconds, as a whole number with its thousands grouped.
func Whole(v float64) string { return Grouped(uint64(v + 0.5)) }

// Grouped writes a number with a comma between groups of three digits.
func Grouped(n uint64) string {
	digits := count(n)
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}
