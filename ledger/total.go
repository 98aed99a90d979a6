package ledger

import (
	"errors"
	"fmt"
	"math/big"
	"math/bits"
)

// Total is a sum of amounts of many accounts or records, 128 bits wide: no number of 64-bit amounts that there can be makes it wrap.
type Total struct{ hi, lo uint64 }

// TotalOf is a total of one amount.
func TotalOf(amount uint64) Total { return Total{lo: amount} }

// Plus is t and an amount.
func (t Total) Plus(amount uint64) Total {
	lo, carry := bits.Add64(t.lo, amount, 0)
	return Total{t.hi + carry, lo}
}

// Minus is t without another total; false if that is the larger one.
func (t Total) Minus(u Total) (Total, bool) {
	lo, borrow := bits.Sub64(t.lo, u.lo, 0)
	hi, borrow := bits.Sub64(t.hi, u.hi, borrow)
	return Total{hi, lo}, borrow == 0
}

// Uint64 is the total if it fits.
func (t Total) Uint64() (amount uint64, fits bool) { return t.lo, t.hi == 0 }

// Is tells whether t is that amount.
func (t Total) Is(amount uint64) bool { return t == Total{lo: amount} }

func (t Total) String() string { return t.big().String() }

func (t Total) big() *big.Int {
	n := new(big.Int).SetUint64(t.hi)
	return n.Lsh(n, 64).Or(n, new(big.Int).SetUint64(t.lo))
}

// MarshalJSON writes a number, of as many digits as it takes.
func (t Total) MarshalJSON() ([]byte, error) { return []byte(t.String()), nil }

// errTotal is the error of what is no Total.
var errTotal = errors.New("not a sum of amounts")

// UnmarshalJSON reads what MarshalJSON writes.
func (t *Total) UnmarshalJSON(text []byte) error {
	n, ok := new(big.Int).SetString(string(text), 10)
	if !ok || n.Sign() < 0 || n.BitLen() > 128 {
		return fmt.Errorf("%w: %s", errTotal, text)
	}
	t.lo = new(big.Int).And(n, new(big.Int).SetUint64(^uint64(0))).Uint64()
	t.hi = new(big.Int).Rsh(n, 64).Uint64()
	return nil
}
