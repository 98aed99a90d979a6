package peers

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"tradechat.internal/testkit/closedloop"
)

// inPieces gives an Exchange a stream that grows by a byte at a time, as a Loop would, and returns how many answers it took.
func inPieces(t *testing.T, e closedloop.Exchange, stream []byte) (answers int, err error) {
	t.Helper()
	var held []byte
	for _, b := range stream {
		held = append(held, b)
		used, n, err := e.Answers(held)
		if err != nil {
			return answers, err
		}
		if used > len(held) || n > 1 {
			t.Fatalf("used %d of %d bytes for %d answers", used, len(held), n)
		}
		held, answers = held[used:], answers+n
	}
	if len(held) > 0 {
		t.Errorf("%q is left", held)
	}
	return answers, nil
}

// atOnce gives it everything in one piece, and the begin of one more answer.
func atOnce(t *testing.T, e closedloop.Exchange, stream []byte, more string) int {
	t.Helper()
	used, answers, err := e.Answers(append(bytes.Clone(stream), more...))
	if err != nil || used != len(stream) {
		t.Errorf("used %d of %d bytes, %v", used, len(stream), err)
	}
	return answers
}

// pgStream encodes what a PostgreSQL says.
func pgStream(t *testing.T, messages ...pgproto3.BackendMessage) (stream []byte) {
	t.Helper()
	for _, m := range messages {
		var err error
		if stream, err = m.Encode(stream); err != nil {
			t.Fatal(err)
		}
	}
	return stream
}

func tag(text string) *pgproto3.CommandComplete {
	return &pgproto3.CommandComplete{CommandTag: []byte(text)}
}

func TestAnswersAreTakenWhole(t *testing.T) {
	transfer := pgStream(t, &pgproto3.BindComplete{}, tag("UPDATE 1"), &pgproto3.BindComplete{}, tag("UPDATE 1"),
		&pgproto3.BindComplete{}, tag("INSERT 0 1"), &pgproto3.ReadyForQuery{TxStatus: 'I'})
	for _, c := range []struct {
		name, stream, more string
		exchange           closedloop.Exchange
		want               int
	}{
		{"redis", "*2\r\n:99\r\n:1\r\n$-1\r\n$2\r\nab\r\n+OK\r\n", "*2\r\n:99\r\n", &redisExchange{}, 4},
		{"postgres", string(transfer) + string(transfer), "C\x00", &postgresExchange{}, 2},
		{"nats", "MSG inbox.1 1 3\r\nabc\r\nPING\r\nINFO {}\r\nMSG inbox.1 1 service 4\r\n\r\n\r\n\r\n+OK\r\n", "MSG inbox.1 1 3\r\nabc", &natsExchange{}, 2},
	} {
		if got, err := inPieces(t, c.exchange, []byte(c.stream)); err != nil || got != c.want {
			t.Errorf("%s, byte by byte: %d answers, want %d; %v", c.name, got, c.want, err)
		}
		if got := atOnce(t, c.exchange, []byte(c.stream), c.more); got != c.want {
			t.Errorf("%s, at once: %d answers, want %d", c.name, got, c.want)
		}
	}
}

func TestWrongAnswersAreFound(t *testing.T) {
	refused := pgStream(t, &pgproto3.BindComplete{}, &pgproto3.ErrorResponse{Severity: "ERROR", Code: "23514", Message: "violates check constraint"})
	for _, c := range []struct {
		name, stream, says string
		exchange           closedloop.Exchange
	}{
		{"redis: an error", "-INSUFFICIENT funds\r\n", "INSUFFICIENT funds", &redisExchange{}},
		{"postgres: an error", string(refused), "violates check constraint", &postgresExchange{}},
		{"postgres: no row", string(pgStream(t, tag("UPDATE 0"))), "UPDATE 0", &postgresExchange{}},
		{"nats: an error", "-ERR 'Slow Consumer'\r\n", "Slow Consumer", &natsExchange{}},
		{"nats: no size", "MSG inbox.1 1 many\r\n", "many", &natsExchange{}},
	} {
		if _, _, err := c.exchange.Answers([]byte(c.stream)); !errors.Is(err, closedloop.ErrAnswer) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestRequestsOnTheWire(t *testing.T) {
	for _, c := range []struct {
		name, want string
		exchange   closedloop.Exchange
	}{
		{"redis", "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$0\r\n\r\n", &redisExchange{command("SET", "a", "")}},
		{"nats, the request", "PUB service inbox.7 44\r\n" + strings.Repeat("q", 44) + "\r\n", newNATSRequester(7)},
		{"nats, the message", "PUB room 64\r\n" + strings.Repeat("m", 64) + "\r\n", newNATSMember(true)},
		{"nats, a listener", "", newNATSMember(false)},
	} {
		if got := string(c.exchange.AppendRequest(nil)); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// A transfer of PostgreSQL is three statements and one Sync, which a server's decoder reads as what was meant.
func TestThePostgresTransferIsOneTrain(t *testing.T) {
	backend := pgproto3.NewBackend(bytes.NewReader(newPostgresExchange(3, 4).AppendRequest(nil)), nil)
	for _, want := range []struct{ statement, parameters string }{{"debit", "1 3"}, {"credit", "1 4"}, {"record", "3 4 1"}} {
		message, err := backend.Receive()
		bind, is := message.(*pgproto3.Bind)
		if err != nil || !is || bind.PreparedStatement != want.statement || string(bytes.Join(bind.Parameters, []byte(" "))) != want.parameters {
			t.Fatalf("%+v, %v; want %+v", message, err, want)
		}
		if message, err = backend.Receive(); err != nil {
			t.Fatal(err)
		}
		if _, is := message.(*pgproto3.Execute); !is {
			t.Fatalf("%T after a Bind", message)
		}
	}
	if message, err := backend.Receive(); err != nil || *message.(*pgproto3.Sync) != (pgproto3.Sync{}) {
		t.Errorf("%T, %v at the end, want a Sync", message, err)
	}
}
