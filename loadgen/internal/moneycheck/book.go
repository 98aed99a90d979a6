package moneycheck

import (
	"tradechat.internal/loadgen/internal/findings"
	"tradechat.internal/loadgen/internal/mix"
)

// Posting is a request that moves money. Users are indices into the run's list of users.
type Posting struct {
	Session, ReqID uint64 // what TXN_STATUS asks by
	User, Peer     uint32 // Peer is who a transfer goes to
	Op             mix.Op // Deposit, Withdraw, Transfer or TransferBatch
	Amount         uint64 // minor units
	Legs           *[]Leg // TransferBatch; does not change
}

// Leg is one transfer of a batch.
type Leg struct {
	Peer   uint32
	Amount uint64 // minor units
}

// Outcome is what is known of a posting in the end.
type Outcome uint8

const (
	NotApplied Outcome = iota
	Applied
	Undecided // it counts as an interval
)

// known is what an outcome says of the posting. A batch of which TXN_STATUS says that it was applied stays undecided: its legs are
// independent, and which of them were is not told.
func (p Posting) known(outcome Outcome) Outcome {
	if p.Legs != nil && outcome == Applied {
		return Undecided
	}
	return outcome
}

// addTo adds what the posting, which is no batch, does to each user's balance.
func (p Posting) addTo(balances []int64) {
	if p.Op != mix.Deposit {
		balances[p.User] -= int64(p.Amount)
	}
	switch p.Op {
	case mix.Deposit:
		balances[p.User] += int64(p.Amount)
	case mix.Transfer:
		balances[p.Peer] += int64(p.Amount)
	}
}

// Book is what one thread knows of the money. Its thread owns it until the audit.
type Book struct {
	deltas  []int64 // by user: what acked answers did
	counts  [mix.OpCount]uint64
	amounts [mix.OpCount]uint64 // minor units, of acked answers
	unknown []Posting
	wide    margin // of what is unknown, and too much to ask for

	settled  [Undecided]uint64 // unknown ones whose outcome was found out
	problems findings.Log
}

// NewBook makes a book for so many users.
func NewBook(users int) *Book {
	return &Book{deltas: make([]int64, users), wide: newMargin(users)}
}

// Applied takes a posting whose answer is OK.
func (b *Book) Applied(p Posting) {
	b.counts[p.Op]++
	b.amounts[p.Op] += p.Amount
	p.addTo(b.deltas)
}

// AppliedLeg takes a leg whose result, in a batch's OK answer, is OK.
func (b *Book) AppliedLeg(user uint32, leg Leg) {
	b.Applied(Posting{User: user, Peer: leg.Peer, Op: mix.Transfer, Amount: leg.Amount})
}

// Settle takes a posting whose answer was lost and whose outcome was found out before the audit. An Undecided one is
// asked for again then.
func (b *Book) Settle(p Posting, outcome Outcome) {
	switch p.known(outcome) {
	case Applied:
		b.Applied(p)
		b.settled[Applied]++
	case NotApplied:
		b.settled[NotApplied]++
	case Undecided:
		b.Unknown(p)
	}
}

// Unknown takes a posting without a verdict.
func (b *Book) Unknown(p Posting) {
	if len(b.unknown) == unknownMax {
		b.wide.add(p)
		return
	}
	b.unknown = append(b.unknown, p)
}

// Told takes a balance that an answer told: none may be below zero.
func (b *Book) Told(user uint32, balance int64) {
	if balance < 0 {
		b.problems.Add("user %d was told a balance of %d", user, balance)
	}
}
