package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"tradechat.internal/libproto/serverstats"
	"tradechat.internal/proof/internal/bankcheck"
	"tradechat.internal/proof/internal/roomcheck"
	"tradechat.internal/testkit/proc"
)

// judge finishes the load, ends the server and checks everything.
func (d *drill) judge(ctx context.Context, binaries proc.Binaries) (*Certificate, error) {
	c := new(Certificate)
	d.say("chaos: no more faults; the clients finish, then everything is checked")
	d.chat.settle(ctx)
	moved, movesErr := d.bank.finalMoves(ctx)
	stats, err := d.target.verifiedSince(ctx, time.Now())
	if err != nil {
		return nil, err
	}
	d.target.restarts += restartsOf(stats)
	d.close()
	_, endErr := d.target.server.End()
	books, auditErr := d.audit(ctx, binaries)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	d.judgeMoney(c, stats.Verify, books, auditErr, moved)
	d.judgeChat(c)
	count, first := d.bank.faults.found()
	chatCount, chatFirst := d.chat.faults.found()
	c.check("every client came back by itself, and no answer was one that no fault explains", count+chatCount == 0,
		fmt.Sprintf("%d clients; chat sessions were resumed %d times and begun anew %d times", len(d.bank.tellers)+len(d.chat.chatters),
			d.chat.counts.resumed.Load(), d.chat.counts.anew.Load()), append(first, chatFirst...)...)
	d.judgeRemains(c, moved, movesErr, endErr)
	return c, nil
}

// books is what `tradechat audit --json` finds in a data folder.
type books struct {
	OK          bool   `json:"ok"`
	Last        uint64 `json:"last_seq"`
	Blocks      int    `json:"blocks"`
	Supply      int64  `json:"supply"`
	Deposits    int64  `json:"deposits"`
	Withdrawals int64  `json:"withdrawals"`
	Snapshots   []struct {
		OK bool `json:"ok"`
	} `json:"snapshots"`
}

// audit runs the client's audit of the data folder.
func (d *drill) audit(ctx context.Context, binaries proc.Binaries) (b books, err error) {
	path, err := binaries.Path("tradechat")
	if err != nil {
		return b, err
	}
	var complaint strings.Builder
	args := []string{"audit", "--json", "--data", d.target.server.DataFolder()}
	p, err := proc.Start(proc.Command{Path: path, Args: args, Stderr: &complaint})
	if err != nil {
		return b, err
	}
	err = p.Wait(ctx)
	if decodeErr := json.Unmarshal([]byte(strings.Join(p.Lines(), "\n")), &b); decodeErr != nil {
		err = errors.Join(err, decodeErr)
	}
	if err != nil {
		err = fmt.Errorf("%w: %s", err, complaint.String())
	}
	return b, err
}

func (d *drill) judgeMoney(c *Certificate, v serverstats.Verdict, b books, auditErr error, moved int) {
	windows := d.bank.windows
	linear := bankcheck.Linear(windows)
	operations := 0
	for _, w := range windows {
		operations += len(w.Ops)
	}
	c.check("one order of all operations explains every balance that was answered", linear.OK(),
		fmt.Sprintf("%d operations in %d windows of %d groups (porcupine)", operations, linear.Checked, d.options.groups()), linear.Problems...)
	order := bankcheck.Order(windows)
	c.check("no transaction number was given twice, or against the clock", order.OK(), fmt.Sprintf("%d transactions", order.Checked),
		order.Problems...)
	totals := bankcheck.Sum(windows)
	totals.Deposits += d.opening + int64(moved)
	totals.Withdrawals += int64(moved)
	deposits, fits := v.Deposits.Uint64()
	withdrawals, fit := v.Withdrawals.Uint64()
	c.check("the running server's books are right (Verify), and hold what the clients were told",
		v.OK && fits && fit && totals.Fit(int64(deposits), int64(withdrawals)),
		fmt.Sprintf("balances %s = deposits %s − withdrawals %s; told: %d − %d", v.Balances, v.Deposits, v.Withdrawals,
			totals.Deposits, totals.Withdrawals),
		append(v.Problems, v.Error)...)
	c.check("the journal holds what the clients were told (tradechat audit, exit code 0)",
		auditErr == nil && b.OK && totals.Fit(b.Deposits, b.Withdrawals) && b.Supply == b.Deposits-b.Withdrawals,
		fmt.Sprintf("%d records in %d blocks, %d snapshots; on accounts %d = %d − %d", b.Last, b.Blocks, len(b.Snapshots),
			b.Supply, b.Deposits, b.Withdrawals),
		errorText(auditErr))
	unresolved := d.bank.counts.unresolved.Load()
	c.check("what was told to be unknown could be found out", unresolved == 0,
		fmt.Sprintf("%d operations: %d had been applied, %d not", d.bank.counts.unknown.Load(), d.bank.counts.resolvedApplied.Load(),
			d.bank.counts.resolvedNot.Load()), fmt.Sprintf("%d stayed unknown", unresolved))
}

func (d *drill) judgeChat(c *Certificate) {
	h := d.chat.history()
	h.Births = d.target.births
	r := roomcheck.Check(h)
	find := func(what string, f roomcheck.Finding, detail string) {
		c.check(what, f.OK() && r.Delivered > 0, detail, f.Problems...)
	}
	find("each member's messages count on, but for gaps that were told", r.Holes,
		fmt.Sprintf("%d deliveries to %d members; %d gaps told, of %d messages", r.Delivered, len(h.Members), r.Gaps, r.Announced))
	find("no message came twice", r.Twice, "")
	find("no message came out of order", r.OutOfOrder, "")
	find("every start from disk was told to every member", r.Restarts,
		fmt.Sprintf("%d lives of the server, %d times told", len(h.Births)+1, r.Resets))
	find("every acknowledged message was delivered, or told to be lost", r.Lost,
		fmt.Sprintf("%d messages, to %d members each", r.Acked, len(d.chat.chatters)))
	find("all members saw the same, at the place that was acknowledged", r.Differ, "")
	find("nobody saw what nobody sent", r.Invented, "")
}

// judgeRemains finds locks and files that are left.
func (d *drill) judgeRemains(c *Certificate, moved int, movesErr, endErr error) {
	c.check("no lock was left: every account moves money after the last fault", movesErr == nil && moved == len(d.bank.tellers),
		fmt.Sprintf("%d accounts", moved), errorText(movesErr))
	count, first := d.target.doubted.found()
	c.check("what crashes left in shared memory was never in doubt", count == 0, fmt.Sprintf("%d starts", d.target.starts), first...)
	c.check("the server stopped in order, its audit was right, and its segment is gone", endErr == nil, "", errorText(endErr))
	lockErr := free(d.target.server.DataFolder())
	c.check("no process holds the data folder", lockErr == nil, "", errorText(lockErr))
}

// free reports whether nobody has locked a folder.
func free(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
