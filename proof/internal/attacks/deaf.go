package attacks

import (
	"context"
	"net"
	"time"

	"tradechat.internal/libproto"
	"tradechat.internal/testkit/clock"
)

const (
	// deafReceiveBytes is the receive buffer of those who do not read: the less the kernel holds, the sooner the server must.
	deafReceiveBytes = 4 << 10

	// deafBeatEvery is how often they look whether they are still connected.
	deafBeatEvery = 100 * time.Millisecond

	// The talker says talkBytes every talkEvery: 4 MB/s for each member.
	talkBytes = 4 << 10
	talkEvery = time.Millisecond
)

// deaf joins the room of the order and never reads again. The first connection of the run talks, and reads.
func deaf(ctx context.Context, a *assailant, socket *net.TCPConn) {
	if a.numbers.Add(1) == 1 {
		a.talk(ctx, socket)
		a.numbers.Store(0) // the next one is the talker
		return
	}
	_ = socket.SetReadBuffer(deafReceiveBytes)
	if a.login(socket, 0) == nil && a.send(socket, a.join()) == nil {
		awaitReset(ctx, socket)
	}
}

func (a *assailant) join() []byte {
	return libproto.AppendFrame(nil, libproto.Header{Op: libproto.OpJoinRoom, ReqID: 1}, libproto.JoinRoomRequest{RoomID: a.order.Room})
}

// awaitReset waits, without reading, until the server has closed the connection: heartbeats, which are answered but not read, fail then.
func awaitReset(ctx context.Context, socket *net.TCPConn) {
	beat := libproto.AppendFrame(nil, libproto.Header{Op: libproto.OpHeartbeat, ReqID: 2}, libproto.HeartbeatRequest{})
	for ctx.Err() == nil {
		_ = clock.Sleep(ctx, deafBeatEvery) // the loop looks at ctx itself
		if _, err := socket.Write(beat); err != nil {
			return
		}
	}
}

// talk makes the room busy.
func (a *assailant) talk(ctx context.Context, socket *net.TCPConn) {
	if a.login(socket, 1) != nil || a.send(socket, a.join()) != nil {
		return
	}
	ended := drained(socket)
	message := make([]byte, talkBytes)
	for i := range message {
		message[i] = 'x'
	}
	every := time.NewTicker(talkEvery)
	defer every.Stop()
	for reqID := uint64(2); ; reqID++ {
		frame := libproto.AppendFrame(nil, libproto.Header{Op: libproto.OpChatSend, ReqID: reqID},
			libproto.ChatSendRequest{RoomID: a.order.Room, Message: message})
		if a.send(socket, frame) != nil {
			return
		}
		select {
		case <-every.C:
		case <-ended:
			return
		case <-ctx.Done():
			return
		}
	}
}
