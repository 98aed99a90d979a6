package driver

import (
	"testing"

	"tradechat.internal/libproto"

	"tradechat.internal/loadgen/internal/chatcheck"
	"tradechat.internal/loadgen/internal/mix"
)

// FuzzFrame lets a server send any well-framed answer or push: nothing may panic, and every request is counted at most once.
func FuzzFrame(f *testing.F) {
	add := func(op libproto.Opcode, status libproto.Status, flags libproto.Flags, call uint8, body libproto.Body) {
		f.Add(uint16(op), uint16(status), uint8(flags), call, body.AppendTo(nil))
	}
	add(libproto.OpTransfer, 0, libproto.FlagResponse, 1, libproto.TxnResponse{Balance: -1, TxnID: 2})
	add(libproto.OpBalance, libproto.StatusServerBusy, libproto.FlagResponse, 2, libproto.ErrorBody{RetryAfterMs: 1 << 31})
	add(libproto.OpChatSend, 0, libproto.FlagResponse, 3, libproto.ChatSendResponse{RoomSeq: 1 << 63, TimeNs: 1})
	add(libproto.OpChatBroadcast, 0, 0, 0, libproto.ChatBroadcast{RoomID: pathRoom, RoomSeq: 1 << 40, Message: []byte("hello")})
	add(libproto.OpRoomEvent, 0, 0, 0, libproto.RoomEvent{RoomID: pathRoom, Kind: libproto.RoomEventGap, FirstSeq: 1, LastSeq: 1 << 62})
	add(libproto.OpGoingAway, 0, 0, 0, libproto.GoingAway{Reason: libproto.GoingAwaySlowConsumer, ReconnectAfterMs: 1 << 31})
	add(libproto.OpRoomHistory, 0, libproto.FlagResponse, 4, libproto.RoomHistoryResponse{Messages: []libproto.RoomMessage{{RoomSeq: 9}}})
	const pipeline = 8
	e := newEcho(f, mix.Mixed, pipeline)
	thread := e.conn.thread
	codec, owners := thread.plan.Chat.Codec, []chatcheck.Owner{{UserID: 1, Name: e.conn.user.Name}}
	f.Fuzz(func(t *testing.T, op, status uint16, flags, which uint8, body []byte) {
		thread.plan.Chat = chatcheck.NewGroup(codec, owners, []uint32{pathRoom}, 1)
		counted := thread.stats.OK() + thread.stats.Totals.Failed()
		c := newConn(thread, 0, 0)
		c.members[0].Entering()
		c.members[0].Joined(0)
		c.state, thread.ready = ready, 1
		c.members[0].Gap(1, 3)
		c.askHistory()
		c.refill()
		id := uint64(0)
		if flags&uint8(libproto.FlagResponse) != 0 && int(which) < len(c.calls.slots) {
			id = c.calls.slots[which].id
		}
		h := libproto.Header{Op: libproto.Opcode(op), Status: libproto.Status(status), Flags: libproto.Flags(flags), ReqID: id}
		frame := append(libproto.AppendHeader(nil, h), body...)
		libproto.Seal(frame)
		c.take(frame)
		c.take(frame)
		c.end(errStopped)
		if now := thread.stats.OK() + thread.stats.Totals.Failed(); now-counted != pipeline {
			t.Errorf("%d requests counted, want %d", now-counted, pipeline)
		}
	})
}
