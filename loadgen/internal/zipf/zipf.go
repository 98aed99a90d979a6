// Package zipf draws ranks of which the first are drawn far more often than the last: rank k, from 1, in proportion to
// 1/k^skew. A skew of 0 is even, 1 is what is seen of accounts, words and web pages, and above 2 nearly all falls on the
// first. (math/rand/v2 has a Zipf of its own, for skews above 1 alone.)
package zipf

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
)

// ErrSkew is the error of a skew that cannot be used.
var ErrSkew = errors.New("unusable skew")

// SkewMax bounds the skew.
const SkewMax = 5.0

// Table draws one of 0 … n-1 in constant time, by Walker's alias method (Vose 1991): a column is drawn evenly, and then either
// the column itself or its alias. It does not change: any number of threads may draw.
type Table struct {
	columns []column
}

type column struct {
	keep  uint32 // of 2^32: how often the column itself is meant
	alias uint32
}

// New makes the table of n ranks, n ≥ 1.
func New(n int, skew float64) (*Table, error) {
	if !(skew >= 0 && skew <= SkewMax) {
		return nil, fmt.Errorf("%w: %v: allowed: 0 … %v", ErrSkew, skew, SkewMax)
	}
	weights := make([]float64, n)
	total := 0.0
	for i := range weights {
		weights[i] = math.Pow(float64(i+1), -skew)
		total += weights[i]
	}
	t := &Table{columns: make([]column, n)}
	var small, large []int
	for i := range weights {
		weights[i] *= float64(n) / total // 1: as often as the even share
		t.columns[i] = column{keep: math.MaxUint32, alias: uint32(i)}
		if weights[i] < 1 {
			small = append(small, i)
		} else {
			large = append(large, i)
		}
	}
	for len(small) > 0 && len(large) > 0 {
		lack, plenty := small[len(small)-1], large[len(large)-1]
		small = small[:len(small)-1]
		t.columns[lack] = column{keep: uint32(weights[lack] * math.MaxUint32), alias: uint32(plenty)}
		if weights[plenty] -= 1 - weights[lack]; weights[plenty] < 1 {
			large = large[:len(large)-1]
			small = append(small, plenty)
		}
	}
	return t, nil
}

// Draw takes 64 bits drawn evenly and returns a rank, counted from 0.
func (t *Table) Draw(drawn uint64) uint32 {
	at, rest := bits.Mul64(drawn, uint64(len(t.columns)))
	if c := &t.columns[at]; uint32(rest>>32) >= c.keep {
		return c.alias
	}
	return uint32(at)
}
