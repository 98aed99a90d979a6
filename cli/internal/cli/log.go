package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tradechat.internal/cli/internal/money"
	"tradechat.internal/ledger"
	"tradechat.internal/ledger/journal"
	"tradechat.internal/liblog/program"
)

// logOptions are log's flags.
type logOptions struct {
	users        []string
	kinds        []string
	from         uint64
	last         int
	since, until string
	follow       bool
}

func (a *app) logCommand() *cobra.Command {
	var o logOptions
	made := a.cobra(command{
		use:   "log",
		short: "Print the records of a server's journal",
		long: `It reads the journal in the data folder, beside the server or without one. Times are
UTC; --since and --until take one, such as 2026-05-01T12:00:00Z, or how long ago, such
as 10m. With --json every line is an object. With --follow it waits for more until
Ctrl-C.`,
		example: `  tradechat log --data /var/lib/tradechat --last 20
  tradechat log --of alice --kind transfer --since 24h
  tradechat log --follow --json | jq .amount_minor`,
		run: func(ctx context.Context, _ []string) (result, error) { return nil, a.log(ctx, o) },
	})
	a.addDataFlag(made)
	flags := made.Flags()
	flags.SortFlags = false
	flags.StringSliceVar(&o.users, "of", nil, "only what concerns these `users`, by name or as #ID")
	flags.StringSliceVar(&o.kinds, "kind", nil, "only these `kinds`: "+strings.Join(kindNames(), ", "))
	flags.Uint64Var(&o.from, "from", 1, "begin with record `SEQ`")
	flags.IntVar(&o.last, "last", 0, "only the last `N` of those; 0: all")
	flags.StringVar(&o.since, "since", "", "only from this `time` on")
	flags.StringVar(&o.until, "until", "", "only before this `time`")
	flags.BoolVar(&o.follow, "follow", false, "go on with what is written from now on")
	return made
}

func kindNames() (names []string) {
	for _, k := range ledger.Kinds() {
		names = append(names, k.String())
	}
	return names
}

// logFilter says which records are printed.
type logFilter struct {
	names        map[string]bool // of users, or #ID
	kinds        []ledger.Kind
	from         uint64
	since, until time.Time // zero: no bound
}

func (o logOptions) filter(now time.Time) (f logFilter, err error) {
	f.from = o.from
	f.names = make(map[string]bool)
	for _, name := range o.users {
		if id, numbered := strings.CutPrefix(name, "#"); numbered {
			if _, err := strconv.ParseUint(id, 10, 32); err != nil {
				return f, fmt.Errorf("--of %q: want a name or #ID", name)
			}
		} else if err := checkName(name); err != nil {
			return f, fmt.Errorf("--of: %w", err)
		}
		f.names[name] = true
	}
	for _, name := range o.kinds {
		at := slices.Index(kindNames(), name)
		if at < 0 {
			return f, fmt.Errorf("--kind %q: want one of %s", name, strings.Join(kindNames(), ", "))
		}
		f.kinds = append(f.kinds, ledger.Kinds()[at])
	}
	if f.since, err = parseTime("--since", o.since, now); err == nil {
		f.until, err = parseTime("--until", o.until, now)
	}
	return f, errors.Join(err, checkRange("--last", o.last, 0, logLastMost))
}

// parseTime reads a time or an age.
func parseTime(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if age, err := time.ParseDuration(text); err == nil && age >= 0 {
		return now.Add(-age), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, fmt.Errorf("%s %q: want a time such as 2026-05-01T12:00:00Z or an age such as 10m", flag, text)
	}
	return at, nil
}

// logged is one record as it is printed.
type logged struct {
	Seq               uint64    `json:"seq"`
	Time              time.Time `json:"time"`
	Kind              string    `json:"kind"`
	UserID            uint32    `json:"user_id,omitempty"`
	User              string    `json:"user,omitempty"`
	BalanceAfterMinor int64     `json:"balance_after_minor"`
	AmountMinor       uint64    `json:"amount_minor,omitempty"`
	ToUserID          uint32    `json:"to_user_id,omitempty"`
	ToUser            string    `json:"to_user,omitempty"`
	ToBalanceMinor    int64     `json:"to_balance_after_minor,omitempty"`
	RoomID            uint32    `json:"room_id,omitempty"`
	Room              string    `json:"room,omitempty"`
	SessionID         uint64    `json:"session_id,omitempty"`
	ReqID             uint64    `json:"req_id,omitempty"`
	Leg               uint16    `json:"leg,omitempty"`
	Legs              uint32    `json:"legs,omitempty"`
	SupplyMinor       uint64    `json:"supply_minor"`

	text string // of the kind, with verbs
}

// logPrinter filters records and prints them.
type logPrinter struct {
	filter logFilter
	out    *bufio.Writer
	json   bool
	users  map[uint32]string // by id, from the records that made them
	last   int
	ring   []logged // the last ones, if only these are wanted; up to twice as many
}

