package libproto

import "slices"

// TxnKind says what a transaction was to the account whose history it is in.
type TxnKind uint8

const (
	TxnDeposit TxnKind = 1 + iota
	TxnWithdraw
	TxnTransferOut
	TxnTransferIn
)

var txnKindNames = []string{"", "deposit", "withdraw", "transfer out", "transfer in"}

// String returns the kind in words, such as "transfer out"; an unknown one is "kind(9)".
func (k TxnKind) String() string { return nameOf(txnKindNames, "kind", uint(k)) }

// TxnOutcome says what became of a money request.
type TxnOutcome uint8

const (
	TxnNotApplied TxnOutcome = iota
	TxnApplied
	TxnForgotten // the log does not reach back that far
	TxnPending   // not applied so far; another connection has the session, and may still bring it
)

var txnOutcomeNames = []string{"not applied", "applied", "no longer known", "pending"}

// String returns the outcome in words, such as "not applied"; an unknown one is "outcome(9)".
func (o TxnOutcome) String() string { return nameOf(txnOutcomeNames, "outcome", uint(o)) }

// AmountRequest brings money in or takes it out.
type AmountRequest struct {
	Amount uint64 // minor units, 1 … AmountMax
}

func (b AmountRequest) AppendTo(dst []byte) []byte { return be.AppendUint64(dst, b.Amount) }

func (b *AmountRequest) Decode(body []byte) error {
	c := cursor{rest: body}
	*b = AmountRequest{Amount: c.u64()}
	return c.end()
}

// DEPOSIT and WITHDRAW have the same request.
type (
	DepositRequest  = AmountRequest
	WithdrawRequest = AmountRequest
)

// TransferRequest gives money to another user.
type TransferRequest struct {
	ToUserID uint32
	Amount   uint64 // minor units, 1 … AmountMax
}

func (b TransferRequest) AppendTo(dst []byte) []byte {
	return be.AppendUint64(be.AppendUint32(dst, b.ToUserID), b.Amount)
}

func (b *TransferRequest) Decode(body []byte) error {
	c := cursor{rest: body}
	*b = TransferRequest{ToUserID: c.u32(), Amount: c.u64()}
	return c.end()
}

// TxnResponse tells what an applied transaction left on the account.
type TxnResponse struct {
	Balance int64  // minor units
	TxnID   uint64 // its number in the server's one sequence of transactions
}

func (b TxnResponse) AppendTo(dst []byte) []byte {
	return be.AppendUint64(be.AppendUint64(dst, uint64(b.Balance)), b.TxnID)
}

func (b *TxnResponse) Decode(body []byte) error {
	c := cursor{rest: body}
	*b = TxnResponse{Balance: c.i64(), TxnID: c.u64()}
	return c.end()
}

// DEPOSIT, WITHDRAW and TRANSFER have the same response.
type (
	DepositResponse  = TxnResponse
	WithdrawResponse = TxnResponse
	TransferResponse = TxnResponse
)

// BalanceResponse tells what is on the account.
type BalanceResponse struct {
	Balance   int64  // minor units
	LastTxnID uint64 // the account's last transaction, 0: none
}

func (b BalanceResponse) AppendTo(dst []byte) []byte {
	return be.AppendUint64(be.AppendUint64(dst, uint64(b.Balance)), b.LastTxnID)
}

func (b *BalanceResponse) Decode(body []byte) error {
	c := cursor{rest: body}
	*b = BalanceResponse{Balance: c.i64(), LastTxnID: c.u64()}
	return c.end()
}

// TxnStatusRequest asks what became of a money request, of this session or an earlier one.
type TxnStatusRequest struct {
	SessionID, ReqID uint64
}

func (b TxnStatusRequest) AppendTo(dst []byte) []byte {
	return be.AppendUint64(be.AppendUint64(dst, b.SessionID), b.ReqID)
}

func (b *TxnStatusRequest) Decode(body []byte) error {
	c := cursor{rest: body}
	*b = TxnStatusRequest{SessionID: c.u64(), ReqID: c.u64()}
	return c.end()
}

// TxnStatusResponse tells it; the other fields are 0 unless the outcome is TxnApplied.
type TxnStatusResponse struct {
	Outcome      TxnOutcome
	TxnID        uint64
	BalanceAfter int64 // minor units
}

func (b TxnStatusResponse) AppendTo(dst []byte) []byte {
	dst = be.AppendUint64(append(dst, byte(b.Outcome)), b.TxnID)
	return be.AppendUint64(dst, uint64(b.BalanceAfter))
}

func (b *TxnStatusResponse) Decode(body []byte) error {
	c := cursor{rest: body}
	*b = TxnStatusResponse{Outcome: TxnOutcome(c.u8()), TxnID: c.u64(), BalanceAfter: c.i64()}
	return c.end()
}

// TxnHistoryRequest asks for one's own transactions, going back from BeforeTxnID.
type TxnHistoryRequest struct {
	BeforeTxnID uint64 // 0: from the newest
	RowsMax     uint16
}

func (b TxnHistoryRequest) AppendTo(dst []byte) []byte {
	return be.AppendUint16(be.AppendUint64(dst, b.BeforeTxnID), b.RowsMax)
}

func (b *TxnHistoryRequest) Decode(body []byte) error {
	c := cursor{rest: body}
	*b = TxnHistoryRequest{BeforeTxnID: c.u64(), RowsMax: c.u16()}
	return c.end()
}

// TxnInfo is one transaction of an account's history.
type TxnInfo struct {
	TxnID        uint64
	TimeNs       uint64 // since the Unix epoch
	Kind         TxnKind
	PeerUserID   uint32 // the other side of a transfer
	Delta        int64  // minor units, negative when money left
	BalanceAfter int64  // minor units
}

const txnInfoLen = 8 + 8 + 1 + 4 + 8 + 8

// EncodedLen returns the row's length on the wire, in bytes.
func (t TxnInfo) EncodedLen() int { return txnInfoLen }

// TxnHistoryResponse holds transactions, the newest first.
type TxnHistoryResponse struct {
	Txns []TxnInfo
}

func (b TxnHistoryResponse) AppendTo(dst []byte) []byte {
	dst = appendLen(dst, len(b.Txns))
	for i := range b.Txns {
		t := &b.Txns[i]
		dst = be.AppendUint64(be.AppendUint64(dst, t.TxnID), t.TimeNs)
		dst = be.AppendUint32(append(dst, byte(t.Kind)), t.PeerUserID)
		dst = be.AppendUint64(be.AppendUint64(dst, uint64(t.Delta)), uint64(t.BalanceAfter))
	}
	return dst
}

func (b *TxnHistoryResponse) Decode(body []byte) error {
	c := cursor{rest: body}
	n := c.count(txnInfoLen)
	b.Txns = slices.Grow(b.Txns[:0], n)
	for range n {
		b.Txns = append(b.Txns, TxnInfo{
			TxnID:        c.u64(),
			TimeNs:       c.u64(),
			Kind:         TxnKind(c.u8()),
			PeerUserID:   c.u32(),
			Delta:        c.i64(),
			BalanceAfter: c.i64(),
		})
	}
	return c.end()
}
