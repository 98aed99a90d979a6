package peers

import (
	"fmt"

	"github.com/tidwall/redcon"

	"tradechat.internal/testkit/closedloop"
)

// redisExchange sends one command again and again, in RESP.
type redisExchange struct{ request []byte }

// AppendRequest adds the command.
func (r *redisExchange) AppendRequest(dst []byte) []byte { return append(dst, r.request...) }

// Answers takes anything but errors.
func (r *redisExchange) Answers(in []byte) (used, answers int, err error) {
	for used < len(in) {
		n, answer := redcon.ReadNextRESP(in[used:])
		switch {
		case n == 0:
			return used, answers, nil
		case answer.Type == redcon.Error:
			return used, answers, fmt.Errorf("peers: redis: %w: %s", closedloop.ErrAnswer, answer.Data)
		}
		used += n
		answers++
	}
	return used, answers, nil
}

// command encodes one.
func command(words ...string) []byte {
	encoded := redcon.AppendArray(nil, len(words))
	for _, word := range words {
		encoded = redcon.AppendBulkString(encoded, word)
	}
	return encoded
}
