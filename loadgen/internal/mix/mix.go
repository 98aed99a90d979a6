// Package mix says which requests a load is made of, and in which proportions.
package mix

import (
	"errors"
	"fmt"
	"strings"

	"tradechat.internal/libproto"
)

var (
	// ErrUnknown is the error of a mix that has no such name, and of shares that cannot be read.
	ErrUnknown = errors.New("unknown mix")

	// ErrEmpty is the error of a mix in which no request has a share.
	ErrEmpty = errors.New("a mix needs a share that is not zero")

	// ErrBatch is the error of batches without transfers, and of the reverse.
	ErrBatch = errors.New("batches and the mix do not fit")
)

// Op is a kind of request that a load is made of: a dense index for tables.
type Op uint8

const (
	ChatSend Op = iota
	Heartbeat
	Transfer
	Withdraw
	Deposit
	Balance
	TransferBatch

	// OpCount is the number of kinds.
	OpCount = 7
)

var opcodes = [OpCount]libproto.Opcode{
	ChatSend:      libproto.OpChatSend,
	Heartbeat:     libproto.OpHeartbeat,
	Transfer:      libproto.OpTransfer,
	Withdraw:      libproto.OpWithdraw,
	Deposit:       libproto.OpDeposit,
	Balance:       libproto.OpBalance,
	TransferBatch: libproto.OpTransferBatch,
}

// Opcode is what the request is called on the wire.
func (o Op) Opcode() libproto.Opcode { return opcodes[o] }

// String returns the wire's name, such as "TRANSFER".
func (o Op) String() string { return opcodes[o].String() }

// MovesMoney reports whether an answered request of this kind changes a balance.
func (o Op) MovesMoney() bool {
	return o == Transfer || o == Withdraw || o == Deposit || o == TransferBatch
}

// Mix draws kinds of requests in proportion to their shares. A Mix does not change: any number of threads may draw.
type Mix struct {
	bounds [OpCount]uint64 // sums of the shares up to and with each kind
}

// The names that Parse takes.
const (
	Chat  = "chat"
	Trade = "trade"
	Mixed = "mixed"
)

// Names lists them.
func Names() []string { return []string{Chat, Trade, Mixed} }

// In the chat mix of five requests four are messages.
const (
	chatShare      = 4
	heartbeatShare = 1
)

// named returns the shares of a name: Chat is 80 % CHAT_SEND and 20 % HEARTBEAT, Trade follows the ratio, and Mixed is
// half of one and half of the other.
func named(name string, ratio TradeRatio) (Shares, error) {
	chat := Shares{ChatSend: chatShare, Heartbeat: heartbeatShare}
	switch name {
	case Chat:
		return chat, nil
	case Trade:
		return ratio.shares(), nil
	case Mixed:
		trade := ratio.shares()
		return chat.times(trade.sum()).plus(trade.times(chat.sum())), nil
	}
	return Shares{}, fmt.Errorf("%w %q: one of %s, or shares such as transfer=60,balance=20,chat=20", ErrUnknown, name,
		strings.Join(Names(), ", "))
}

// Shares are the parts that the kinds have in a mix; only their proportion counts.
type Shares [OpCount]uint64

func (s Shares) sum() (total uint64) {
	for _, share := range s {
		total += share
	}
	return total
}

func (s Shares) times(factor uint64) Shares {
	for i := range s {
		s[i] *= factor
	}
	return s
}

func (s Shares) plus(other Shares) Shares {
	for i := range s {
		s[i] += other[i]
	}
	return s
}

// New makes a mix of shares whose sum is below 2^32.
func New(shares Shares) (*Mix, error) {
	m := &Mix{}
	total := uint64(0)
	for op, share := range shares {
		total += share
		m.bounds[op] = total
	}
	if total == 0 {
		return nil, ErrEmpty
	}
	return m, nil
}

// Pick returns the kind that a number drawn evenly from all of uint32 falls on.
func (m *Mix) Pick(drawn uint32) Op {
	at := uint64(drawn) * m.bounds[OpCount-1] >> 32
	op := Op(0)
	for at >= m.bounds[op] {
		op++
	}
	return op
}

// Share is the part of all requests that are of one kind, 0 … 1.
func (m *Mix) Share(op Op) float64 {
	before := uint64(0)
	if op > 0 {
		before = m.bounds[op-1]
	}
	return float64(m.bounds[op]-before) / float64(m.bounds[OpCount-1])
}

// Has reports whether the kind occurs.
func (m *Mix) Has(op Op) bool { return m.Share(op) > 0 }
