// Package mix says which requests a load is made of, and in which proportions.
package mix

import (
	"errors"
	"fmt"
	"strings"

	"tradechat.internal/libproto"
)

// ErrUnknown is the error of a mix that has no such name, ErrEmpty of one in which no request has a share.
var (
	ErrUnknown = errors.New("unknown mix")
	ErrEmpty   = errors.New("a mix needs a share that is not zero")
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

	// OpCount is the number of kinds.
	OpCount = 6
)

var opcodes = [OpCount]libproto.Opcode{
	ChatSend:  libproto.OpChatSend,
	Heartbeat: libproto.OpHeartbeat,
	Transfer:  libproto.OpTransfer,
	Withdraw:  libproto.OpWithdraw,
	Deposit:   libproto.OpDeposit,
	Balance:   libproto.OpBalance,
}

// Opcode is what the request is called on the wire.
func (o Op) Opcode() libproto.Opcode { return opcodes[o] }

// String returns the wire's name, such as "TRANSFER".
func (o Op) String() string { return opcodes[o].String() }

// MovesMoney reports whether an answered request of this kind changes a balance.
func (o Op) MovesMoney() bool { return o == Transfer || o == Withdraw || o == Deposit }

// Mix draws kinds of requests in proportion to their shares. A Mix does not change: any number of threads may draw.
type Mix struct {
	name   string
	bounds [OpCount]uint64 // sums of the shares up to and with each kind
}

// The names that Named takes.
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

// Named returns the mix of that name: Chat is 80 % CHAT_SEND and 20 % HEARTBEAT, Trade follows the ratio, and Mixed is
// half of one and half of the other.
func Named(name string, ratio TradeRatio) (*Mix, error) {
	chat := Shares{ChatSend: chatShare, Heartbeat: heartbeatShare}
	switch name {
	case Chat:
		return New(name, chat)
	case Trade:
		return New(name, ratio.shares())
	case Mixed:
		trade := ratio.shares()
		return New(name, chat.times(trade.sum()).plus(trade.times(chat.sum())))
	}
	return nil, fmt.Errorf("%w %q: one of %s", ErrUnknown, name, strings.Join(Names(), ", "))
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
func New(name string, shares Shares) (*Mix, error) {
	m := &Mix{name: name}
	total := uint64(0)
	for op, share := range shares {
		total += share
		m.bounds[op] = total
	}
	if total == 0 {
		return nil, fmt.Errorf("%w: %s", ErrEmpty, name)
	}
	return m, nil
}

// Name is the name it was made with.
func (m *Mix) Name() string { return m.name }

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
