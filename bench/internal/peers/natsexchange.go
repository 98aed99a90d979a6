package peers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"tradechat.internal/libnet"
	"tradechat.internal/testkit/closedloop"
	"tradechat.internal/testkit/session"
)

// natsExchange sends one message again and again, in the text protocol of NATS, and counts those that come.
type natsExchange struct{ request []byte }

// newNATSRequester asks the service, with as many bytes as a TRANSFER has.
func newNATSRequester(i int) *natsExchange {
	return &natsExchange{appendPub(fmt.Sprintf("%s inbox.%d", serviceSubject, i), bytes.Repeat([]byte("q"), closedloop.RequestLen))}
}

// newNATSMember is a subscriber to the room; one speaks.
func newNATSMember(speaks bool) *natsExchange {
	if !speaks {
		return &natsExchange{}
	}
	return &natsExchange{appendPub(roomSubject, message())}
}

func appendPub(subjects string, payload []byte) []byte {
	return fmt.Appendf(nil, "PUB %s %d\r\n%s\r\n", subjects, len(payload), payload)
}

// AppendRequest adds the message.
func (n *natsExchange) AppendRequest(dst []byte) []byte { return append(dst, n.request...) }

var (
	natsEnd     = []byte("\r\n")
	natsMessage = []byte("MSG ")
	natsError   = []byte("-ERR")
	natsPong    = []byte("PONG\r\n")

	// natsChat is what a server may say beside; its PING needs no answer so soon (the server's interval is an hour).
	natsChat = [][]byte{[]byte("PING"), []byte("PONG"), []byte("INFO "), []byte("+OK")}
)

// Answers takes messages.
func (n *natsExchange) Answers(in []byte) (used, answers int, err error) {
	for {
		line, _, whole := bytes.Cut(in[used:], natsEnd)
		if !whole {
			return used, answers, nil
		}
		length := len(line) + len(natsEnd)
		if bytes.HasPrefix(line, natsMessage) {
			size, err := strconv.Atoi(string(line[bytes.LastIndexByte(line, ' ')+1:]))
			if err != nil || size < 0 {
				return used, answers, fmt.Errorf("peers: nats: %w: %q", closedloop.ErrAnswer, line)
			}
			if length += size + len(natsEnd); len(in)-used < length {
				return used, answers, nil
			}
			answers++
		} else if !startsWithAny(line, natsChat) {
			return used, answers, fmt.Errorf("peers: nats: %w: %q", closedloop.ErrAnswer, line)
		}
		used += length
	}
}

func startsWithAny(line []byte, words [][]byte) bool {
	for _, word := range words {
		if bytes.HasPrefix(line, word) {
			return true
		}
	}
	return false
}

// dialNATS connects and subscribes, and returns the bare socket when the server has confirmed that.
func dialNATS(ctx context.Context, address, subject string) (fd int, err error) {
	socket, err := libnet.Dialer{Attempts: 1, AttemptTimeout: setUpMax}.Dial(ctx, "tcp", address)
	if err != nil {
		return -1, fmt.Errorf("peers: %w", err)
	}
	if err := subscribe(socket, subject); err != nil {
		return -1, errors.Join(err, socket.Close())
	}
	return session.Bare(socket.(*net.TCPConn))
}

func subscribe(socket net.Conn, subject string) error {
	if err := socket.SetDeadline(time.Now().Add(setUpMax)); err != nil {
		return fmt.Errorf("peers: %w", err)
	}
	if _, err := fmt.Fprintf(socket, "CONNECT {\"verbose\":false,\"echo\":true}\r\nSUB %s 1\r\nPING\r\n", subject); err != nil {
		return fmt.Errorf("peers: %w", err)
	}
	var in []byte
	for chunk := make([]byte, 4096); !bytes.HasSuffix(in, natsPong); {
		n, err := socket.Read(chunk)
		if in = append(in, chunk[:n]...); err != nil {
			return fmt.Errorf("peers: nats: answer to CONNECT: %w", err)
		}
		if bytes.Contains(in, natsError) {
			return fmt.Errorf("peers: nats: %w to CONNECT: %q", closedloop.ErrAnswer, in)
		}
	}
	return nil
}
