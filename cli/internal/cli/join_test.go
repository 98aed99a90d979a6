package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"

	"tradechat.internal/liblog/program"
	"tradechat.internal/libproto"
	"tradechat.internal/testkit/peertest"
)

// chat is message seq of room 5, by bob.
func chat(seq uint64, text string) libproto.ChatBroadcast {
	return libproto.ChatBroadcast{
		RoomID: 5, RoomSeq: seq, TimeNs: timeNs, FromUserID: 2, FromName: []byte("bob"), Message: []byte(text),
	}
}

// newRoom is a bed with a room den of id 5, where then happens after somebody has joined. Messages 12 and 13 are kept.
func newRoom(t *testing.T, then func(c *peertest.Conn)) *bed {
	b := newBed(t)
	b.peer.Answer(libproto.OpRoomOpen, libproto.RoomOpenResponse{RoomID: 5})
	b.peer.Handle(libproto.OpJoinRoom, func(c *peertest.Conn, f libproto.Frame) {
		c.Reply(f, libproto.JoinRoomResponse{LastSeq: 10, MemberCount: 2})
		then(c)
	})
	b.peer.Handle(libproto.OpRoomHistory, func(c *peertest.Conn, f libproto.Frame) {
		var req libproto.RoomHistoryRequest
		if err := req.Decode(f.Body); err != nil {
			t.Error(err)
		}
		var r libproto.RoomHistoryResponse
		for seq := uint64(12); seq <= 13 && seq < req.BeforeSeq; seq++ {
			m := chat(seq, fmt.Sprint("old ", seq))
			r.Messages = append(r.Messages, libproto.RoomMessage{
				RoomSeq: seq, TimeNs: m.TimeNs, FromUserID: m.FromUserID, FromName: m.FromName, Message: m.Message,
			})
		}
		c.Reply(f, r)
	})
	return b
}

// everything pushes one of each kind.
func everything(c *peertest.Conn) {
	c.Push(libproto.OpChatBroadcast, chat(11, "hi \x1b[31m there"))
	c.Push(libproto.OpRoomEvent, libproto.RoomEvent{RoomID: 5, Kind: libproto.RoomEventGap, FirstSeq: 12, LastSeq: 15})
	c.Push(libproto.OpDirectMessage, libproto.DirectMessage{FromUserID: 2, FromName: []byte("bob"), TimeNs: timeNs, Message: []byte("psst")})
	c.Push(libproto.OpChatBroadcast, chat(16, "end"))
}

