package libproto

import "slices"

// RoomEventKind says what happened in a room.
type RoomEventKind uint8

const (
	RoomEventJoined RoomEventKind = 1 + iota
	RoomEventLeft
	RoomEventGap
)

var roomEventNames = []string{"", "joined", "left", "gap"}

// String returns the kind in a word, such as "joined"; an unknown one is "event(9)".
func (k RoomEventKind) String() string { return nameOf(roomEventNames, "event", uint(k)) }

// JoinRoomRequest makes the session a member of a room.
type JoinRoomRequest struct {
	RoomID      uint32
	ReplayCount uint16 // how many of the last messages to push again
}

func (b JoinRoomRequest) AppendTo(dst []byte) []byte {
	return be.AppendUint16(be.AppendUint32(dst, b.RoomID), b.ReplayCount)
}

func (b *JoinRoomRequest) Decode(body []byte) error {
	c := cursor{rest: body}
	*b = JoinRoomRequest{RoomID: c.u32(), ReplayCount: c.u16()}
	return c.end()
}

// JoinRoomResponse tells where the room stands.
type JoinRoomResponse struct {
	LastSeq     uint64
	MemberCount uint32 // sessions
}

func (b JoinRoomResponse) AppendTo(dst []byte) []byte {
	return be.AppendUint32(be.AppendUint64(dst, b.LastSeq), b.MemberCount)
}

func (b *JoinRoomResponse) Decode(body []byte) error {
	c := cursor{rest: body}
	*b = JoinRoomResponse{LastSeq: c.u64(), MemberCount: c.u32()}
	return c.end()
}

// LeaveRoomRequest ends the session's membership of a room.
type LeaveRoomRequest struct {
	RoomID uint32
}

func (b LeaveRoomRequest) AppendTo(dst []byte) []byte { return be.AppendUint32(dst, b.RoomID) }

func (b *LeaveRoomRequest) Decode(body []byte) error {
	c := cursor{rest: body}
	*b = LeaveRoomRequest{RoomID: c.u32()}
	return c.end()
}

// RoomOpenRequest finds a room by its name, or creates it.
type RoomOpenRequest struct {
	Name []byte // str, a name
}

func (b RoomOpenRequest) AppendTo(dst []byte) []byte { return appendBytes(dst, b.Name) }

func (b *RoomOpenRequest) Decode(body []byte) error {
	c := cursor{rest: body}
	*b = RoomOpenRequest{Name: c.str()}
	return c.end()
}

// RoomOpenResponse tells the room, and whether it is new.
type RoomOpenResponse struct {
	RoomID  uint32
	Created bool
}

func (b RoomOpenResponse) AppendTo(dst []byte) []byte {
	return appendBool(be.AppendUint32(dst, b.RoomID), b.Created)
}

func (b *RoomOpenResponse) Decode(body []byte) error {
	c := cursor{rest: body}
	*b = RoomOpenResponse{RoomID: c.u32(), Created: c.bool()}
	return c.end()
}

// RoomListRequest asks for rooms in ascending order of their ids.
type RoomListRequest struct {
	AfterRoomID uint32 // 0: from the first
	RowsMax     uint16
}

func (b RoomListRequest) AppendTo(dst []byte) []byte {
	return be.AppendUint16(be.AppendUint32(dst, b.AfterRoomID), b.RowsMax)
}

func (b *RoomListRequest) Decode(body []byte) error {
	c := cursor{rest: body}
	*b = RoomListRequest{AfterRoomID: c.u32(), RowsMax: c.u16()}
	return c.end()
}

// RoomInfo is one room of a list.
type RoomInfo struct {
	RoomID      uint32
	Name        []byte // str, a name
	MemberCount uint32 // sessions
	LastSeq     uint64
}

const roomInfoLenMin = 4 + 2 + 4 + 8

// EncodedLen returns the row's length on the wire, in bytes.
func (r RoomInfo) EncodedLen() int { return roomInfoLenMin + len(r.Name) }

// RoomListResponse lists rooms.
type RoomListResponse struct {
	Rooms []RoomInfo
}

