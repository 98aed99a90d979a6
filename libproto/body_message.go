package libproto

// ChatFlags mark a broadcast.
type ChatFlags uint8

// ChatReplay marks a message of before the member joined.
const ChatReplay ChatFlags = 1

// ChatSendRequest sends a message to a room that the session is in.
type ChatSendRequest struct {
	RoomID  uint32
	Message []byte // str, 1 … HelloResponse.MessageLenMax bytes
}

func (b ChatSendRequest) AppendTo(dst []byte) []byte {
	return appendBytes(be.AppendUint32(dst, b.RoomID), b.Message)
}

func (b *ChatSendRequest) Decode(body []byte) error {
	c := cursor{rest: body}
	*b = ChatSendRequest{RoomID: c.u32(), Message: c.str()}
	return c.end()
}

// ChatSendResponse tells the message's place in the room.
type ChatSendResponse struct {
	RoomSeq uint64
	TimeNs  uint64 // since the Unix epoch
}

func (b ChatSendResponse) AppendTo(dst []byte) []byte {
	return be.AppendUint64(be.AppendUint64(dst, b.RoomSeq), b.TimeNs)
}

func (b *ChatSendResponse) Decode(body []byte) error {
	c := cursor{rest: body}
	*b = ChatSendResponse{RoomSeq: c.u64(), TimeNs: c.u64()}
	return c.end()
}

// ChatBroadcast is the push of a room's message to each of its members.
type ChatBroadcast struct {
	RoomID     uint32
	RoomSeq    uint64
	TimeNs     uint64 // since the Unix epoch
	Flags      ChatFlags
	FromUserID uint32
	FromName   []byte // str, a name
	Message    []byte // str
}

func (b ChatBroadcast) AppendTo(dst []byte) []byte {
	dst = be.AppendUint64(be.AppendUint32(dst, b.RoomID), b.RoomSeq)
	dst = append(be.AppendUint64(dst, b.TimeNs), byte(b.Flags))
	dst = appendBytes(be.AppendUint32(dst, b.FromUserID), b.FromName)
	return appendBytes(dst, b.Message)
}

func (b *ChatBroadcast) Decode(body []byte) error {
	c := cursor{rest: body}
	*b = ChatBroadcast{
		RoomID:     c.u32(),
		RoomSeq:    c.u64(),
		TimeNs:     c.u64(),
		Flags:      ChatFlags(c.u8()),
		FromUserID: c.u32(),
		FromName:   c.str(),
		Message:    c.str(),
	}
	return c.end()
}

// DirectSendRequest sends a message to every live session of one user.
type DirectSendRequest struct {
	ToUsername []byte // str, a name
	Message    []byte // str
}

func (b DirectSendRequest) AppendTo(dst []byte) []byte {
	return appendBytes(appendBytes(dst, b.ToUsername), b.Message)
}

func (b *DirectSendRequest) Decode(body []byte) error {
	c := cursor{rest: body}
	*b = DirectSendRequest{ToUsername: c.str(), Message: c.str()}
	return c.end()
}

// DirectSendResponse tells how many sessions the message went to: 0 for a user who is not online.
type DirectSendResponse struct {
	SessionsReached uint8
	TimeNs          uint64 // since the Unix epoch
}

func (b DirectSendResponse) AppendTo(dst []byte) []byte {
	return be.AppendUint64(append(dst, b.SessionsReached), b.TimeNs)
}

func (b *DirectSendResponse) Decode(body []byte) error {
	c := cursor{rest: body}
	*b = DirectSendResponse{SessionsReached: c.u8(), TimeNs: c.u64()}
	return c.end()
}

// DirectMessage is the push of a message to one user.
type DirectMessage struct {
	FromUserID uint32
	FromName   []byte // str, a name
	TimeNs     uint64 // since the Unix epoch
	Message    []byte // str
}

func (b DirectMessage) AppendTo(dst []byte) []byte {
	dst = appendBytes(be.AppendUint32(dst, b.FromUserID), b.FromName)
	return appendBytes(be.AppendUint64(dst, b.TimeNs), b.Message)
}

func (b *DirectMessage) Decode(body []byte) error {
	c := cursor{rest: body}
	*b = DirectMessage{FromUserID: c.u32(), FromName: c.str(), TimeNs: c.u64(), Message: c.str()}
	return c.end()
}
