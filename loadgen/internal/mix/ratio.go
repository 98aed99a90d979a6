package mix

import (
	"fmt"
	"strconv"
	"strings"
)

// RatioMax bounds each number of a TradeRatio: a mix of them stays below 2^32.
const RatioMax = 1_000_000

// TradeRatio is how TRANSFER, WITHDRAW, DEPOSIT and BALANCE divide the trade mix, in this order. It is a flag's value:
// its text is four numbers with commas between them.
type TradeRatio [4]uint32

// TradeRatioDefault moves money mostly between users, and takes out as much as it brings in.
var TradeRatioDefault = TradeRatio{60, 10, 10, 20}

func (r *TradeRatio) String() string {
	return fmt.Sprintf("%d,%d,%d,%d", r[0], r[1], r[2], r[3])
}

// Set parses the text; r keeps its value if that fails.
func (r *TradeRatio) Set(text string) error {
	parts := strings.Split(text, ",")
	if len(parts) != len(r) {
		return fmt.Errorf("%q has %d numbers: want %d, TRANSFER,WITHDRAW,DEPOSIT,BALANCE", text, len(parts), len(r))
	}
	var parsed TradeRatio
	for i, part := range parts {
		share, err := strconv.ParseUint(strings.TrimSpace(part), 10, 32)
		if err != nil || share > RatioMax {
			return fmt.Errorf("%q is not a number of 0 … %d", part, RatioMax)
		}
		parsed[i] = uint32(share)
	}
	if parsed == (TradeRatio{}) {
		return fmt.Errorf("%w: %s", ErrEmpty, text)
	}
	*r = parsed
	return nil
}

// Type is the name of the value in help texts.
func (r *TradeRatio) Type() string { return "T,W,D,B" }

func (r TradeRatio) shares() Shares {
	return Shares{Transfer: uint64(r[0]), Withdraw: uint64(r[1]), Deposit: uint64(r[2]), Balance: uint64(r[3])}
}
