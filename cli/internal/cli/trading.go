package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"tradechat.internal/cli/internal/money"
	"tradechat.internal/client"
)

// posted is a deposit or a withdrawal.
type posted struct {
	act
	AmountMinor  uint64 `json:"amount_minor"`
	BalanceMinor int64  `json:"balance_minor"`
	TxnID        uint64 `json:"txn_id"`
	verb         string
}

func (p posted) writeText(w io.Writer) {
	fmt.Fprintf(w, "%s %s, balance %s (transaction %d)\n", p.verb, money.Format(int64(p.AmountMinor)), money.Format(p.BalanceMinor), p.TxnID)
}

func (a *app) depositCommand() *cobra.Command {
	return a.cobra(command{
		use:   "deposit AMOUNT",
		short: "Bring money in",
		example: `  tradechat --user alice deposit 100
  tradechat --user alice deposit 12.50 --json`,
		run: a.postCommand("deposited", (*client.Client).Deposit),
	})
}

func (a *app) withdrawCommand() *cobra.Command {
	return a.cobra(command{
		use:     "withdraw AMOUNT",
		short:   "Take money out",
		example: `  tradechat --user alice withdraw 12.50`,
		run:     a.postCommand("withdrew", (*client.Client).Withdraw),
	})
}

func (a *app) postCommand(verb string, post func(*client.Client, context.Context, uint64) (client.Posting, error)) func(context.Context, []string) (result, error) {
	return func(ctx context.Context, args []string) (result, error) {
		amount, err := money.ParsePositive(args[0])
		if err != nil {
			return nil, err
		}
		var p client.Posting
		err = a.loggedIn(ctx, func(c *client.Client) error {
			p, err = post(c, ctx, amount)
			return err
		})
		if err != nil {
			return nil, err
		}
		return posted{AmountMinor: amount, BalanceMinor: p.BalanceMinor, TxnID: p.TxnID, verb: verb}, nil
	}
}

type transferred struct {
	act
	To           string `json:"to"`
	ToUserID     uint32 `json:"to_user_id"`
	AmountMinor  uint64 `json:"amount_minor"`
	BalanceMinor int64  `json:"balance_minor"`
	TxnID        uint64 `json:"txn_id"`
}

func (t transferred) writeText(w io.Writer) {
	fmt.Fprintf(w, "transferred %s to %s, balance %s (transaction %d)\n", money.Format(int64(t.AmountMinor)), t.To,
		money.Format(t.BalanceMinor), t.TxnID)
}

func (a *app) transferCommand() *cobra.Command {
	return a.cobra(command{
		use:   "transfer USER AMOUNT",
		short: "Give money to another user",
		example: `  tradechat --user alice transfer bob 12.50
  tradechat --user alice transfer bob 3 --json`,
		run: func(ctx context.Context, args []string) (result, error) { return a.transfer(ctx, args[0], args[1]) },
	})
}

func (a *app) transfer(ctx context.Context, to, amountText string) (result, error) {
	amount, err := money.ParsePositive(amountText)
	if err == nil {
		err = checkName(to)
	}
	if err != nil {
		return nil, err
	}
	t := transferred{To: to, AmountMinor: amount}
	err = a.loggedIn(ctx, func(c *client.Client) error {
		if t.ToUserID, _, err = c.LookupUser(ctx, to); err != nil {
			return fmt.Errorf("user %s: %w", to, err)
		}
		p, err := c.Transfer(ctx, t.ToUserID, amount)
		t.BalanceMinor, t.TxnID = p.BalanceMinor, p.TxnID
		return err
	})
	if err != nil {
		return nil, err
	}
	return t, nil
}

type balance struct {
	BalanceMinor int64  `json:"balance_minor"`
	LastTxnID    uint64 `json:"last_txn_id"`
}

func (b balance) writeText(w io.Writer) { fmt.Fprintln(w, money.Format(b.BalanceMinor)) }

func (a *app) balanceCommand() *cobra.Command {
	return a.cobra(command{
		use:     "balance",
		short:   "Tell how much there is",
		example: `  tradechat --user alice balance`,
		run: func(ctx context.Context, _ []string) (result, error) {
			var b client.Balance
			err := a.loggedIn(ctx, func(c *client.Client) (err error) {
				b, err = c.Balance(ctx)
				return err
			})
			if err != nil {
				return nil, err
			}
			return balance{BalanceMinor: b.Minor, LastTxnID: b.LastTxnID}, nil
		},
	})
}

type history struct {
	Transactions []transaction `json:"transactions"` // newest first
}

type transaction struct {
	TxnID             uint64    `json:"txn_id"`
	Time              time.Time `json:"time"`
	Kind              string    `json:"kind"`
	PeerUserID        uint32    `json:"peer_user_id"` // 0 unless it is a transfer
	DeltaMinor        int64     `json:"delta_minor"`
	BalanceAfterMinor int64     `json:"balance_after_minor"`
}

func (h history) writeText(w io.Writer) {
	if len(h.Transactions) == 0 {
		fmt.Fprintln(w, "no transactions")
		return
	}
	t := table{columns: []column{{"TXN", true}, {"TIME", false}, {"KIND", false}, {"AMOUNT", true}, {"BALANCE", true}, {"OTHER USER", true}}}
	for _, x := range h.Transactions {
		peer := ""
		if x.PeerUserID != 0 {
			peer = "#" + strconv.FormatUint(uint64(x.PeerUserID), 10)
		}
		t.add(strconv.FormatUint(x.TxnID, 10), x.Time.Local().Format(time.DateTime), x.Kind, money.FormatChange(x.DeltaMinor),
			money.Format(x.BalanceAfterMinor), peer)
	}
	t.write(w, "")
}

func (a *app) historyCommand() *cobra.Command {
	var limit int
	made := a.cobra(command{
		use:   "history",
		short: "List one's transactions, newest first",
		long:  "The other side of a transfer is shown by its user id.",
		example: `  tradechat --user alice history
  tradechat --user alice history --limit 1000 --json`,
		run: func(ctx context.Context, _ []string) (result, error) { return a.history(ctx, limit) },
	})
	made.Flags().IntVar(&limit, "limit", historyLimitDefault, "how many transactions at most")
	return made
}

func (a *app) history(ctx context.Context, limit int) (result, error) {
	if err := checkRange("--limit", limit, 1, historyLimitMost); err != nil {
		return nil, err
	}
	h := history{Transactions: []transaction{}}
	err := a.loggedIn(ctx, func(c *client.Client) error {
		for x, err := range c.AllTxns(ctx) {
			if err != nil {
				return err
			}
			h.Transactions = append(h.Transactions, transaction{
				TxnID:             x.ID,
				Time:              utc(x.Time),
				Kind:              x.Kind.String(),
				PeerUserID:        x.PeerUserID,
				DeltaMinor:        x.DeltaMinor,
				BalanceAfterMinor: x.BalanceAfterMinor,
			})
			if len(h.Transactions) == limit {
				return nil
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return h, nil
}
