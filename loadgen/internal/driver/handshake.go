package driver

import (
	"fmt"

	"tradechat.internal/libproto"
)

// open begins the frame of a new call: the body is to be appended to c.out, and the frame to be sealed. ok is false
// when the table is full.
func (c *Conn) open(k kind) (call *call, start int, ok bool) {
	call = c.calls.start(k, c.thread.now)
	if call == nil {
		return nil, 0, false
	}
	start = len(c.out)
	c.out = libproto.AppendHeader(c.out, libproto.Header{Op: k.opcode(), ReqID: call.id})
	return call, start, true
}

func (c *Conn) seal(start int) { libproto.Seal(c.out[start:]) }

// request is a call outside of the load.
func (c *Conn) request(k kind, index int, body libproto.Body) {
	call, start, ok := c.open(k)
	if !ok {
		return // expiry ends a connection whose table is full
	}
	call.index = int16(index)
	c.out = body.AppendTo(c.out)
	c.seal(start)
}

// greet says HELLO on a socket that is connected.
func (c *Conn) greet() {
	c.state, c.tried = greeting, 0
	c.request(hello, 0, c.hand.Hello())
}

func (c *Conn) greeted(body []byte) error {
	var answer libproto.HelloResponse
	if err := decode(&answer, libproto.OpHello, body); err != nil {
		return err
	}
	if _, err := c.hand.Greeted(&answer); err != nil {
		return err
	}
	c.state = loggingIn
	c.request(login, 0, c.hand.Login(c.user))
	return nil
}

func (c *Conn) loggedIn(body []byte) error {
	var answer libproto.LoginResponse
	if err := decode(&answer, libproto.OpLogin, body); err != nil {
		return err
	}
	if err := c.hand.Check(c.user, &answer); err != nil {
		return err
	}
	if answer.UserID != c.user.ID {
		return fmt.Errorf("%w: LOGIN says user_id %d, and said %d before", errViolation, answer.UserID, c.user.ID)
	}
	c.session, c.witness = answer.SessionID, 0
	c.thread.book.Told(uint32(c.thread.plan.user(c.id)), answer.Balance)
	c.state = joining
	c.joinRooms()
	return nil
}

// joinRooms asks for all memberships; without any, the connection is ready.
func (c *Conn) joinRooms() {
	for i := range c.members {
		c.members[i].Entering()
		c.request(join, i, libproto.JoinRoomRequest{RoomID: c.members[i].Room()})
	}
	if c.toJoin = len(c.members); c.toJoin == 0 {
		c.becomeReady()
	}
}

func (c *Conn) joined(member int16, body []byte) error {
	var answer libproto.JoinRoomResponse
	if err := decode(&answer, libproto.OpJoinRoom, body); err != nil {
		return err
	}
	c.members[member].Joined(answer.LastSeq)
	if c.toJoin--; c.toJoin == 0 {
		c.becomeReady()
	}
	return nil
}

func (c *Conn) becomeReady() {
	c.state = ready
	c.thread.connecting--
	c.thread.ready++
	c.backoff.Reset()
	if c.was {
		c.thread.stats.Reconnected()
	}
	c.was = true
	c.askDoubts()
}

// logOut asks for the session's end.
func (c *Conn) logOut() {
	if c.state != ready {
		return
	}
	c.state = leaving
	c.thread.ready--
	c.request(logout, 0, libproto.Empty{})
}
