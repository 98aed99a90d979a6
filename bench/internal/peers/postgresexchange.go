package peers

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5/pgproto3"

	"tradechat.internal/testkit/closedloop"
)

// postgresExchange sends a transfer as one message train: the three prepared statements and a Sync, which makes them one
// transaction, in one round trip. A client that waits for the answer to each statement needs four or five.
type postgresExchange struct{ request []byte }

func newPostgresExchange(payer, payee int) *postgresExchange {
	from, to, amount := strconv.Itoa(payer), strconv.Itoa(payee), "1"
	e := &postgresExchange{}
	e.add(&pgproto3.Bind{PreparedStatement: "debit", Parameters: texts(amount, from)}, &pgproto3.Execute{})
	e.add(&pgproto3.Bind{PreparedStatement: "credit", Parameters: texts(amount, to)}, &pgproto3.Execute{})
	e.add(&pgproto3.Bind{PreparedStatement: "record", Parameters: texts(from, to, amount)}, &pgproto3.Execute{})
	e.add(&pgproto3.Sync{})
	return e
}

func (e *postgresExchange) add(messages ...pgproto3.FrontendMessage) {
	for _, m := range messages {
		var err error
		if e.request, err = m.Encode(e.request); err != nil {
			panic("peers: postgres: " + err.Error()) // only messages of a gigabyte cannot be encoded
		}
	}
}

func texts(values ...string) [][]byte {
	list := make([][]byte, 0, len(values))
	for _, v := range values {
		list = append(list, []byte(v))
	}
	return list
}

// AppendRequest adds a transfer.
func (e *postgresExchange) AppendRequest(dst []byte) []byte { return append(dst, e.request...) }

// The messages of the server that are looked at: https://www.postgresql.org/docs/current/protocol-message-formats.html
const (
	pgHeaderLen = 5 // a byte for the type, and the length of what follows it
	pgComplete  = 'C'
	pgError     = 'E'
	pgReady     = 'Z'
)

// oneRow ends the tag of a command that changed one row.
var oneRow = []byte(" 1\x00")

// Answers takes all messages; ReadyForQuery ends an answer.
func (e *postgresExchange) Answers(in []byte) (used, answers int, err error) {
	for len(in)-used >= pgHeaderLen {
		message := in[used:]
		whole := 1 + int(binary.BigEndian.Uint32(message[1:]))
		if len(message) < whole {
			break
		}
		body := message[pgHeaderLen:whole]
		switch message[0] {
		case pgError:
			return used, answers, postgresError(body)
		case pgComplete:
			if !bytes.HasSuffix(body, oneRow) {
				return used, answers, fmt.Errorf("peers: postgres: %w: %q", closedloop.ErrAnswer, body)
			}
		case pgReady:
			answers++
		}
		used += whole
	}
	return used, answers, nil
}

func postgresError(body []byte) error {
	var said pgproto3.ErrorResponse
	if err := said.Decode(body); err != nil {
		return fmt.Errorf("peers: postgres: %w: %w", closedloop.ErrAnswer, err)
	}
	return fmt.Errorf("peers: postgres: %w: %s %s (%s)", closedloop.ErrAnswer, said.Severity, said.Message, said.Code)
}