func TestJoinForPeople(t *testing.T) {
	b := newRoom(t, everything)
	got := b.run("join", "den", "--count", "4")
	want := outcome{
		err: "-- joined den: 2 members, 10 messages so far; Ctrl-C leaves\n",
		out: `22:13:20 bob: hi \x1b[31m there
22:13:20 bob: old 12
22:13:20 bob: old 13
-- 2 messages missed: 14 to 15
22:13:20 [direct] bob: psst
22:13:20 bob: end
`,
	}
	if got != want {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

func TestJoinForPrograms(t *testing.T) {
	b := newRoom(t, func(c *peertest.Conn) {
		c.Push(libproto.OpRoomEvent, libproto.RoomEvent{RoomID: 5, Kind: libproto.RoomEventJoined, UserID: 2, Name: []byte("bob")})
		c.Push(libproto.OpRoomEvent, libproto.RoomEvent{RoomID: 5, Kind: libproto.RoomEventLeft, UserID: 2, Name: []byte("bob")})
		everything(c)
	})
	line := func(seq int, text string, replay bool) string {
		return fmt.Sprintf(`{"event":"message","room":"den","seq":%d,"time":"%s","from_user_id":2,"from":"bob","text":"%s","replay":%v}`+"\n",
			seq, timeText, text, replay)
	}
	b.wantRun(`{"event":"joined_room","room":"den","room_id":5,"created":false,"last_seq":10,"members":2}
{"event":"member_joined","room":"den","user_id":2,"user":"bob"}
{"event":"member_left","room":"den","user_id":2,"user":"bob"}
`+line(11, `hi \u001b[31m there`, false)+line(12, "old 12", true)+line(13, "old 13", true)+
		`{"event":"gap","room":"den","first_seq":14,"last_seq":15}
{"event":"direct","time":"`+timeText+`","from_user_id":2,"from":"bob","text":"psst"}
`+line(16, "end", false), "join", "den", "--count", "4", "--json")
}

func TestJoinForAWhile(t *testing.T) {
	b := newRoom(t, func(*peertest.Conn) {})
	if got := b.run("join", "den", "--for", "30ms"); got.code != program.ExitOK || got.out != "" {
		t.Errorf("got %+v", got)
	}
}

func TestJoinReplay(t *testing.T) {
	b := newRoom(t, everything)
	b.peer.Handle(libproto.OpJoinRoom, func(c *peertest.Conn, f libproto.Frame) {
		var req libproto.JoinRoomRequest
		if err := req.Decode(f.Body); err != nil || req.ReplayCount != 65535 {
			t.Errorf("JOIN_ROOM: %+v, %v", req, err)
		}
		c.Reply(f, libproto.JoinRoomResponse{LastSeq: 1, MemberCount: 1})
		m := chat(1, "first")
		m.Flags = libproto.ChatReplay
		c.Push(libproto.OpChatBroadcast, m)
	})
	if got := b.run("join", "den", "--replay", "65535", "--count", "1"); got.code != program.ExitOK || got.out != "22:13:20 bob: first\n" {
		t.Errorf("got %+v", got)
	}
}

// TestJoinComesBack: a lost connection is told and mended, and what was missed is printed.
func TestJoinComesBack(t *testing.T) {
	var joins atomic.Int64
	b := newRoom(t, nil)
	b.peer.Handle(libproto.OpJoinRoom, func(c *peertest.Conn, f libproto.Frame) {
		if joins.Add(1) == 1 {
			c.Reply(f, libproto.JoinRoomResponse{LastSeq: 11, MemberCount: 2})
			c.Push(libproto.OpGoingAway, libproto.GoingAway{Reason: libproto.GoingAwayShutdown, Detail: []byte("upgrade")})
			c.Close()
			return
		}
		c.Reply(f, libproto.JoinRoomResponse{LastSeq: 13, MemberCount: 1})
		c.Push(libproto.OpChatBroadcast, chat(14, "new"))
	})
	got := b.run("join", "den", "--count", "3")
	if want := "22:13:20 bob: old 12\n22:13:20 bob: old 13\n22:13:20 bob: new\n"; got.code != program.ExitOK || got.out != want {
		t.Errorf("got %+v, want %q", got, want)
	}
	for _, part := range []string{"-- the server is going away: shutdown upgrade\n", "-- connection lost: the server is going away: shutdown: upgrade\n"} {
		if !strings.Contains(got.err, part) {
			t.Errorf("stderr lacks %q: %s", part, got.err)
		}
	}
}

// TestJoinAfterARestart: a server that was started from disk counts a room's messages anew, and that is told.
func TestJoinAfterARestart(t *testing.T) {
	var joins atomic.Int64
	b := newRoom(t, nil)
	b.peer.Handle(libproto.OpJoinRoom, func(c *peertest.Conn, f libproto.Frame) {
		if joins.Add(1) == 1 {
			c.Reply(f, libproto.JoinRoomResponse{LastSeq: 11, MemberCount: 2})
			c.Close()
			return
		}
		c.Reply(f, libproto.JoinRoomResponse{MemberCount: 1})
		c.Push(libproto.OpChatBroadcast, chat(1, "new"))
	})
	got := b.run("join", "den", "--count", "1", "--json")
	want := `{"event":"room_reset","room":"den","last_seq":0}` + "\n"
	if got.code != program.ExitOK || !strings.Contains(got.out, want) || strings.Contains(got.out, `"gap"`) {
		t.Errorf("got %+v, want a line %s", got, want)
	}
}

// TestJoinEnds: some losses are final.
func TestJoinEnds(t *testing.T) {
	b := newRoom(t, func(c *peertest.Conn) {
		c.Push(libproto.OpGoingAway, libproto.GoingAway{Reason: libproto.GoingAwayResumed})
		c.Close()
	})
	if got := b.run("join", "den"); got.code != program.ExitConnection || !strings.Contains(got.err, "session resumed elsewhere") {
		t.Errorf("got %+v", got)
	}
	var joins atomic.Int64
	b.peer.Handle(libproto.OpJoinRoom, func(c *peertest.Conn, f libproto.Frame) {
		if joins.Add(1) == 1 {
			c.Reply(f, libproto.JoinRoomResponse{})
			c.Close()
			return
		}
		c.Refuse(f, libproto.StatusNotFound, 0, "gone")
	})
	if got := b.run("join", "den"); got.code != program.ExitFailed || !strings.Contains(got.err, "room den cannot be joined again") {
		t.Errorf("got %+v", got)
	}
}

// TestJoinInterrupted: Ctrl-C is how a join is meant to end.
func TestJoinInterrupted(t *testing.T) {
	b := newRoom(t, func(c *peertest.Conn) { c.Push(libproto.OpChatBroadcast, chat(11, "hi")) })
	loggedOut := make(chan bool, 1)
	b.peer.Handle(libproto.OpLogout, func(c *peertest.Conn, f libproto.Frame) {
		loggedOut <- true
		c.Reply(f, libproto.Empty{})
	})
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	out, in := io.Pipe()
	done := make(chan int, 1)
	go func() {
		done <- Run(ctx, []string{"join", "den", "--json"}, Streams{Out: in, Err: io.Discard, Getenv: func(name string) string { return b.env[name] }})
	}()
	lines := bufio.NewScanner(out)
	for range 2 { // joined_room and the message
		if !lines.Scan() {
			t.Fatal(lines.Err())
		}
	}
	interrupt()
	if code := <-done; code != program.ExitOK {
		t.Errorf("code %d", code)
	}
	<-loggedOut
}
