package server

import (
	"context"
	"errors"
	"fmt"

	"tradechat.internal/libproto"
	"tradechat.internal/testkit/closedloop"
	"tradechat.internal/testkit/session"
)

// ErrDisagree says that the server counted something else than what was sent.
var ErrDisagree = errors.New("the server's count differs")

// Traders logs n new users in, each of whom transfers to the next, and returns their bare sockets.
func (s *Server) Traders(ctx context.Context, n int) ([]closedloop.Peer, error) {
	users, err := s.AddUsers(ctx, n, openingMinor)
	if err != nil {
		return nil, err
	}
	return s.Connect(ctx, users, func(i int, _ *session.Conn) (closedloop.Exchange, error) {
		return closedloop.NewTransfer(users[(i+1)%n].ID), nil
	})
}

// Connect logs users in and returns their bare sockets, each with the Exchange that prepare makes for the i-th user's session.
func (s *Server) Connect(
	ctx context.Context, users []User, prepare func(i int, c *session.Conn) (closedloop.Exchange, error),
) (peers []closedloop.Peer, err error) {
	for i, u := range users {
		p, err := s.connect(ctx, u, func(c *session.Conn) (closedloop.Exchange, error) { return prepare(i, c) })
		if err != nil {
			closedloop.Hangup(peers)
			return nil, err
		}
		peers = append(peers, p)
	}
	return peers, nil
}

func (s *Server) connect(
	ctx context.Context, u User, prepare func(*session.Conn) (closedloop.Exchange, error),
) (p closedloop.Peer, err error) {
	c, err := session.Open(ctx, s.Address, u.Name, u.Keys)
	if err != nil {
		return p, err
	}
	if p.Exchange, err = prepare(c); err != nil {
		return p, errors.Join(err, c.Close())
	}
	p.FD, err = c.Detach()
	return p, err
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
