package libproto

import "slices"

// TransferLeg is one transfer of a batch, of the same shape as a TRANSFER.
type TransferLeg = TransferRequest

const transferLegLen = 4 + 8

// TransferBatchRequest holds 1 … BatchLegsMax transfers, which run in order and independently of each other.
type TransferBatchRequest struct {
	Legs []TransferLeg // 1 … BatchLegsMax
}

func (b TransferBatchRequest) AppendTo(dst []byte) []byte {
	dst = appendLen(dst, len(b.Legs))
	for i := range b.Legs {
		dst = b.Legs[i].AppendTo(dst)
	}
	return dst
}

// Decode answers ErrCount where there is no leg, or more than BatchLegsMax.
func (b *TransferBatchRequest) Decode(body []byte) error {
	c := cursor{rest: body}
	n := c.count(transferLegLen)
	if c.err == nil && (n < 1 || n > BatchLegsMax) {
		return ErrCount
	}
	b.Legs = slices.Grow(b.Legs[:0], n)
	for range n {
		b.Legs = append(b.Legs, TransferLeg{ToUserID: c.u32(), Amount: c.u64()})
	}
	return c.end()
}

// LegResult is what became of one leg.
type LegResult struct {
	Status Status
	TxnID  uint64 // 0 unless the status is StatusOK
}

const legResultLen = 2 + 8

// EncodedLen returns the row's length on the wire, in bytes.
func (r LegResult) EncodedLen() int { return legResultLen }

// TransferBatchResponse holds a result for each leg, in the order of the legs.
type TransferBatchResponse struct {
	Balance int64       // minor units, after the last leg
	Results []LegResult // 0 … BatchLegsMax
}

func (b TransferBatchResponse) AppendTo(dst []byte) []byte {
	dst = appendLen(be.AppendUint64(dst, uint64(b.Balance)), len(b.Results))
	for i := range b.Results {
		dst = be.AppendUint64(be.AppendUint16(dst, uint16(b.Results[i].Status)), b.Results[i].TxnID)
	}
	return dst
}

func (b *TransferBatchResponse) Decode(body []byte) error {
	c := cursor{rest: body}
	b.Balance = c.i64()
	n := c.count(legResultLen)
	b.Results = slices.Grow(b.Results[:0], n)
	for range n {
		b.Results = append(b.Results, LegResult{Status: Status(c.u16()), TxnID: c.u64()})
	}
	return c.end()
}
