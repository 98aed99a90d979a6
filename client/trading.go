package client

import (
	"context"
	"fmt"
	"iter"
	"time"

	"tradechat.internal/libproto"
)

// Posting is what an applied transaction left on the account.
type Posting struct {
	BalanceMinor int64
	TxnID        uint64 // its number in the server's one sequence of transactions
}

// Balance is what is on the account.
type Balance struct {
	Minor     int64
	LastTxnID uint64 // the account's last transaction; 0: none
}

// Txn is one transaction of the account.
type Txn struct {
	ID                uint64
	Time              time.Time
	Kind              libproto.TxnKind
	PeerUserID        uint32 // the other side of a transfer, else 0
	DeltaMinor        int64  // negative when money left
	BalanceAfterMinor int64
}

// Leg is one transfer of a batch.
type Leg struct {
	ToUserID    uint32
	AmountMinor uint64
}

// LegResult is what became of a leg.
type LegResult struct {
	TxnID uint64 // 0 unless Err is nil
	Err   error  // a *StatusError, nil for a leg that was applied
}

// TxnOutcome is what became of an earlier money request.
type TxnOutcome struct {
	Outcome           libproto.TxnOutcome
	TxnID             uint64 // 0 unless applied
	BalanceAfterMinor int64  // 0 unless applied
}

// Deposit brings money in: 1 … libproto.AmountMax minor units.
func (c *Client) Deposit(ctx context.Context, amountMinor uint64) (Posting, error) {
	return c.post(ctx, libproto.OpDeposit, amountMinor, libproto.DepositRequest{Amount: amountMinor})
}

// Withdraw takes money out; more than there is is ErrInsufficientFunds.
func (c *Client) Withdraw(ctx context.Context, amountMinor uint64) (Posting, error) {
	return c.post(ctx, libproto.OpWithdraw, amountMinor, libproto.WithdrawRequest{Amount: amountMinor})
}

// Transfer gives money to another user, whose id LookupUser finds.
func (c *Client) Transfer(ctx context.Context, toUserID uint32, amountMinor uint64) (Posting, error) {
	return c.post(ctx, libproto.OpTransfer, amountMinor, libproto.TransferRequest{ToUserID: toUserID, Amount: amountMinor})
}

func (c *Client) post(ctx context.Context, op libproto.Opcode, amountMinor uint64, req libproto.Body) (Posting, error) {
	if err := checkAmount(amountMinor); err != nil {
		return Posting{}, err
	}
	r, err := ask[libproto.TxnResponse](ctx, c, op, req)
	return Posting{BalanceMinor: r.Balance, TxnID: r.TxnID}, err
}

// TransferBatch makes 1 … libproto.BatchLegsMax transfers, which run in order and independently: each has a result of
// its own. The balance is the one after the last.
func (c *Client) TransferBatch(ctx context.Context, legs []Leg) (balanceMinor int64, results []LegResult, err error) {
	if len(legs) == 0 || len(legs) > libproto.BatchLegsMax {
		return 0, nil, fmt.Errorf("%w: a batch of %d legs, want 1 … %d", ErrInvalidArgument, len(legs), libproto.BatchLegsMax)
	}
	var req libproto.TransferBatchRequest
	for _, leg := range legs {
		if err := checkAmount(leg.AmountMinor); err != nil {
			return 0, nil, err
		}
		req.Legs = append(req.Legs, libproto.TransferLeg{ToUserID: leg.ToUserID, Amount: leg.AmountMinor})
	}
	r, err := ask[libproto.TransferBatchResponse](ctx, c, libproto.OpTransferBatch, req)
	if err != nil {
		return 0, nil, err
	}
	if len(r.Results) != len(legs) {
		return 0, nil, fmt.Errorf("%w: %w: %d results for a batch of %d legs", ErrOutcomeUnknown, ErrProtocol, len(r.Results), len(legs))
	}
	for _, result := range r.Results {
		results = append(results, legResult(result))
	}
	return r.Balance, results, nil
}

func legResult(r libproto.LegResult) LegResult {
	if r.Status == libproto.StatusOK {
		return LegResult{TxnID: r.TxnID}
	}
	return LegResult{Err: &StatusError{Op: libproto.OpTransferBatch, Status: r.Status}}
}

// Balance reads the account.
func (c *Client) Balance(ctx context.Context) (Balance, error) {
	r, err := ask[libproto.BalanceResponse](ctx, c, libproto.OpBalance, libproto.Empty{})
	return Balance{Minor: r.Balance, LastTxnID: r.LastTxnID}, err
}

// TxnHistory returns at most limit transactions of the account that came before beforeTxnID (0: the newest), newest
// first; never more than one response holds. AllTxns goes through all of them.
func (c *Client) TxnHistory(ctx context.Context, beforeTxnID uint64, limit uint16) ([]Txn, error) {
	r, err := ask[libproto.TxnHistoryResponse](ctx, c, libproto.OpTxnHistory, libproto.TxnHistoryRequest{
		BeforeTxnID: beforeTxnID,
		RowsMax:     limit,
	})
	if err != nil {
		return nil, err
	}
	txns := make([]Txn, len(r.Txns))
	for i, t := range r.Txns {
		txns[i] = Txn{
			ID:                t.TxnID,
			Time:              timeOf(t.TimeNs),
			Kind:              t.Kind,
			PeerUserID:        t.PeerUserID,
			DeltaMinor:        t.Delta,
			BalanceAfterMinor: t.BalanceAfter,
		}
	}
	return txns, nil
}

// AllTxns goes through the account's transactions, newest first. An error is the last thing that it yields.
func (c *Client) AllTxns(ctx context.Context) iter.Seq2[Txn, error] {
	fetch := func(before uint64) ([]Txn, error) { return c.TxnHistory(ctx, before, libproto.ListRowsMax) }
	return pages(fetch, func(t Txn) uint64 { return t.ID }, descending)
}

// TxnStatus tells what became of a money request of this user that an *OutcomeError names.
func (c *Client) TxnStatus(ctx context.Context, sessionID, reqID uint64) (TxnOutcome, error) {
	r, err := ask[libproto.TxnStatusResponse](ctx, c, libproto.OpTxnStatus, libproto.TxnStatusRequest{
		SessionID: sessionID,
		ReqID:     reqID,
	})
	return TxnOutcome{Outcome: r.Outcome, TxnID: r.TxnID, BalanceAfterMinor: r.BalanceAfter}, err
}

func checkAmount(amountMinor uint64) error {
	if amountMinor == 0 || amountMinor > libproto.AmountMax {
		return fmt.Errorf("%w: amount %d, want 1 … %d minor units", ErrInvalidArgument, amountMinor, uint64(libproto.AmountMax))
	}
	return nil
}
