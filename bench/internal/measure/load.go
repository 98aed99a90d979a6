package measure

import (
	"context"

	"tradechat.internal/testkit/closedloop"
	"tradechat.internal/testkit/server"
)

// traders makes a loop of the connections of n users, each of whom will transfer to the next.
func traders(ctx context.Context, s *server.Server, n, depth int) (*closedloop.Loop, error) {
	peers, err := s.Traders(ctx, n)
	if err != nil {
		return nil, err
	}
	return closedloop.New(peers, depth)
}
