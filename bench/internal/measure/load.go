package measure

import (
	"context"
	"fmt"

	"golang.org/x/sys/unix"

	"tradechat.internal/bench/internal/closedloop"
	"tradechat.internal/bench/internal/server"
	"tradechat.internal/bench/internal/session"
	"tradechat.internal/libproto"
)

// traders logs n users in, each of whom will transfer to the next, and makes a loop of their connections.
func traders(ctx context.Context, s *server.Server, n, depth int) (*closedloop.Loop, error) {
	users, err := s.AddUsers(ctx, n, openingMinor)
	if err != nil {
		return nil, err
	}
	peers := make([]closedloop.Peer, 0, n)
	for i, u := range users {
		fd, err := openBare(ctx, s.Address, u)
		if err != nil {
			closeAll(peers)
			return nil, err
		}
		peers = append(peers, closedloop.Peer{FD: fd, ToUserID: users[(i+1)%n].ID})
	}
	return closedloop.New(peers, depth)
}

// openBare logs a user in and returns the bare socket.
func openBare(ctx context.Context, address string, u server.User) (fd int, err error) {
	c, err := session.Open(ctx, address, u.Name, u.Keys)
	if err != nil {
		return -1, err
	}
	return c.Detach()
}

// strangers makes a loop of n connections to a server that wants no login.
func strangers(ctx context.Context, address string, n, depth int) (*closedloop.Loop, error) {
	peers := make([]closedloop.Peer, 0, n)
	for range n {
		c, err := session.Dial(ctx, address)
		if err != nil {
			closeAll(peers)
			return nil, err
		}
		fd, err := c.Detach()
		if err != nil {
			closeAll(peers)
			return nil, err
		}
		peers = append(peers, closedloop.Peer{FD: fd, ToUserID: 1})
	}
	return closedloop.New(peers, depth)
}

func closeAll(peers []closedloop.Peer) {
	for _, p := range peers {
		_ = unix.Close(p.FD)
	}
}

// checkTransfers compares what the server has counted with what was sent.
func checkTransfers(ctx context.Context, s *server.Server, sent uint64) error {
	stats, err := s.Stats(ctx)
	if err != nil {
		return err
	}
	if counted := stats.Ops[libproto.OpTransfer.String()]; counted != sent {
		return fmt.Errorf("measure: %w: %d transfers were sent, %d are in its statistics", ErrDisagree, sent, counted)
	}
	return nil
}
