package attacks

import (
	"context"
	"fmt"
	"net"
	"time"

	"tradechat.internal/libproto"
	"tradechat.internal/testkit/session"
)

// login says HELLO and logs in with one of the order's accounts.
func (a *assailant) login(socket *net.TCPConn, account int) error {
	u := a.order.Accounts[account]
	c := session.On(socket)
	if _, err := c.Hello(); err != nil {
		return err
	}
	if _, err := c.Login(u.Name, u.Keys); err != nil {
		return err
	}
	return socket.SetDeadline(time.Time{})
}

// openRoom makes a room, or finds it.
func openRoom(c *session.Conn, name string) (uint32, error) {
	var r libproto.RoomOpenResponse
	if err := c.Ask(libproto.OpRoomOpen, libproto.RoomOpenRequest{Name: []byte(name)}, &r); err != nil {
		return 0, fmt.Errorf("attacks: room %s: %w", name, err)
	}
	return r.RoomID, nil
}

// batchFlood breaks no rule: it pays the other account with the largest batches that there are, without a pause, and reads its answers.
func batchFlood(_ context.Context, a *assailant, socket *net.TCPConn) {
	if a.login(socket, 0) != nil {
		return
	}
	ended := drained(socket)
	legs := make([]libproto.TransferLeg, libproto.BatchLegsMax)
	for i := range legs {
		legs[i] = libproto.TransferLeg{ToUserID: a.order.Accounts[1].ID, Amount: 1}
	}
	for reqID := uint64(1); ; reqID++ {
		frame := libproto.AppendFrame(nil, libproto.Header{Op: libproto.OpTransferBatch, ReqID: reqID}, libproto.TransferBatchRequest{Legs: legs})
		if a.send(socket, frame) != nil {
			break
		}
	}
	<-ended
}
