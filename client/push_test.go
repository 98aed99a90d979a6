package client_test

import (
	"fmt"
	"testing"
	"time"

	"tradechat.internal/client"
	"tradechat.internal/libproto"
	"tradechat.internal/testkit/peertest"
)

func TestEveryPush(t *testing.T) {
	p := peertest.Listen(t)
	c, conn := logIn(t, p)
	for _, tt := range []struct {
		op   libproto.Opcode
		body libproto.Body
		want client.Push
	}{
		{
			libproto.OpChatBroadcast,
			libproto.ChatBroadcast{RoomID: 1, RoomSeq: 2, TimeNs: timeNs, FromUserID: 3, FromName: []byte("bob"), Message: []byte("hi")},
			&client.ChatMessage{RoomID: 1, Seq: 2, Time: at, FromUserID: 3, From: "bob", Text: "hi"},
		}, {
			libproto.OpChatBroadcast,
			libproto.ChatBroadcast{RoomID: 1, RoomSeq: 2, TimeNs: timeNs, Flags: libproto.ChatReplay},
			&client.ChatMessage{RoomID: 1, Seq: 2, Time: at, Replay: true},
		}, {
			libproto.OpDirectMessage,
			libproto.DirectMessage{FromUserID: 3, FromName: []byte("bob"), TimeNs: timeNs, Message: []byte("psst")},
			&client.DirectMessage{FromUserID: 3, From: "bob", Time: at, Text: "psst"},
		}, {
			libproto.OpRoomEvent,
			libproto.RoomEvent{RoomID: 1, Kind: libproto.RoomEventJoined, UserID: 3, Name: []byte("bob")},
			&client.MemberChange{RoomID: 1, UserID: 3, Name: "bob", Joined: true},
		}, {
			libproto.OpRoomEvent,
			libproto.RoomEvent{RoomID: 1, Kind: libproto.RoomEventLeft, UserID: 3, Name: []byte("bob")},
			&client.MemberChange{RoomID: 1, UserID: 3, Name: "bob"},
		}, {
			libproto.OpRoomEvent,
			libproto.RoomEvent{RoomID: 1, Kind: libproto.RoomEventGap, FirstSeq: 4, LastSeq: 6},
			&client.Gap{RoomID: 1, FirstSeq: 4, LastSeq: 6, Cause: client.GapServer},
		}, {
			libproto.OpGoingAway,
			libproto.GoingAway{Reason: libproto.GoingAwayIdle, ReconnectAfterMs: 9, Detail: []byte("zzz")},
			&client.GoingAway{Reason: libproto.GoingAwayIdle, ReconnectAfter: 9 * time.Millisecond, Detail: "zzz"},
		},
	} {
		conn.Push(tt.op, tt.body)
		wantEqual(t, tt.op.String(), nextPush(t, c), tt.want)
	}
}

// TestFullInbox: nobody reads the pushes, and calls go on all the same. The reader then gets the first ones, then what he
// missed, then what is new, and nothing else.
func TestFullInbox(t *testing.T) {
	const kept, sent = 5, 100
	p := peertest.Listen(t)
	p.Answer(libproto.OpBalance, libproto.BalanceResponse{})
	c, conn := logIn(t, p, func(cfg *client.Config) { cfg.PushesMax = kept })
	chat := func(room uint32, seq uint64) {
		conn.Push(libproto.OpChatBroadcast, libproto.ChatBroadcast{RoomID: room, RoomSeq: seq})
	}
	for seq := uint64(1); seq <= sent; seq++ {
		chat(1, seq)
	}
	chat(2, 33)
	conn.Push(libproto.OpRoomEvent, libproto.RoomEvent{RoomID: 2, Kind: libproto.RoomEventGap, FirstSeq: 34, LastSeq: 40})
	conn.Push(libproto.OpDirectMessage, libproto.DirectMessage{})
	conn.Push(libproto.OpRoomEvent, libproto.RoomEvent{RoomID: 2, Kind: libproto.RoomEventLeft})
	if _, err := c.Balance(testContext(t)); err != nil { // behind all the pushes
		t.Fatal(err)
	}

	first := uint64(0)
	var gaps []client.Gap
	for len(gaps) == 0 {
		switch push := nextPush(t, c).(type) {
		case *client.ChatMessage:
			first++
			wantEqual(t, "seq", push.Seq, first)
		case *client.Gap:
			gaps = append(gaps, *push)
		}
	}
	if first != kept && first != kept+1 { // one more may have been on its way to the reader
		t.Errorf("got %d messages before the gap, want %d", first, kept)
	}
	gaps = append(gaps, *expectPush[*client.Gap](t, c))
	want := map[uint32]client.Gap{
		1: {RoomID: 1, FirstSeq: first + 1, LastSeq: sent, Cause: client.GapOverflow},
		2: {RoomID: 2, FirstSeq: 33, LastSeq: 40, Cause: client.GapOverflow},
	}
	for _, gap := range gaps {
		wantEqual(t, "gap", gap, want[gap.RoomID])
		delete(want, gap.RoomID)
	}
	wantEqual(t, "dropped", *expectPush[*client.Dropped](t, c), client.Dropped{DirectMessages: 1, Other: 1})

	chat(1, sent+1)
	wantEqual(t, "seq", expectPush[*client.ChatMessage](t, c).Seq, uint64(sent+1))
}

// TestNothingIsMissedAndNothingDoubled reads slowly from a small inbox: messages and gaps together must cover the room's
// sequence exactly, in order.
func TestNothingIsMissedAndNothingDoubled(t *testing.T) {
	const sent = 5000
	p := peertest.Listen(t)
	c, conn := logIn(t, p, func(cfg *client.Config) { cfg.PushesMax = 7 })
	go func() {
		for seq := uint64(1); seq <= sent; seq++ {
			conn.Push(libproto.OpChatBroadcast, libproto.ChatBroadcast{RoomID: 1, RoomSeq: seq})
		}
	}()
	next := uint64(1)
	for next <= sent {
		switch push := nextPush(t, c).(type) {
		case *client.ChatMessage:
			wantEqual(t, "seq", push.Seq, next)
			next++
		case *client.Gap:
			wantEqual(t, "first of the gap", push.FirstSeq, next)
			next = push.LastSeq + 1
		default:
			t.Fatalf("got %#v", push)
		}
		if t.Failed() {
			return
		}
	}
}

// TestPushesAfterTheEnd: what came before the connection was lost can still be read.
func TestPushesAfterTheEnd(t *testing.T) {
	p := peertest.Listen(t)
	c, conn := logIn(t, p, noReturn)
	for seq := uint64(1); seq <= 3; seq++ {
		conn.Push(libproto.OpChatBroadcast, libproto.ChatBroadcast{RoomID: 1, RoomSeq: seq})
	}
	conn.Close()
	_, err := c.Balance(testContext(t))
	wantIs(t, err, client.ErrConnectionLost)
	for seq := uint64(1); seq <= 3; seq++ {
		wantEqual(t, "seq", expectPush[*client.ChatMessage](t, c).Seq, seq)
	}
	expectPush[*client.Disconnected](t, c)
	wantIs(t, expectEnd(t, c), client.ErrConnectionLost)
}

func TestGapCauseNames(t *testing.T) {
	for cause, want := range map[client.GapCause]string{
		client.GapServer: "server", client.GapLost: "connection lost", client.GapOverflow: "overflow", 9: "cause(9)",
	} {
		wantEqual(t, "name", fmt.Sprint(cause), want)
	}
}
