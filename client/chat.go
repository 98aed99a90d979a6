package client

import (
	"context"
	"fmt"
	"iter"
	"time"

	"tradechat.internal/libproto"
)

// Membership is where a room stands when one joins it.
type Membership struct {
	LastSeq uint64
	Members uint32 // sessions
}

// Room is one room of the server.
type Room struct {
	ID      uint32
	Name    string
	Members uint32 // sessions
	LastSeq uint64
}

// Sent is a room message's place.
type Sent struct {
	Seq  uint64
	Time time.Time
}

// User is one user who is online.
type User struct {
	ID   uint32
	Name string
}

// OpenRoom finds a room by its name, or creates it.
func (c *Client) OpenRoom(ctx context.Context, name string) (roomID uint32, created bool, err error) {
	if err := checkName("room name", name); err != nil {
		return 0, false, err
	}
	r, err := ask[libproto.RoomOpenResponse](ctx, c, libproto.OpRoomOpen, libproto.RoomOpenRequest{Name: []byte(name)})
	return r.RoomID, r.Created, err
}

// JoinRoom makes the session a member: the room's messages come as pushes, the last replay ones of before first. The
// Client joins again by itself after a reconnect.
func (c *Client) JoinRoom(ctx context.Context, roomID uint32, replay uint16) (Membership, error) {
	var r libproto.JoinRoomResponse
	req := libproto.JoinRoomRequest{RoomID: roomID, ReplayCount: replay}
	err := c.call(ctx, libproto.OpJoinRoom, req, &r, c.rooms.join(roomID, replay))
	return Membership{LastSeq: r.LastSeq, Members: r.MemberCount}, err
}

// LeaveRoom ends the session's membership.
func (c *Client) LeaveRoom(ctx context.Context, roomID uint32) error {
	var r libproto.Empty
	return c.call(ctx, libproto.OpLeaveRoom, libproto.LeaveRoomRequest{RoomID: roomID}, &r, c.rooms.leave(roomID))
}

// SendChat sends text to a room that the session has joined; else ErrUnauthorized.
func (c *Client) SendChat(ctx context.Context, roomID uint32, text string) (Sent, error) {
	if err := c.checkText(text); err != nil {
		return Sent{}, err
	}
	r, err := ask[libproto.ChatSendResponse](ctx, c, libproto.OpChatSend, libproto.ChatSendRequest{
		RoomID:  roomID,
		Message: []byte(text),
	})
	return Sent{Seq: r.RoomSeq, Time: timeOf(r.TimeNs)}, err
}

// SendDirect sends text to every live session of a user and returns how many those were: 0 for one who is not online,
// and then nobody got it. A user that does not exist is ErrNotFound.
func (c *Client) SendDirect(ctx context.Context, toUser, text string) (sessionsReached int, at time.Time, err error) {
	if err := checkName("user name", toUser); err != nil {
		return 0, at, err
	}
	if err := c.checkText(text); err != nil {
		return 0, at, err
	}
	r, err := ask[libproto.DirectSendResponse](ctx, c, libproto.OpDirectSend, libproto.DirectSendRequest{
		ToUsername: []byte(toUser),
		Message:    []byte(text),
	})
	if err == nil && r.SessionsMissed != 0 {
		err = fmt.Errorf("%w: %d of %d sessions", ErrPartlyDelivered, r.SessionsReached, r.SessionsReached+r.SessionsMissed)
	}
	return int(r.SessionsReached), timeOf(r.TimeNs), err
}

// Rooms returns at most limit rooms with ids above afterRoomID, in ascending order; never more than one response
// holds. AllRooms goes through all of them.
func (c *Client) Rooms(ctx context.Context, afterRoomID uint32, limit uint16) ([]Room, error) {
	r, err := ask[libproto.RoomListResponse](ctx, c, libproto.OpRoomList, libproto.RoomListRequest{
		AfterRoomID: afterRoomID,
		RowsMax:     limit,
	})
	if err != nil {
		return nil, err
	}
	rooms := make([]Room, len(r.Rooms))
	for i, row := range r.Rooms {
		rooms[i] = Room{ID: row.RoomID, Name: string(row.Name), Members: row.MemberCount, LastSeq: row.LastSeq}
	}
	return rooms, nil
}

// AllRooms goes through the rooms in ascending order of their ids. An error is the last thing that it yields.
func (c *Client) AllRooms(ctx context.Context) iter.Seq2[Room, error] {
	fetch := func(after uint64) ([]Room, error) { return c.Rooms(ctx, uint32(after), libproto.ListRowsMax) }
	return pages(fetch, func(r Room) uint64 { return uint64(r.ID) }, ascending)
}

