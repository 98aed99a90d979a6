package driver

import (
	"fmt"

	"tradechat.internal/libproto"

	"tradechat.internal/loadgen/internal/chatcheck"
)

// memberOf finds the membership of a room. A connection is in few rooms; the load is nearly always in the first ones.
func (c *Conn) memberOf(room uint32) *chatcheck.Member {
	for i := range c.members {
		if c.members[i].Room() == room {
			return &c.members[i]
		}
	}
	return nil
}

func (c *Conn) broadcast(body []byte) error {
	push := &c.thread.bodies.broadcast
	if err := decode(push, libproto.OpChatBroadcast, body); err != nil {
		return err
	}
	member := c.memberOf(push.RoomID)
	if member == nil {
		return fmt.Errorf("%w: a message of room %d, which was never joined", errViolation, push.RoomID)
	}
	c.thread.stats.Delivered()
	if push.Flags&libproto.ChatReplay != 0 {
		member.Replayed(push.RoomSeq)
		return nil
	}
	id := member.Deliver(push.RoomSeq, push.FromUserID, push.FromName, push.Message)
	c.sender.Delivered(member, id, push.RoomSeq)
	return nil
}

// roomEvent heeds gaps; who comes and goes is nothing to the load.
func (c *Conn) roomEvent(body []byte) error {
	push := &c.thread.bodies.event
	if err := decode(push, libproto.OpRoomEvent, body); err != nil {
		return err
	}
	if push.Kind != libproto.RoomEventGap {
		return nil
	}
	member := c.memberOf(push.RoomID)
	if member == nil {
		return fmt.Errorf("%w: a gap in room %d, which was never joined", errViolation, push.RoomID)
	}
	member.Gap(push.FirstSeq, push.LastSeq)
	c.askHistory()
	return nil
}

// askHistory asks for what the oldest open gap skipped, one request at a time.
func (c *Conn) askHistory() {
	if c.asking || c.state != ready || c.pausedTill > c.thread.now {
		return
	}
	for i := range c.members {
		before, rows, open := c.members[i].WantsHistory()
		if open {
			c.asking = true
			c.request(history, i, libproto.RoomHistoryRequest{
				RoomID:    c.members[i].Room(),
				BeforeSeq: before,
				RowsMax:   uint16(min(rows, libproto.ListRowsMax)),
			})
			return
		}
	}
}

// historyCame fills the gap from its end, as far as the rows reach. An answer that does not bring the gap's last
// message will not bring it next time either.
func (c *Conn) historyCame(done *call, body []byte) error {
	answer := &c.thread.bodies.history
	if err := decode(answer, libproto.OpRoomHistory, body); err != nil {
		return err
	}
	if !c.historyOver(done) {
		return nil
	}
	member := &c.members[done.index]
	filled := false
	for i := len(answer.Messages) - 1; i >= 0; i-- {
		row := &answer.Messages[i]
		id, due := member.Filled(row.RoomSeq, row.FromUserID, row.FromName, row.Message)
		if !due {
			break
		}
		c.sender.Delivered(member, id, row.RoomSeq)
		filled = true
	}
	if !filled {
		member.Lost()
	}
	c.askHistory()
	return nil
}

// historyOver makes way for the next ROOM_HISTORY. It fails for one that was given up, and asked again, before.
func (c *Conn) historyOver(done *call) bool {
	if !done.expired {
		c.asking = false
	}
	return !done.expired
}

// markRooms asks where the rooms stand: joining again tells it and changes nothing.
func (c *Conn) markRooms() {
	if c.state != ready {
		return
	}
	for i := range c.members {
		c.request(mark, i, libproto.JoinRoomRequest{RoomID: c.members[i].Room()})
		c.marking++
	}
}

func (c *Conn) marked(done *call, body []byte) error {
	var answer libproto.JoinRoomResponse
	if err := decode(&answer, libproto.OpJoinRoom, body); err != nil {
		return err
	}
	c.members[done.index].Marked(answer.LastSeq)
	c.markOver(done)
	return nil
}

// markOver counts an answer of the Mark phase, once.
func (c *Conn) markOver(done *call) {
	if !done.expired {
		c.marking--
	}
}

// caughtUp reports whether every membership has seen what it must.
func (c *Conn) caughtUp() bool {
	for i := range c.members {
		if !c.members[i].CaughtUp() {
			return false
		}
	}
	return true
}