func (a *app) log(ctx context.Context, o logOptions) error {
	f, err := o.filter(time.Now())
	if err != nil {
		return err
	}
	p := &logPrinter{filter: f, out: bufio.NewWriter(a.std.Out), json: a.json, users: make(map[uint32]string), last: o.last}
	scanner := journal.NewScanner(journalFolder(a.data), 1) // from the first on: they have the users' names
	for {
		err := scanner.Scan(func(r *ledger.Record) error { return errors.Join(p.take(r), ctx.Err()) })
		if errors.Is(err, os.ErrNotExist) {
			err = hinted{fmt.Errorf("there is no journal: %w", err), "name the server's data folder with --data"}
		}
		err = errors.Join(err, p.flush())
		if program.ReaderLeft(err) {
			return nil // it has enough, as in `tradechat log | head`
		}
		if err != nil || !o.follow {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(followEvery):
		}
	}
}

// take prints a record, or keeps it, if it is wanted.
func (p *logPrinter) take(r *ledger.Record) error {
	info := r.Kind.Info()
	if r.Kind.Newer() {
		return fmt.Errorf("record %d: %w: kind %d → use the tradechat of that version", r.Seq, ledger.ErrNewer, r.Kind)
	}
	if info.Body == ledger.BodyUser && info.Creates {
		p.users[r.Subject] = string(r.AsName().Name.Text())
	}
	l := p.describe(r)
	if !p.filter.wants(r, &l) {
		return nil
	}
	if p.last == 0 {
		return p.print(&l)
	}
	if len(p.ring) == 2*p.last {
		p.ring = p.ring[:copy(p.ring, p.ring[p.last:])]
	}
	p.ring = append(p.ring, l)
	return nil
}

func (f *logFilter) wants(r *ledger.Record, l *logged) bool {
	switch {
	case r.Seq < f.from:
	case len(f.kinds) != 0 && !slices.Contains(f.kinds, r.Kind):
	case len(f.names) != 0 && !f.names[l.User] && !f.names[l.ToUser] && !f.names[numbered(l.UserID)] && !f.names[numbered(l.ToUserID)]:
	case !f.since.IsZero() && l.Time.Before(f.since):
	case !f.until.IsZero() && !l.Time.Before(f.until):
	default:
		return true
	}
	return false
}

func numbered(user uint32) string { return "#" + strconv.FormatUint(uint64(user), 10) }

func (p *logPrinter) describe(r *ledger.Record) logged {
	l := logged{Seq: r.Seq, Time: time.Unix(0, int64(r.TimeNs)).UTC(), Kind: r.Kind.String(), SupplyMinor: r.SupplyAfter}
	info := r.Kind.Info()
	l.text = info.Text
	if info.Body == ledger.BodyRoom {
		l.RoomID, l.Room = r.Subject, string(r.AsName().Name.Text())
		return l
	}
	l.UserID, l.User = r.Subject, p.users[r.Subject]
	if info.Body != ledger.BodyPosting {
		return l
	}
	l.AmountMinor, l.BalanceAfterMinor = r.Amount, r.SubjectBalance
	l.SessionID, l.ReqID = r.SessionID, r.ReqID
	if r.HasPeer() {
		l.ToUserID, l.ToUser, l.ToBalanceMinor = r.Peer, p.users[r.Peer], r.PeerBalance
	}
	if r.Legs > 1 {
		l.Leg, l.Legs = r.Leg, r.Legs
	}
	return l
}

// flush prints what was kept.
func (p *logPrinter) flush() error {
	kept := p.ring[max(0, len(p.ring)-p.last):]
	for i := range kept {
		if err := p.print(&kept[i]); err != nil {
			return err
		}
	}
	p.ring, p.last = nil, 0 // what follows is printed as it comes
	return p.out.Flush()
}

func (p *logPrinter) print(l *logged) error {
	if p.json {
		line, err := json.Marshal(l)
		if err == nil {
			_, err = p.out.Write(append(line, '\n'))
		}
		return err
	}
	return l.writeLine(p.out)
}

// writeLine writes a record for a person.
func (l *logged) writeLine(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%10d  %s  %-11s  %s\n", l.Seq, l.Time.Format("2006-01-02 15:04:05.000000"), l.Kind, ledger.Print(l.text, l.value))
	return err
}

// value is what a verb of the kind's text stands for.
func (l *logged) value(verb byte) string {
	switch verb {
	case 'u':
		return nameOr(l.User, l.UserID)
	case 'p':
		return nameOr(l.ToUser, l.ToUserID)
	case 'a':
		return money.Format(int64(l.AmountMinor))
	case 's':
		return money.Format(l.BalanceAfterMinor)
	case 'b':
		return money.Format(l.ToBalanceMinor)
	}
	return printable(l.Room)
}

func nameOr(name string, user uint32) string {
	if name == "" {
		return numbered(user)
	}
	return printable(name)
}
