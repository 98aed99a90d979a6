package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"tradechat.internal/cli/internal/money"
	"tradechat.internal/ledger/journal"
	"tradechat.internal/liblog/program"
)

// errAudit is the error of a journal that is not what it must be.
var errAudit = errors.New("the audit failed")

// journalFolder is where the journal of a data folder lies.
func journalFolder(data string) string { return filepath.Join(data, "journal") }

func (a *app) addDataFlag(made *cobra.Command) {
	made.Flags().StringVar(&a.data, "data", a.env("TRADECHAT_DATA", dataDefault), "server's data `folder`; TRADECHAT_DATA")
}

// audited is the JSON of audit, and its text.
type audited struct{ *journal.Audit }

func (r audited) writeText(w io.Writer) {
	verdict := "OK"
	if !r.OK {
		verdict = "FAILED"
	}
	fmt.Fprintf(w, "audit %s: %s, %s\n", verdict, printable(r.Dir), count(r.Records, "record"))
	t := table{columns: make([]column, 2)}
	t.add("records", fmt.Sprintf("%d … %d", r.First, r.Last))
	if r.Base != 0 {
		t.add("begins with", fmt.Sprintf("the snapshot of record %d: older files were removed", r.Base))
	}
	t.add("acknowledged", "up to record "+strconv.FormatUint(r.Mark, 10))
	t.add("files", fmt.Sprintf("%d, with %s and %s", r.Files, count(r.Blocks, "block"), count(r.Bytes, "byte")))
	if r.TornBytes != 0 {
		t.add("unfinished", count(r.TornBytes, "byte")+" at the end, which nobody was told of")
	}
	t.add("users, rooms", fmt.Sprintf("%d, %d", r.Users, r.Rooms))
	t.add("deposits", money.FormatTotal(r.Deposits.String()))
	t.add("withdrawals", money.FormatTotal(r.Withdrawals.String()))
	t.add("on accounts", money.Format(int64(r.Supply)))
	for _, s := range r.Snapshots {
		t.add("snapshot", fmt.Sprintf("of record %d: %s", s.Seq, map[bool]string{true: "as the records say", false: "NOT as the records say"}[s.OK]))
	}
	t.add("last hash", r.LastHash)
	t.add("took", (time.Duration(r.Seconds * float64(time.Second))).Round(time.Millisecond).String())
	t.write(w, "  ")
}

func (a *app) auditCommand() *cobra.Command {
	made := a.cobra(command{
		use:   "audit",
		short: "Check a server's journal from its first record to its last",
		long: `It reads the journal in the data folder and changes nothing: the hash chain, every
record against all records before it, the sums, and each snapshot against the records
up to it and against the chain. The server may be running: what it is just writing ends the audit.
The exit code is 0 only if everything holds; else the first thing that does not is
named, with file and byte.`,
		example: `  tradechat audit --data /var/lib/tradechat
  tradechat audit --json | jq .problem`,
		run: func(context.Context, []string) (result, error) { return a.audit() },
	})
	a.addDataFlag(made)
	return made
}

func (a *app) audit() (result, error) {
	progress, done := a.progress()
	found, err := journal.Check(journalFolder(a.data), journal.AuditOptions{Progress: progress})
	done()
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, hinted{fmt.Errorf("there is no journal: %w", err), "name the server's data folder with --data"}
	case err != nil:
		return nil, err
	case found.Problem != nil:
		return audited{found}, hinted{fmt.Errorf("%w: %s", errAudit, found.Problem.Text), "docs/journal.md says what can be done"}
	}
	return audited{found}, nil
}

// progress tells a terminal how far a long reading is; others are told nothing.
func (a *app) progress() (tell func(file, files int, seq uint64), done func()) {
	terminal := a.std.Err
	if a.json || !program.Redraws(terminal) {
		return nil, func() {}
	}
	told := time.Now()
	tell = func(file, files int, seq uint64) {
		if time.Since(told) > progressEvery {
			told = time.Now()
			fmt.Fprintf(terminal, "\rfile %d of %d, record %d ", file, files, seq)
		}
	}
	return tell, func() { fmt.Fprint(terminal, "\r\x1b[K") }
}
