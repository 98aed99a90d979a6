package mix

import (
	"fmt"
	"strconv"
	"strings"
)

// words are the kinds as a custom mix names them.
var words = [OpCount]string{
	ChatSend:      "chat",
	Heartbeat:     "heartbeat",
	Transfer:      "transfer",
	Withdraw:      "withdraw",
	Deposit:       "deposit",
	Balance:       "balance",
	TransferBatch: "batch",
}

// Parse reads a mix: a name, whose trade part follows the ratio, or shares such as "transfer=60,balance=20,chat=20", of which
// only the proportion counts. With batched, transfers are sent as batches, unless the shares name batches themselves.
func Parse(text string, ratio TradeRatio, batched bool) (*Mix, error) {
	shares, err := parseShares(text, ratio)
	if err != nil {
		return nil, err
	}
	switch {
	case shares[TransferBatch] > 0 && !batched:
		return nil, fmt.Errorf("%w: %q has batches: --batch says of how many legs", ErrBatch, text)
	case shares[TransferBatch] == 0 && batched:
		shares[TransferBatch], shares[Transfer] = shares[Transfer], 0
	}
	if batched && shares[TransferBatch] == 0 {
		return nil, fmt.Errorf("%w: --batch is of no use: %q has neither transfers nor batches", ErrBatch, text)
	}
	return New(shares)
}

func parseShares(text string, ratio TradeRatio) (shares Shares, err error) {
	if !strings.Contains(text, "=") {
		return named(text, ratio)
	}
	for part := range strings.SplitSeq(text, ",") {
		word, number, _ := strings.Cut(part, "=")
		op, err := parseWord(strings.TrimSpace(word))
		if err != nil {
			return shares, err
		}
		share, err := strconv.ParseUint(strings.TrimSpace(number), 10, 32)
		if err != nil || share > RatioMax {
			return shares, fmt.Errorf("%w: the share in %q is not a number of 0 … %d", ErrUnknown, part, RatioMax)
		}
		if shares[op] != 0 {
			return shares, fmt.Errorf("%w: %q has two shares of %s", ErrUnknown, text, word)
		}
		shares[op] = share
	}
	return shares, nil
}

func parseWord(word string) (Op, error) {
	for op, known := range words {
		if word == known {
			return Op(op), nil
		}
	}
	return 0, fmt.Errorf("%w: no request is called %q: one of %s", ErrUnknown, word, strings.Join(words[:], ", "))
}