// FindRoom finds a room by its name without creating it; else ErrNotFound.
func (c *Client) FindRoom(ctx context.Context, name string) (Room, error) {
	if err := checkName("room name", name); err != nil {
		return Room{}, err
	}
	for room, err := range c.AllRooms(ctx) {
		if err != nil || room.Name == name {
			return room, err
		}
	}
	return Room{}, &StatusError{Op: libproto.OpRoomList, Status: libproto.StatusNotFound, Detail: "no room is called " + name}
}

// RoomHistory returns at most limit messages of a room that came before beforeSeq (0: the newest) and are still
// retained, oldest first; never more than one response holds.
func (c *Client) RoomHistory(ctx context.Context, roomID uint32, beforeSeq uint64, limit uint16) ([]*ChatMessage, error) {
	r, err := ask[libproto.RoomHistoryResponse](ctx, c, libproto.OpRoomHistory, libproto.RoomHistoryRequest{
		RoomID:    roomID,
		BeforeSeq: beforeSeq,
		RowsMax:   limit,
	})
	if err != nil {
		return nil, err
	}
	messages := make([]*ChatMessage, len(r.Messages))
	for i, m := range r.Messages {
		messages[i] = &ChatMessage{
			RoomID:     roomID,
			Seq:        m.RoomSeq,
			Time:       timeOf(m.TimeNs),
			Replay:     true,
			FromUserID: m.FromUserID,
			From:       string(m.FromName),
			Text:       string(m.Message),
		}
	}
	return messages, nil
}

// HistoryBetween returns the messages firstSeq … lastSeq of a room that are still retained, oldest first: what a Gap
// left out.
func (c *Client) HistoryBetween(ctx context.Context, roomID uint32, firstSeq, lastSeq uint64) ([]*ChatMessage, error) {
	var messages []*ChatMessage
	for before := lastSeq + 1; before > firstSeq; {
		limit := min(before-firstSeq, libproto.ListRowsMax)
		page, err := c.RoomHistory(ctx, roomID, before, uint16(limit))
		if err != nil {
			return nil, err
		}
		if len(page) == 0 {
			break
		}
		if page[0].Seq >= before {
			return nil, fmt.Errorf("%w: ROOM_HISTORY before %d begins with %d", ErrProtocol, before, page[0].Seq)
		}
		before = page[0].Seq
		messages = append(page, messages...)
	}
	for len(messages) > 0 && messages[0].Seq < firstSeq {
		messages = messages[1:]
	}
	return messages, nil
}

// Who returns at most limit users of a room (0: the whole server) who are online, with ids above afterUserID, in
// ascending order; never more than one response holds. Everybody goes through all of them.
func (c *Client) Who(ctx context.Context, roomID, afterUserID uint32, limit uint16) ([]User, error) {
	r, err := ask[libproto.WhoResponse](ctx, c, libproto.OpWho, libproto.WhoRequest{
		RoomID:      roomID,
		AfterUserID: afterUserID,
		RowsMax:     limit,
	})
	if err != nil {
		return nil, err
	}
	users := make([]User, len(r.Users))
	for i, u := range r.Users {
		users[i] = User{ID: u.UserID, Name: string(u.Username)}
	}
	return users, nil
}

// Everybody goes through the users of a room (0: the whole server) who are online, in ascending order of their ids. An
// error is the last thing that it yields.
func (c *Client) Everybody(ctx context.Context, roomID uint32) iter.Seq2[User, error] {
	fetch := func(after uint64) ([]User, error) { return c.Who(ctx, roomID, uint32(after), libproto.ListRowsMax) }
	return pages(fetch, func(u User) uint64 { return uint64(u.ID) }, ascending)
}

// LookupUser finds a user by name; else ErrNotFound.
func (c *Client) LookupUser(ctx context.Context, name string) (userID uint32, online bool, err error) {
	if err := checkName("user name", name); err != nil {
		return 0, false, err
	}
	r, err := ask[libproto.UserLookupResponse](ctx, c, libproto.OpUserLookup, libproto.UserLookupRequest{Username: []byte(name)})
	return r.UserID, r.Online, err
}

// checkText refuses a message that the server would.
func (c *Client) checkText(text string) error {
	limit := min(int(c.Server().MessageLenMax), libproto.FieldLenMax)
	if len(text) == 0 || len(text) > limit {
		return fmt.Errorf("%w: a message of %d bytes, want 1 … %d", ErrInvalidArgument, len(text), limit)
	}
	if !libproto.ValidText([]byte(text)) {
		return fmt.Errorf("%w: the message is not UTF-8 text without NUL", ErrInvalidArgument)
	}
	return nil
}

// checkName refuses a name that the server would; what says whose it is.
func checkName(what, name string) error {
	if libproto.ValidName([]byte(name)) {
		return nil
	}
	return fmt.Errorf("%w: %s %.64q, want 1 … %d of A–Z a–z 0–9 _ . -", ErrInvalidArgument, what, name, libproto.NameLenMax)
}
