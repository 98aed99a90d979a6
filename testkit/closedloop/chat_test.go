package closedloop

import (
	"bytes"
	"errors"
	"testing"

	"tradechat.internal/libproto"
)

func push(op libproto.Opcode, body libproto.Body) []byte {
	return libproto.AppendFrame(nil, libproto.Header{Op: op}, body)
}

func said(status libproto.Status) []byte {
	var body libproto.Body = libproto.ChatSendResponse{RoomSeq: 1}
	if status != libproto.StatusOK {
		body = libproto.ErrorBody{Detail: []byte("not now")}
	}
	return libproto.AppendFrame(nil, libproto.Header{Op: libproto.OpChatSend, ReqID: 1, Status: status, Flags: libproto.FlagResponse}, body)
}

func TestAMessageIsAnsweredOnEveryConnection(t *testing.T) {
	var (
		broadcast = push(libproto.OpChatBroadcast, libproto.ChatBroadcast{RoomID: 1, RoomSeq: 1, Message: []byte("hello")})
		joined    = push(libproto.OpRoomEvent, libproto.RoomEvent{RoomID: 1, Kind: libproto.RoomEventJoined, Name: []byte("bob")})
	)
	for name, c := range map[string]struct {
		chat   *Chat
		stream [][]byte
		want   []int // answers after each
	}{
		"a listener":                     {NewListener(1), [][]byte{joined, broadcast, broadcast}, []int{0, 1, 1}},
		"the speaker, response last":     {NewSpeaker(1, []byte("m")), [][]byte{broadcast, broadcast, said(0), said(0)}, []int{0, 0, 1, 1}},
		"the speaker, response first":    {NewSpeaker(1, []byte("m")), [][]byte{said(0), joined, broadcast}, []int{0, 0, 1}},
		"a frame that is not whole":      {NewListener(1), [][]byte{broadcast[:40]}, []int{0}},
		"two in one piece and an event":  {NewListener(1), [][]byte{bytes.Join([][]byte{broadcast, joined, broadcast}, nil)}, []int{2}},
		"a header that is not yet whole": {NewListener(1), [][]byte{broadcast[:20]}, []int{0}},
	} {
		for i, piece := range c.stream {
			used, answers, err := c.chat.Answers(piece)
			if err != nil || answers != c.want[i] || (used != len(piece) && len(piece) >= len(broadcast)) {
				t.Errorf("%s, piece %d: used %d of %d, %d answers, %v; want %d", name, i, used, len(piece), answers, err, c.want[i])
			}
		}
	}
}

func TestWhatMustNotComeIntoARoom(t *testing.T) {
	for name, frame := range map[string][]byte{
		"a gap":     push(libproto.OpRoomEvent, libproto.RoomEvent{RoomID: 1, Kind: libproto.RoomEventGap, FirstSeq: 1, LastSeq: 2}),
		"a refusal": said(libproto.StatusServerBusy),
		"a parting": push(libproto.OpGoingAway, libproto.GoingAway{Reason: 1}),
	} {
		if _, _, err := NewSpeaker(1, []byte("m")).Answers(frame); !errors.Is(err, ErrAnswer) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOnlyTheSpeakerSpeaks(t *testing.T) {
	if out := NewListener(1).AppendRequest(nil); len(out) != 0 {
		t.Errorf("a listener says %x", out)
	}
	decoder := libproto.Decoder{BodyLenMax: libproto.BodyLenMaxDefault}
	f, _, err := decoder.Next(NewSpeaker(7, []byte("hello")).AppendRequest(nil))
	var body libproto.ChatSendRequest
	if err := errors.Join(err, body.Decode(f.Body)); err != nil || f.Op != libproto.OpChatSend || body.RoomID != 7 || string(body.Message) != "hello" {
		t.Errorf("%v, %+v", err, body)
	}
}

// More under way than can be told apart is an error, not a wrong count.
func TestTransfersFarApart(t *testing.T) {
	transfer := NewTransfer(9)
	first := transfer.AppendRequest(nil)
	answer := append(bytes.Clone(first), 0, 0, 0, 0)
	for range underWayMax {
		transfer.AppendRequest(nil)
	}
	if _, _, err := transfer.Answers(answer); !errors.Is(err, ErrAnswer) {
		t.Errorf("the first of %d: %v", underWayMax+1, err)
	}
}
