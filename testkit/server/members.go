package server

import (
	"context"

	"tradechat.internal/libproto"
	"tradechat.internal/testkit/closedloop"
	"tradechat.internal/testkit/session"
)

// lobby is the room that always exists.
const lobby = 1

// Members logs n new users in, who join the lobby, and returns their bare sockets. The first sends the message, the others listen.
func (s *Server) Members(ctx context.Context, n int, message []byte) ([]closedloop.Peer, error) {
	users, err := s.AddUsers(ctx, n, openingMinor)
	if err != nil {
		return nil, err
	}
	return s.Connect(ctx, users, func(i int, c *session.Conn) (closedloop.Exchange, error) {
		if i == 0 {
			return closedloop.NewSpeaker(lobby, message), c.Join(lobby)
		}
		return closedloop.NewListener(lobby), c.Join(lobby)
	})
}

// CheckMessages compares what the server has counted with what was said; ErrDisagree if it is not the same.
func (s *Server) CheckMessages(ctx context.Context, sent uint64) error {
	return s.checkCount(ctx, libproto.OpChatSend, sent)
}
