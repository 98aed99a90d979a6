package moneycheck

import (
	"tradechat.internal/loadgen/internal/findings"
	"tradechat.internal/loadgen/internal/mix"
)

// Audit brings the books together. Call Settle for each of Unknown, then Judge.
type Audit struct {
	opening  []int64
	deltas   []int64
	counts   [mix.OpCount]uint64
	amounts  [mix.OpCount]uint64
	unknown  []Posting
	margin   margin
	settled  [Undecided + 1]uint64
	problems findings.Log
}

// NewAudit takes the users' balances of before the load, and every thread's book.
func NewAudit(opening []int64, books []*Book) *Audit {
	a := &Audit{opening: opening, deltas: make([]int64, len(opening)), margin: newMargin(len(opening))}
	for _, b := range books {
		addAll(a.deltas, b.deltas)
		a.unknown = append(a.unknown, b.unknown...)
		a.margin.merge(&b.wide)
		for op := range b.counts {
			a.counts[op] += b.counts[op]
			a.amounts[op] += b.amounts[op]
		}
		for outcome, count := range b.settled {
			a.settled[outcome] += count
		}
		a.problems.Merge(&b.problems)
	}
	a.settled[Undecided] = a.margin.postings
	return a
}

// Unknown lists the postings whose outcome is to be found out.
func (a *Audit) Unknown() []Posting { return a.unknown }

// Settle takes the outcome of an unknown posting.
func (a *Audit) Settle(p Posting, outcome Outcome) {
	outcome = p.known(outcome)
	a.settled[outcome]++
	switch outcome {
	case Applied:
		p.addTo(a.deltas)
		a.counts[p.Op]++
		a.amounts[p.Op] += p.Amount
	case Undecided:
		a.margin.add(p)
	}
}

// Verdict says whether the money adds up. Amounts are minor units.
type Verdict struct {
	OK                bool     `json:"ok"`
	Users             int      `json:"users"`
	Opening           int64    `json:"opening_sum"`
	Deposited         uint64   `json:"deposited"`
	Withdrawn         uint64   `json:"withdrawn"`
	Transferred       uint64   `json:"transferred"`
	ExpectedMin       int64    `json:"expected_sum_min"`
	ExpectedMax       int64    `json:"expected_sum_max"`
	Final             int64    `json:"final_sum"`
	UnknownApplied    uint64   `json:"unknown_applied"`
	UnknownNotApplied uint64   `json:"unknown_not_applied"`
	UnknownUndecided  uint64   `json:"unknown_undecided"`
	ProblemCount      uint64   `json:"problem_count"`
	Problems          []string `json:"problems,omitempty"`
}

// Judge compares the final balances, by user, with what must be there.
func (a *Audit) Judge(final []int64) Verdict {
	for user, balance := range final {
		a.judgeUser(user, balance)
	}
	sum := total(a.opening) + total(a.deltas)
	v := Verdict{
		Users:             len(final),
		Opening:           total(a.opening),
		Deposited:         a.amounts[mix.Deposit],
		Withdrawn:         a.amounts[mix.Withdraw],
		Transferred:       a.amounts[mix.Transfer],
		ExpectedMin:       sum - a.margin.sumDown,
		ExpectedMax:       sum + a.margin.sumUp,
		Final:             total(final),
		UnknownApplied:    a.settled[Applied],
		UnknownNotApplied: a.settled[NotApplied],
		UnknownUndecided:  a.settled[Undecided],
	}
	if v.Final < v.ExpectedMin || v.Final > v.ExpectedMax {
		a.problems.Add("the sum of all balances is %d, want %d … %d", v.Final, v.ExpectedMin, v.ExpectedMax)
	}
	v.ProblemCount, v.Problems = a.problems.Count(), a.problems.Examples()
	v.OK = v.ProblemCount == 0
	return v
}

// Unread is the verdict when the final balances could not be read.
func (a *Audit) Unread(err error) Verdict {
	a.problems.Add("the final balances could not be read: %v", err)
	return Verdict{Users: len(a.opening), Opening: total(a.opening), ProblemCount: a.problems.Count(),
		Problems: a.problems.Examples()}
}

func (a *Audit) judgeUser(user int, balance int64) {
	want := a.opening[user] + a.deltas[user]
	least, most := want-a.margin.down[user], want+a.margin.up[user]
	if balance < least || balance > most {
		a.problems.Add("user %d has %d, want %d … %d: opening balance %d, and %+d by acked requests", user, balance, least, most,
			a.opening[user], a.deltas[user])
	}
	if balance < 0 {
		a.problems.Add("user %d has %d, which is below zero", user, balance)
	}
}

func total(values []int64) (sum int64) {
	for _, v := range values {
		sum += v
	}
	return sum
}
