package chaos

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"tradechat.internal/testkit/figure"
)

// Certificate says what was done to a server and what held.
type Certificate struct {
	OK          bool               `json:"ok"`
	Repeat      string             `json:"repeat"` // the command
	Seed        uint64             `json:"seed"`
	Workers     int                `json:"workers"`
	Clients     int                `json:"clients"`
	Seconds     float64            `json:"seconds"` // under load
	Environment figure.Environment `json:"environment"`
	Disk        string             `json:"disk"`
	Done        []Done             `json:"done"`
	Skipped     []Skipped          `json:"skipped"`
	Kills       int                `json:"kills"`
	Cut         int                `json:"connections_cut"`
	Starts      int                `json:"server_starts"`
	Restarts    int                `json:"process_restarts"` // of workers and the log writer, by the master
	Money       MoneyCounts        `json:"money"`
	Chat        ChatCounts         `json:"chat"`
	Checks      []Check            `json:"checks"`
}

// Done is a fault, and how often it was done.
type Done struct {
	Fault string `json:"fault"`
	What  string `json:"what"`
	Times int    `json:"times"`
}

// Skipped is a fault that could not be done here.
type Skipped struct {
	Fault string `json:"fault"`
	Why   string `json:"why"`
}

// MoneyCounts are operations, by what their clients were told.
type MoneyCounts struct {
	Applied    int64 `json:"applied"`
	Refused    int64 `json:"refused"`
	NoEffect   int64 `json:"no_effect"` // busy, read-only or not sent: certainly not done
	Unknown    int64 `json:"unknown"`
	WasApplied int64 `json:"unknown_applied"` // by TXN_STATUS
	WasNot     int64 `json:"unknown_not_applied"`
	Unresolved int64 `json:"unresolved"`
}

// ChatCounts are messages.
type ChatCounts struct {
	Acked     int64 `json:"acked"`
	Unknown   int64 `json:"unknown"`
	NoEffect  int64 `json:"no_effect"`
	Delivered int64 `json:"delivered"`
}

// Check is one thing that had to hold.
type Check struct {
	What     string   `json:"what"`
	OK       bool     `json:"ok"`
	Detail   string   `json:"detail,omitempty"`
	Problems []string `json:"problems,omitempty"`
}

// check adds a line. Problems matter only if it did not hold; those that are empty are left out.
func (c *Certificate) check(what string, ok bool, detail string, problems ...string) {
	line := Check{What: what, OK: ok, Detail: detail}
	for _, p := range problems {
		if p != "" && !ok {
			line.Problems = append(line.Problems, p)
		}
	}
	c.Checks = append(c.Checks, line)
}

// describe adds what was done, and sums up.
func (c *Certificate) describe(d *drill, environment figure.Environment, noDisk error) {
	o, bank, chat := d.options, &d.bank.counts, &d.chat.counts
	c.Repeat, c.Seed, c.Workers, c.Clients = o.command(), o.Seed, o.Workers, len(d.bank.tellers)+len(d.chat.chatters)
	c.Seconds, c.Environment = d.loadFor.Seconds(), environment
	c.Disk = "a tmpfs of its own"
	if d.target.disk == nil {
		c.Disk = "the one that TMPDIR is on"
	}
	for _, f := range d.nemesis.chosen {
		c.Done = append(c.Done, Done{f.name, f.what, d.nemesis.done[f.name]})
	}
	if o.NeedsMounts() && noDisk != nil {
		c.Skipped = append(c.Skipped, Skipped{faultFullDisk, noDisk.Error()})
	}
	c.Kills, c.Cut = int(d.nemesis.kills.Load()), d.nemesis.connsCut
	c.Starts, c.Restarts = d.target.starts, d.target.restarts
	c.Money = MoneyCounts{
		bank.applied.Load(), bank.refused.Load(), bank.noEffect.Load(), bank.unknown.Load(), bank.resolvedApplied.Load(),
		bank.resolvedNot.Load(), bank.unresolved.Load(),
	}
	c.Chat = ChatCounts{chat.acked.Load(), chat.unknown.Load(), chat.noEffect.Load(), chat.delivered.Load()}
	c.check("as many kills as were asked for", c.Kills >= o.Kills, fmt.Sprintf("%d of %d", c.Kills, o.Kills))
	c.OK = true
	for _, line := range c.Checks {
		c.OK = c.OK && line.OK
	}
}

// Err is nil if everything held, else ErrFailed.
func (c *Certificate) Err() error {
	if c.OK {
		return nil
	}
	return ErrFailed
}

// JSON writes the certificate for programs.
func (c *Certificate) JSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(c)
}

// Text writes the certificate for people.
func (c *Certificate) Text(w io.Writer) error {
	_, err := io.WriteString(w, c.text())
	return err
}

func (c *Certificate) text() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("Certificate of a drill: tradechat %s, %s, %d cores, %s", c.Environment.Version, c.Environment.Machine, c.Environment.Cores,
		c.Environment.Date.Format("2006-01-02 15:04 UTC"))
	line("  %d workers, --durability sync, data on %s; %d clients through a proxy; %v under load", c.Workers, c.Disk, c.Clients,
		time.Duration(c.Seconds*float64(time.Second)).Round(100*time.Millisecond))
	line("\nWhat was done to it")
	for _, done := range c.Done {
		line("  %6d  %-*s %s", done.Times, faultNameWidth(), done.Fault, done.What)
	}
	for _, s := range c.Skipped {
		line("       –  %-*s NOT done here: %s", faultNameWidth(), s.Fault, s.Why)
	}
	line("  %d kills; %d connections were cut; the server was started %d times, its master restarted processes %d times",
		c.Kills, c.Cut, c.Starts, c.Restarts)
	m, h := c.Money, c.Chat
	line("\nWhat its clients did")
	line("  money  %d operations applied, %d refused for want of money, %d certainly not done (busy, read-only, not sent)",
		m.Applied, m.Refused, m.NoEffect)
	line("         %d of unknown outcome, of which TXN_STATUS said later: %d applied, %d not, %d still unknown",
		m.Unknown, m.WasApplied, m.WasNot, m.Unresolved)
	line("  chat   %d messages acknowledged, %d of unknown outcome, %d certainly not sent; %d delivered to members",
		h.Acked, h.Unknown, h.NoEffect, h.Delivered)
	line("\nWhat held")
	for _, check := range c.Checks {
		line("  %-6s  %s", map[bool]string{true: "OK", false: "FAILED"}[check.OK], colon(check.What, check.Detail))
		for _, p := range check.Problems {
			line("            %s", p)
		}
	}
	line("\n%s. Again: %s", map[bool]string{true: "Everything held", false: "NOT everything held"}[c.OK], c.Repeat)
	return b.String()
}

func colon(what, detail string) string {
	if detail == "" {
		return what
	}
	return what + ": " + detail
}
