package server

import (
	"context"
	"errors"
	"fmt"

	"tradechat.internal/bench/internal/closedloop"
	"tradechat.internal/bench/internal/session"
	"tradechat.internal/libproto"
)

// ErrDisagree says that the server counted something else than what was sent.
var ErrDisagree = errors.New("the server's count differs")

// Traders logs n new users in, each of whom transfers to the next, and returns their bare sockets.
func (s *Server) Traders(ctx context.Context, n int) ([]closedloop.Peer, error) {
	users, err := s.AddUsers(ctx, n, openingMinor)
	if err != nil {
		return nil, err
	}
	return s.connect(ctx, users, func(i int) closedloop.Exchange { return closedloop.NewTransfer(users[(i+1)%n].ID) }, nil)
}

// connect logs users in, prepares each session, if there is something to prepare, and returns the bare sockets.
func (s *Server) connect(
	ctx context.Context, users []User, exchange func(i int) closedloop.Exchange, prepare func(*session.Conn) error,
) (peers []closedloop.Peer, err error) {
	for i, u := range users {
		c, err := session.Open(ctx, s.Address, u.Name, u.Keys)
		if err == nil && prepare != nil {
			if err = prepare(c); err != nil {
				err = errors.Join(err, c.Close())
			}
		}
		fd := -1
		if err == nil {
			fd, err = c.Detach()
		}
		if err != nil {
			closedloop.Hangup(peers)
			return nil, err
		}
		peers = append(peers, closedloop.Peer{FD: fd, Exchange: exchange(i)})
	}
	return peers, nil
}

// CheckTransfers compares what the server has counted with what was sent; ErrDisagree if it is not the same.
func (s *Server) CheckTransfers(ctx context.Context, sent uint64) error {
	return s.checkCount(ctx, libproto.OpTransfer, sent)
}

func (s *Server) checkCount(ctx context.Context, op libproto.Opcode, sent uint64) error {
	stats, err := s.Stats(ctx)
	if err != nil {
		return err
	}
	if counted := stats.Ops[op.String()]; counted != sent {
		return fmt.Errorf("server: %w: %d × %v were sent, %d are in its statistics", ErrDisagree, sent, op, counted)
	}
	return nil
}
