package attacks

import (
	"context"
	"fmt"
	"slices"

	"tradechat.internal/libproto"
	"tradechat.internal/testkit/closedloop"
	"tradechat.internal/testkit/openloop"
	"tradechat.internal/testkit/server"
	"tradechat.internal/testkit/session"
)

// bystanders are users who chat in rooms of roomMembers, pay each other, and look at their balances.
type bystanders struct {
	loop  *openloop.Loop
	count int
}

// newBystanders logs them in and has them join their rooms.
func newBystanders(ctx context.Context, s *server.Server, n int) (*bystanders, error) {
	users, err := s.AddUsers(ctx, n, openingMinor)
	if err != nil {
		return nil, err
	}
	message := slices.Repeat([]byte{'.'}, chatBytes)
	peers, err := s.Connect(ctx, users, func(i int, c *session.Conn) (closedloop.Exchange, error) {
		room, err := joinBystanders(c, i/roomMembers)
		return openloop.NewAsker(habits{to: users[(i+1)%n].ID, room: room, message: message}.request), err
	})
	if err != nil {
		return nil, err
	}
	loop, err := openloop.New(peers)
	if err != nil {
		return nil, err
	}
	return &bystanders{loop: loop, count: n}, nil
}

// joinBystanders has a user join one of their rooms.
func joinBystanders(c *session.Conn, room int) (roomID uint32, err error) {
	if roomID, err = openRoom(c, fmt.Sprintf("bystanders-%d", room)); err != nil {
		return 0, err
	}
	return roomID, c.Join(roomID)
}

// habits is what one of them does.
type habits struct {
	to      uint32 // whom he pays
	room    uint32 // where he talks
	message []byte
}

// request is, of ten, five payments, two looks at the balance and three messages.
func (h habits) request(dst []byte, reqID uint64) []byte {
	head := libproto.Header{ReqID: reqID}
	switch turn := reqID % 10; {
	case turn < 5:
		head.Op = libproto.OpTransfer
		return libproto.AppendFrame(dst, head, libproto.TransferRequest{ToUserID: h.to, Amount: 1})
	case turn < 7:
		head.Op = libproto.OpBalance
		return libproto.AppendFrame(dst, head, libproto.Empty{})
	}
	head.Op = libproto.OpChatSend
	return libproto.AppendFrame(dst, head, libproto.ChatSendRequest{RoomID: h.room, Message: h.message})
}
