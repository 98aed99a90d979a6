package closedloop

import (
	"encoding/binary"
	"fmt"

	"tradechat.internal/libproto"
	"tradechat.internal/testkit/session"
)

// Chat is a member of a room. One member speaks, and a message is answered on every member's connection by its broadcast; on the
// speaker's by the response as well. Run such a Loop with RunTogether.
type Chat struct {
	room    uint32
	message []byte // nil: it only listens
	reqID   uint64

	broadcasts, responses int // that came and have not been counted as answers
}

// NewSpeaker makes the Exchange of the member that speaks.
func NewSpeaker(room uint32, message []byte) *Chat { return &Chat{room: room, message: message} }

// NewListener makes the Exchange of another member.
func NewListener(room uint32) *Chat { return &Chat{room: room} }

// AppendRequest adds a CHAT_SEND, if it is the speaker's.
func (c *Chat) AppendRequest(dst []byte) []byte {
	if c.message == nil {
		return dst
	}
	c.reqID++
	request := libproto.ChatSendRequest{RoomID: c.room, Message: c.message}
	return libproto.AppendFrame(dst, libproto.Header{Op: libproto.OpChatSend, ReqID: c.reqID}, request)
}

const (
	bodyLenAt = 6
	opcodeAt  = 10
	statusAt  = 12
)

// Answers takes broadcasts and good responses, and passes over who comes and goes.
func (c *Chat) Answers(in []byte) (used, answers int, err error) {
	for len(in)-used >= libproto.HeaderLen {
		frame := in[used:]
		whole := libproto.HeaderLen + int(binary.BigEndian.Uint32(frame[bodyLenAt:]))
		if len(frame) < whole {
			break
		}
		if !c.take(frame[:whole]) {
			return used, answers, c.wrong(frame)
		}
		used += whole
	}
	answers = c.broadcasts
	if c.message != nil {
		answers = min(answers, c.responses)
		c.responses -= answers
	}
	c.broadcasts -= answers
	return used, answers, nil
}

// take tells whether a frame is one that may come.
func (c *Chat) take(frame []byte) bool {
	status := libproto.Status(binary.BigEndian.Uint16(frame[statusAt:]))
	switch libproto.Opcode(binary.BigEndian.Uint16(frame[opcodeAt:])) {
	case libproto.OpChatBroadcast:
		c.broadcasts++
	case libproto.OpChatSend:
		c.responses++
	case libproto.OpRoomEvent:
		var event libproto.RoomEvent
		return event.Decode(frame[libproto.HeaderLen:]) == nil && event.Kind != libproto.RoomEventGap
	default:
		return false
	}
	return status == libproto.StatusOK
}

func (c *Chat) wrong(frame []byte) error {
	decoder := libproto.Decoder{BodyLenMax: libproto.BodyLenMaxDefault}
	f, _, _ := decoder.Next(frame) // whatever can be read of it
	return fmt.Errorf("%w in room %d: %v %v, req_id %d %s", ErrAnswer, c.room, f.Op, f.Status, f.ReqID, session.Detail(f.Body))
}
