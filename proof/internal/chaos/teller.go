package chaos

import (
	"context"
	"errors"
	"math/rand/v2"

	"tradechat.internal/client"
	"tradechat.internal/libproto"
	"tradechat.internal/proof/internal/bankcheck"
	"tradechat.internal/testkit/clock"
	"tradechat.internal/testkit/server"
)

// teller is one client that moves money between the accounts of its group.
type teller struct {
	bank    *bank
	client  *client.Client
	name    string
	number  int
	account int
	peers   []server.User
	random  *rand.Rand

	ops     []bankcheck.Op // of the present window
	open    []openOp       // of these, what nobody could say yet
	balance int64          // as it was read at the window's end
	hasRead bool
}

// openOp is an operation with an unknown outcome.
type openOp struct {
	at             int // in ops
	session, reqID uint64
}

// window makes some operations.
func (t *teller) window(ctx context.Context, stop <-chan struct{}) {
	t.hasRead = false
	for range windowOps {
		select {
		case <-stop:
			return
		default:
		}
		if clock.Sleep(ctx, upTo(t.random, thinkMost)) != nil || t.client.Err() != nil {
			return
		}
		t.one(ctx)
	}
}

// one makes up an operation and makes it.
func (t *teller) one(ctx context.Context) {
	op := bankcheck.Op{Client: t.number, Account: t.account, Amount: 1 + t.random.Int64N(amountMost)}
	switch t.random.IntN(10) {
	case 0, 1:
		op.Kind = bankcheck.Deposit
	case 2, 3, 4: // more often than deposits: accounts are to run dry
		op.Kind = bankcheck.Withdraw
	case 5:
		op.Kind, op.Amount = bankcheck.Read, 0
	default:
		op.Kind = bankcheck.Transfer
		op.To = (t.account + 1 + t.random.IntN(groupAccounts-1)) % groupAccounts
	}
	if t.random.Float64() < impatientShare {
		impatient, cancel := context.WithTimeout(ctx, upTo(t.random, impatientMost))
		defer cancel()
		ctx = impatient
	}
	op.Invoke = t.bank.now()
	posting, err := t.call(ctx, op)
	op.Return = t.bank.now()
	op.Balance, op.Txn = posting.BalanceMinor, posting.TxnID
	t.book(op, err)
}

func (t *teller) call(ctx context.Context, op bankcheck.Op) (client.Posting, error) {
	switch op.Kind {
	case bankcheck.Deposit:
		return t.client.Deposit(ctx, uint64(op.Amount))
	case bankcheck.Withdraw:
		return t.client.Withdraw(ctx, uint64(op.Amount))
	case bankcheck.Transfer:
		return t.client.Transfer(ctx, t.peers[op.To].ID, uint64(op.Amount))
	}
	balance, err := t.client.Balance(ctx)
	return client.Posting{BalanceMinor: balance.Minor}, err
}

// book adds an operation to the history. One that certainly had no effect is no part of it.
func (t *teller) book(op bankcheck.Op, err error) {
	counts := &t.bank.counts
	var unknown *client.OutcomeError
	switch {
	case err == nil:
		counts.applied.Add(1)
	case errors.As(err, &unknown):
		counts.unknown.Add(1)
		op.Outcome = bankcheck.Unknown
		t.open = append(t.open, openOp{len(t.ops), unknown.SessionID, unknown.ReqID})
	case errors.Is(err, client.ErrInsufficientFunds):
		counts.refused.Add(1)
		op.Outcome = bankcheck.Refused
	case hadNoEffect(err) || errors.Is(err, context.Canceled):
		counts.noEffect.Add(1)
		return
	default:
		t.bank.faults.note("%s: %v: %v", t.name, op, err)
		return
	}
	t.ops = append(t.ops, op)
}

// resolve asks what became of operations whose outcome is unknown. What was not applied by then will not be: the request
// before it on the connection has been dealt with, and those of an earlier connection or session take no effect any more.
func (t *teller) resolve(ctx context.Context) {
	counts := &t.bank.counts
	gone := make(map[int]bool)
	for _, o := range t.open {
		var outcome client.TxnOutcome
		err := insist(ctx, t.client, func(ctx context.Context) (err error) {
			outcome, err = t.client.TxnStatus(ctx, o.session, o.reqID)
			return err
		})
		op := &t.ops[o.at]
		switch {
		case err == nil && outcome.Outcome == libproto.TxnApplied:
			counts.resolvedApplied.Add(1)
			op.Outcome, op.Balance, op.Txn = bankcheck.Applied, outcome.BalanceAfterMinor, outcome.TxnID
		case err == nil && (outcome.Outcome == libproto.TxnNotApplied || outcome.Outcome == libproto.TxnPending):
			counts.resolvedNot.Add(1)
			gone[o.at] = true
		default:
			counts.unresolved.Add(1)
		}
		op.Return = t.bank.now()
	}
	t.open = nil
	if len(gone) == 0 {
		return
	}
	kept := t.ops[:0]
	for i, op := range t.ops {
		if !gone[i] {
			kept = append(kept, op)
		}
	}
	t.ops = kept
}

// read reads the balance when nothing is under way in the group.
func (t *teller) read(ctx context.Context) {
	op := bankcheck.Op{Kind: bankcheck.Read, Client: t.number, Account: t.account}
	err := insist(ctx, t.client, func(ctx context.Context) error {
		op.Invoke = t.bank.now()
		balance, err := t.client.Balance(ctx)
		op.Return, op.Balance = t.bank.now(), balance.Minor
		return err
	})
	if t.hasRead = err == nil; t.hasRead {
		t.balance = op.Balance
		t.ops = append(t.ops, op)
	}
}
