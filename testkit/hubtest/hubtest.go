// Package hubtest is a fan-out for the tests of what drives one: what the first connection says, all connections hear.
package hubtest

import (
	"bufio"
	"bytes"
	"net"
	"testing"

	"tradechat.internal/testkit/closedloop"
	"tradechat.internal/testkit/session"
)

// line is the one message.
const line = "hear\n"

// Exchange is a connection to the hub.
type Exchange struct {
	speaks bool
	Heard  int // lines
}

// AppendRequest adds a line if this is the one that speaks.
func (e *Exchange) AppendRequest(dst []byte) []byte {
	if !e.speaks {
		return dst
	}
	return append(dst, line...)
}

// Answers takes whole lines.
func (e *Exchange) Answers(in []byte) (used, answers int, err error) {
	for len(in)-used >= len(line) {
		if !bytes.HasPrefix(in[used:], []byte(line)) {
			return used, answers, closedloop.ErrAnswer
		}
		used, answers = used+len(line), answers+1
	}
	e.Heard += answers
	return used, answers, nil
}

// Open starts a hub with n connections and returns their other ends.
func Open(t *testing.T, n int) (peers []closedloop.Peer, exchanges []*Exchange) {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	var ends []net.Conn
	for i := range n {
		c, err := session.Dial(t.Context(), listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		end, err := listener.Accept()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { end.Close() })
		fd, err := c.Detach()
		if err != nil {
			t.Fatal(err)
		}
		e := &Exchange{speaks: i == 0}
		ends, exchanges = append(ends, end), append(exchanges, e)
		peers = append(peers, closedloop.Peer{FD: fd, Exchange: e})
	}
	go relay(ends)
	return peers, exchanges
}

// relay ends with the first connection.
func relay(ends []net.Conn) {
	for lines := bufio.NewScanner(ends[0]); lines.Scan(); {
		for _, end := range ends {
			if _, err := end.Write(append(lines.Bytes(), '\n')); err != nil {
				return
			}
		}
	}
}