func (b RoomListResponse) AppendTo(dst []byte) []byte {
	dst = appendLen(dst, len(b.Rooms))
	for i := range b.Rooms {
		r := &b.Rooms[i]
		dst = appendBytes(be.AppendUint32(dst, r.RoomID), r.Name)
		dst = be.AppendUint64(be.AppendUint32(dst, r.MemberCount), r.LastSeq)
	}
	return dst
}

func (b *RoomListResponse) Decode(body []byte) error {
	c := cursor{rest: body}
	n := c.count(roomInfoLenMin)
	b.Rooms = slices.Grow(b.Rooms[:0], n)
	for range n {
		b.Rooms = append(b.Rooms, RoomInfo{RoomID: c.u32(), Name: c.str(), MemberCount: c.u32(), LastSeq: c.u64()})
	}
	return c.end()
}

// RoomHistoryRequest asks for messages of a room that are still retained, going back from BeforeSeq.
type RoomHistoryRequest struct {
	RoomID    uint32
	BeforeSeq uint64 // 0: from the newest
	RowsMax   uint16
}

func (b RoomHistoryRequest) AppendTo(dst []byte) []byte {
	dst = be.AppendUint64(be.AppendUint32(dst, b.RoomID), b.BeforeSeq)
	return be.AppendUint16(dst, b.RowsMax)
}

func (b *RoomHistoryRequest) Decode(body []byte) error {
	c := cursor{rest: body}
	*b = RoomHistoryRequest{RoomID: c.u32(), BeforeSeq: c.u64(), RowsMax: c.u16()}
	return c.end()
}

// RoomMessage is one message of a room's history.
type RoomMessage struct {
	RoomSeq    uint64
	TimeNs     uint64 // since the Unix epoch
	FromUserID uint32
	FromName   []byte // str, a name
	Message    []byte // str
}

const roomMessageLenMin = 8 + 8 + 4 + 2 + 2

// EncodedLen returns the row's length on the wire, in bytes.
func (m RoomMessage) EncodedLen() int { return roomMessageLenMin + len(m.FromName) + len(m.Message) }

// RoomHistoryResponse holds messages, the oldest first.
type RoomHistoryResponse struct {
	Messages []RoomMessage
}

func (b RoomHistoryResponse) AppendTo(dst []byte) []byte {
	dst = appendLen(dst, len(b.Messages))
	for i := range b.Messages {
		m := &b.Messages[i]
		dst = be.AppendUint64(be.AppendUint64(dst, m.RoomSeq), m.TimeNs)
		dst = appendBytes(be.AppendUint32(dst, m.FromUserID), m.FromName)
		dst = appendBytes(dst, m.Message)
	}
	return dst
}

func (b *RoomHistoryResponse) Decode(body []byte) error {
	c := cursor{rest: body}
	n := c.count(roomMessageLenMin)
	b.Messages = slices.Grow(b.Messages[:0], n)
	for range n {
		b.Messages = append(b.Messages, RoomMessage{
			RoomSeq:    c.u64(),
			TimeNs:     c.u64(),
			FromUserID: c.u32(),
			FromName:   c.str(),
			Message:    c.str(),
		})
	}
	return c.end()
}

// RoomEvent is the push that tells members who came and went, or which messages they were not sent.
type RoomEvent struct {
	RoomID            uint32
	Kind              RoomEventKind
	UserID            uint32 // who joined or left
	Name              []byte // str, a name
	FirstSeq, LastSeq uint64 // the messages that a gap skipped
}

func (b RoomEvent) AppendTo(dst []byte) []byte {
	dst = append(be.AppendUint32(dst, b.RoomID), byte(b.Kind))
	dst = appendBytes(be.AppendUint32(dst, b.UserID), b.Name)
	return be.AppendUint64(be.AppendUint64(dst, b.FirstSeq), b.LastSeq)
}

func (b *RoomEvent) Decode(body []byte) error {
	c := cursor{rest: body}
	*b = RoomEvent{
		RoomID:   c.u32(),
		Kind:     RoomEventKind(c.u8()),
		UserID:   c.u32(),
		Name:     c.str(),
		FirstSeq: c.u64(),
		LastSeq:  c.u64(),
	}
	return c.end()
}
