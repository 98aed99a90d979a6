package moneycheck

import "tradechat.internal/loadgen/internal/mix"

// margin is how far balances may be off because of postings that were applied or not: each user's by -down … +up, and
// the sum of all by -sumDown … +sumUp.
type margin struct {
	down, up       []int64 // by user, minor units, not negative
	sumDown, sumUp int64
	postings       uint64
}

func newMargin(users int) margin { return margin{down: make([]int64, users), up: make([]int64, users)} }

func (m *margin) add(p Posting) {
	amount := int64(p.Amount)
	m.postings++
	switch p.Op {
	case mix.Deposit:
		m.up[p.User] += amount
		m.sumUp += amount
	case mix.Withdraw:
		m.down[p.User] += amount
		m.sumDown += amount
	case mix.Transfer:
		m.down[p.User] += amount
		m.up[p.Peer] += amount
	case mix.TransferBatch:
		for _, leg := range *p.Legs {
			m.down[p.User] += int64(leg.Amount)
			m.up[leg.Peer] += int64(leg.Amount)
		}
	}
}

func (m *margin) merge(other *margin) {
	addAll(m.down, other.down)
	addAll(m.up, other.up)
	m.sumDown += other.sumDown
	m.sumUp += other.sumUp
	m.postings += other.postings
}

func addAll(to, values []int64) {
	for i, v := range values {
		to[i] += v
	}
}
