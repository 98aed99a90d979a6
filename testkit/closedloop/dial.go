package closedloop

import (
	"context"

	"golang.org/x/sys/unix"

	"tradechat.internal/testkit/session"
)

// Dial makes n connections to a server that wants no login, each with an Exchange of its own.
func Dial(ctx context.Context, address string, n int, exchange func() Exchange) ([]Peer, error) {
	peers := make([]Peer, 0, n)
	for range n {
		c, err := session.Dial(ctx, address)
		if err != nil {
			Hangup(peers)
			return nil, err
		}
		fd, err := c.Detach()
		if err != nil {
			Hangup(peers)
			return nil, err
		}
		peers = append(peers, Peer{FD: fd, Exchange: exchange()})
	}
	return peers, nil
}

// Hangup closes connections that no Loop has taken over.
func Hangup(peers []Peer) {
	for _, p := range peers {
		_ = unix.Close(p.FD)
	}
}
