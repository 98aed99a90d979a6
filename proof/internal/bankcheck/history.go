package bankcheck

import "fmt"

// Kind is what an operation does.
type Kind uint8

const (
	Deposit Kind = iota
	Withdraw
	Transfer
	Read
)

var kindNames = [...]string{Deposit: "deposit", Withdraw: "withdraw", Transfer: "transfer", Read: "read"}

func (k Kind) String() string { return kindNames[k] }

// Outcome is what a client knows of an operation.
type Outcome uint8

const (
	Applied Outcome = iota // it took effect, and Balance is what was answered
	Refused                // there was too little money
	Unknown                // it took effect or not, nobody could say
)

var outcomeNames = [...]string{Applied: "applied", Refused: "refused", Unknown: "unknown"}

func (o Outcome) String() string { return outcomeNames[o] }

// Op is one operation of a client.
type Op struct {
	Kind    Kind
	Outcome Outcome
	Client  int
	Account int // of the group
	To      int // a transfer's receiver
	Amount  int64
	Balance int64  // of the account afterwards
	Txn     uint64 // number of the transaction, 0 if there was none
	Invoke  int64  // when it was called and when its outcome was known, on one clock
	Return  int64
}

func (op Op) String() string {
	text := fmt.Sprintf("client %d: %v %d", op.Client, op.Kind, op.Amount)
	switch op.Kind {
	case Transfer:
		text += fmt.Sprintf(" from account %d to %d", op.Account, op.To)
	case Read:
		text = fmt.Sprintf("client %d: read account %d", op.Client, op.Account)
	case Deposit, Withdraw:
		text += fmt.Sprintf(", account %d", op.Account)
	}
	if op.Outcome != Applied {
		return text + ": " + op.Outcome.String()
	}
	return text + fmt.Sprintf(": balance %d, transaction %d", op.Balance, op.Txn)
}

// moved reports whether the operation surely moved money.
func (op Op) moved() bool { return op.Kind != Read && op.Outcome == Applied }

// Balances is the state of a group.
type Balances [AccountsMax]int64

// Window is a part of a group's history that begins and ends with known balances.
type Window struct {
	Group int
	Start Balances
	Ops   []Op
}
