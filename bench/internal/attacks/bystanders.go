package attacks

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"tradechat.internal/bench/internal/openloop"
	"tradechat.internal/bench/internal/server"
	"tradechat.internal/bench/internal/session"
	"tradechat.internal/libproto"
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
	habits := habits{message: slices.Repeat([]byte{'.'}, chatBytes)}
	var fds []int
	for i, u := range users {
		fd, room, err := enter(ctx, s.Address, u, i/roomMembers)
		if err != nil {
			closeAll(fds)
			return nil, err
		}
		fds = append(fds, fd)
		habits.to, habits.rooms = append(habits.to, users[(i+1)%n].ID), append(habits.rooms, room)
	}
	loop, err := openloop.New(fds, habits.request)
	if err != nil {
		return nil, err
	}
	return &bystanders{loop: loop, count: n}, nil
}

// enter logs a user in, who joins one of the bystanders' rooms.
func enter(ctx context.Context, address string, u server.User, room int) (fd int, roomID uint32, err error) {
	c, err := session.Open(ctx, address, u.Name, u.Keys)
	if err != nil {
		return -1, 0, err
	}
	roomID, err = openRoom(c, fmt.Sprintf("bystanders-%d", room))
	if err == nil {
		err = c.Ask(libproto.OpJoinRoom, libproto.JoinRoomRequest{RoomID: roomID}, &libproto.JoinRoomResponse{})
	}
	if err != nil {
		return -1, 0, errors.Join(err, c.Close())
	}
	fd, err = c.Detach()
	return fd, roomID, err
}

func closeAll(fds []int) {
	for _, fd := range fds {
		_ = unix.Close(fd)
	}
}

// habits is what each of them does.
type habits struct {
	to      []uint32 // whom he pays
	rooms   []uint32 // where he talks
	message []byte
}

// request is, of ten, five payments, two looks at the balance and three messages.
func (h habits) request(to []byte, connection int, reqID uint64) []byte {
	head := libproto.Header{ReqID: reqID}
	switch turn := reqID % 10; {
	case turn < 5:
		head.Op = libproto.OpTransfer
		return libproto.AppendFrame(to, head, libproto.TransferRequest{ToUserID: h.to[connection], Amount: 1})
	case turn < 7:
		head.Op = libproto.OpBalance
		return libproto.AppendFrame(to, head, libproto.Empty{})
	}
	head.Op = libproto.OpChatSend
	return libproto.AppendFrame(to, head, libproto.ChatSendRequest{RoomID: h.rooms[connection], Message: h.message})
}
