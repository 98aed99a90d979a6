package worker

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"tradechat.internal/libproto"
	"tradechat.internal/server/internal/config"
	"tradechat.internal/shmstore"
)

func TestChatReachesEveryMemberAndTheSender(t *testing.T) {
	c := startCluster(t, nil)
	alice, bob := c.addUser("alice", 0), c.addUser("bob", 0)
	a, b := c.workers[0].enter(t, "alice"), c.workers[0].enter(t, "bob")
	if r := a.join(1); r.MemberCount != 1 || r.LastSeq != 0 {
		t.Errorf("first member: %+v", r)
	}
	if r := b.join(1); r.MemberCount != 2 {
		t.Errorf("second member: %+v", r)
	}
	a.sees(libproto.RoomEvent{RoomID: 1, Kind: libproto.RoomEventJoined, UserID: bob, Name: []byte("bob")})

	sent := a.say(1, "hello")
	if sent.RoomSeq != 1 || sent.TimeNs == 0 {
		t.Errorf("CHAT_SEND response: %+v", sent)
	}
	for _, p := range []*peer{a, b} {
		m := p.heard()
		if m.RoomID != 1 || m.RoomSeq != 1 || m.TimeNs != sent.TimeNs || m.Flags != 0 || m.FromUserID != alice ||
			string(m.FromName) != "alice" || string(m.Message) != "hello" {
			t.Errorf("%+v", m)
		}
	}

	b.ask(libproto.OpLeaveRoom, libproto.LeaveRoomRequest{RoomID: 1}, &libproto.Empty{})
	a.sees(libproto.RoomEvent{RoomID: 1, Kind: libproto.RoomEventLeft, UserID: bob, Name: []byte("bob")})
	b.refused(libproto.StatusUnauthorized, libproto.OpLeaveRoom, libproto.LeaveRoomRequest{RoomID: 1})
	b.refused(libproto.StatusUnauthorized, libproto.OpChatSend, message(1, "x"))
	a.say(1, "alone")
	a.heard()
	b.quiet()
}

// sees checks that the next push is this event.
func (p *peer) sees(want libproto.RoomEvent) {
	p.t.Helper()
	var e libproto.RoomEvent
	f := p.push()
	if f.Op != libproto.OpRoomEvent {
		p.t.Fatalf("%v instead of ROOM_EVENT", f.Op)
	}
	decode(p.t, f, &e)
	if !bytes.Equal(e.AppendTo(nil), want.AppendTo(nil)) {
		p.t.Fatalf("%+v, not %+v", e, want)
	}
}

// quiet checks that nothing has been pushed before the answer to a request that is made now.
func (p *peer) quiet() {
	p.t.Helper()
	p.call(libproto.OpHeartbeat, libproto.HeartbeatRequest{})
	if len(p.pushes) > 0 {
		p.t.Errorf("an unexpected %v", p.pushes[0].Op)
	}
}

func TestRoomEventsAreForOthers(t *testing.T) {
	c := startCluster(t, nil)
	alice := c.addUser("alice", 0)
	c.addUser("bob", 0)
	b := c.workers[0].enter(t, "bob")
	b.join(1)
	first, second := c.workers[0].enter(t, "alice"), c.workers[0].enter(t, "alice")
	first.join(1)
	b.sees(libproto.RoomEvent{RoomID: 1, Kind: libproto.RoomEventJoined, UserID: alice, Name: []byte("alice")})
	second.join(1) // no news: alice is in already
	second.ask(libproto.OpLeaveRoom, libproto.LeaveRoomRequest{RoomID: 1}, &libproto.Empty{})
	first.quiet()
	b.quiet()
	// Leaving and coming back within one turn: the events lie before the new membership.
	first.write(append(first.request(libproto.OpLeaveRoom, libproto.LeaveRoomRequest{RoomID: 1}),
		first.request(libproto.OpJoinRoom, libproto.JoinRoomRequest{RoomID: 1})...))
	first.response()
	first.response()
	b.sees(libproto.RoomEvent{RoomID: 1, Kind: libproto.RoomEventLeft, UserID: alice, Name: []byte("alice")})
	b.sees(libproto.RoomEvent{RoomID: 1, Kind: libproto.RoomEventJoined, UserID: alice, Name: []byte("alice")})
	first.quiet()

	// A connection that is lost may come back: its session stays in the room. One that logs out leaves.
	_ = second.socket.Close()
	first.ask(libproto.OpLogout, libproto.Empty{}, &libproto.Empty{})
	b.sees(libproto.RoomEvent{RoomID: 1, Kind: libproto.RoomEventLeft, UserID: alice, Name: []byte("alice")})
	b.quiet()
}

func TestReplayComesBetweenTheResponseAndTheRest(t *testing.T) {
	c := startCluster(t, nil)
	c.addUser("alice", 0)
	c.addUser("bob", 0)
	a := c.workers[0].enter(t, "alice")
	a.join(1)
	for i := range 10 {
		a.say(1, fmt.Sprint("message ", i+1))
	}
	b := c.workers[0].enter(t, "bob")
	// Joining and speaking in one write: the own message is live and comes after the replay.
	b.write(append(b.request(libproto.OpJoinRoom, libproto.JoinRoomRequest{RoomID: 1, ReplayCount: 4}),
		b.request(libproto.OpChatSend, message(1, "message 11"))...))
	if f := b.read(); f.Op != libproto.OpJoinRoom || f.Status != libproto.StatusOK {
		t.Fatalf("%v before the response", f.Op)
	}
	b.response() // of CHAT_SEND
	for seq := uint64(7); seq <= 11; seq++ {
		m := b.heard()
		flags := libproto.ChatReplay
		if seq == 11 {
			flags = 0
		}
		if m.RoomSeq != seq || m.Flags != flags || string(m.Message) != fmt.Sprint("message ", seq) {
			t.Errorf("seq %d: %+v", seq, m)
		}
	}
	// Joining again is OK and changes nothing.
	var r libproto.JoinRoomResponse
	b.ask(libproto.OpJoinRoom, libproto.JoinRoomRequest{RoomID: 1, ReplayCount: 4}, &r)
	if r.MemberCount != 2 || r.LastSeq != 11 {
		t.Errorf("second JOIN_ROOM: %+v", r)
	}
	b.quiet()
}

func TestRooms(t *testing.T) {
	c := startCluster(t, func(s *config.Config) { s.RoomsMax = 3 })
	c.addUser("alice", 0)
	p := c.workers[0].enter(t, "alice")
	var r libproto.RoomOpenResponse
	p.ask(libproto.OpRoomOpen, libproto.RoomOpenRequest{Name: []byte("lobby")}, &r)
	if r.RoomID != libproto.LobbyRoomID || r.Created {
		t.Errorf("lobby: %+v", r)
	}
	for i, name := range []string{"red", "green"} {
		for _, created := range []bool{true, false} {
			p.ask(libproto.OpRoomOpen, libproto.RoomOpenRequest{Name: []byte(name)}, &r)
			if r.RoomID != uint32(i+2) || r.Created != created {
				t.Errorf("%s: %+v", name, r)
			}
		}
	}
	p.refused(libproto.StatusLimit, libproto.OpRoomOpen, libproto.RoomOpenRequest{Name: []byte("blue")})
	p.refused(libproto.StatusInvalidArgument, libproto.OpRoomOpen, libproto.RoomOpenRequest{Name: []byte("no room")})
	p.refused(libproto.StatusInvalidArgument, libproto.OpRoomOpen, libproto.RoomOpenRequest{})
	p.refused(libproto.StatusNotFound, libproto.OpJoinRoom, libproto.JoinRoomRequest{RoomID: 4})
	p.refused(libproto.StatusNotFound, libproto.OpChatSend, message(1<<31, "x"))

	var l libproto.RoomListResponse
	p.ask(libproto.OpRoomList, libproto.RoomListRequest{RowsMax: 65535}, &l)
	if len(l.Rooms) != 3 || string(l.Rooms[2].Name) != "green" {
		t.Errorf("all: %+v", l)
	}
	p.ask(libproto.OpRoomList, libproto.RoomListRequest{AfterRoomID: 1, RowsMax: 1}, &l)
	if len(l.Rooms) != 1 || string(l.Rooms[0].Name) != "red" {
		t.Errorf("one after the first: %+v", l)
	}
	p.ask(libproto.OpRoomList, libproto.RoomListRequest{AfterRoomID: 1<<32 - 1, RowsMax: 9}, &l)
	if len(l.Rooms) != 0 {
		t.Errorf("after the last: %+v", l)
	}
}

func TestMessageLengths(t *testing.T) {
	c := startCluster(t, nil)
	c.addUser("alice", 0)
	p := c.workers[0].enter(t, "alice")
	p.join(1)
	longest := strings.Repeat("x", int(c.config.MessageBytesMax))
	p.refused(libproto.StatusInvalidArgument, libproto.OpChatSend, libproto.ChatSendRequest{RoomID: 1})
	p.refused(libproto.StatusInvalidArgument, libproto.OpChatSend, message(1, longest+"x"))
	p.refused(libproto.StatusInvalidArgument, libproto.OpDirectSend, libproto.DirectSendRequest{ToUsername: []byte("alice")})
	p.say(1, longest)
	if m := p.heard(); string(m.Message) != longest {
		t.Errorf("%d bytes came back", len(m.Message))
	}
}

func TestRoomHistory(t *testing.T) {
	c := startCluster(t, func(s *config.Config) { s.BodyBytesMax = 1024; s.MessageBytesMax = 400 })
	alice := c.addUser("alice", 0)
	p := c.workers[0].enter(t, "alice")
	p.join(1)
	for i := range 30 {
		p.say(1, fmt.Sprint("message ", i+1, " ", strings.Repeat("x", 90)))
	}
	p.refused(libproto.StatusNotFound, libproto.OpRoomHistory, libproto.RoomHistoryRequest{RoomID: 9})

	// Page by page from the newest to the oldest: nothing missing, nothing twice, no page over the body limit.
	seen, before := 0, uint64(0)
	for {
		var r libproto.RoomHistoryResponse
		f := p.ask(libproto.OpRoomHistory, libproto.RoomHistoryRequest{RoomID: 1, BeforeSeq: before, RowsMax: 20}, &r)
		if len(f.Body) > 1024 {
			t.Errorf("a body of %d bytes", len(f.Body))
		}
		if len(r.Messages) == 0 {
			break
		}
		for i, m := range r.Messages {
			want := uint64(30 - seen - len(r.Messages) + i + 1)
			if m.RoomSeq != want || m.FromUserID != alice || string(m.FromName) != "alice" {
				t.Fatalf("room_seq %d, not %d", m.RoomSeq, want)
			}
		}
		seen += len(r.Messages)
		before = r.Messages[0].RoomSeq
	}
	if seen != 30 {
		t.Errorf("%d messages", seen)
	}
	var r libproto.RoomHistoryResponse
	p.ask(libproto.OpRoomHistory, libproto.RoomHistoryRequest{RoomID: 1, BeforeSeq: 11, RowsMax: 3}, &r)
	if len(r.Messages) != 3 || r.Messages[0].RoomSeq != 8 || r.Messages[2].RoomSeq != 10 {
		t.Errorf("three before 11: %+v", r.Messages)
	}
}

func TestWhoAndLookup(t *testing.T) {
	c := startCluster(t, func(s *config.Config) { s.BodyBytesMax = 1024; s.MessageBytesMax = 400 })
	names := map[uint32]string{}
	var peers []*peer
	for i := range 60 {
		name := fmt.Sprintf("user-with-a-rather-long-name-%02d", i)
		names[c.addUser(name, 0)] = name
		if i%2 == 0 {
			peers = append(peers, c.workers[0].enter(t, name))
		}
	}
	p := peers[0]
	twice := c.workers[0].enter(t, names[1])
	p.join(1)
	twice.join(1)
	peers[5].join(1)

	seen, after := 0, uint32(0)
	for {
		var r libproto.WhoResponse
		f := p.ask(libproto.OpWho, libproto.WhoRequest{AfterUserID: after, RowsMax: 512}, &r)
		if len(f.Body) > 1024 {
			t.Errorf("a body of %d bytes", len(f.Body))
		}
		if len(r.Users) == 0 {
			break
		}
		for _, u := range r.Users {
			if u.UserID <= after || names[u.UserID] != string(u.Username) || u.UserID%2 == 0 {
				t.Fatalf("%d %q after %d", u.UserID, u.Username, after)
			}
			after = u.UserID
			seen++
		}
	}
	if seen != 30 {
		t.Errorf("%d users online", seen)
	}
	var r libproto.WhoResponse
	p.ask(libproto.OpWho, libproto.WhoRequest{RoomID: 1, RowsMax: 9}, &r)
	if len(r.Users) != 2 || string(r.Users[0].Username) != names[1] || string(r.Users[1].Username) != names[11] {
		t.Errorf("in the lobby: %+v", r.Users)
	}
	p.ask(libproto.OpWho, libproto.WhoRequest{RowsMax: 0}, &r)
	if len(r.Users) != 0 {
		t.Errorf("none asked for: %+v", r.Users)
	}
	p.refused(libproto.StatusNotFound, libproto.OpWho, libproto.WhoRequest{RoomID: 7, RowsMax: 9})

	var l libproto.UserLookupResponse
	p.ask(libproto.OpUserLookup, libproto.UserLookupRequest{Username: []byte(names[1])}, &l)
	if l.UserID != 1 || !l.Online {
		t.Errorf("lookup: %+v", l)
	}
	p.ask(libproto.OpUserLookup, libproto.UserLookupRequest{Username: []byte(names[2])}, &l)
	if l.UserID != 2 || l.Online {
		t.Errorf("lookup: %+v", l)
	}
	p.refused(libproto.StatusNotFound, libproto.OpUserLookup, libproto.UserLookupRequest{Username: []byte("nobody")})
}

func TestDirectMessages(t *testing.T) {
	c := startCluster(t, func(s *config.Config) { s.Workers = 2 })
	alice := c.addUser("alice", 0)
	c.addUser("bob", 0)
	c.addUser("carol", 0)
	a := c.workers[0].enter(t, "alice")
	here, there := c.workers[0].enter(t, "bob"), c.workers[1].enter(t, "bob")
	var r libproto.DirectSendResponse
	for i := range 3 {
		text := fmt.Sprint("psst ", i)
		a.ask(libproto.OpDirectSend, direct("bob", text), &r)
		if r.SessionsReached != 2 {
			t.Errorf("reached %d sessions", r.SessionsReached)
		}
		for _, p := range []*peer{here, there} {
			var m libproto.DirectMessage
			f := p.push()
			decode(t, f, &m)
			if f.Op != libproto.OpDirectMessage || m.FromUserID != alice || string(m.FromName) != "alice" ||
				m.TimeNs != r.TimeNs || string(m.Message) != text {
				t.Errorf("%v: %+v", f.Op, m)
			}
		}
	}
	a.ask(libproto.OpDirectSend, direct("carol", "x"), &r)
	if r.SessionsReached != 0 {
		t.Errorf("reached %d sessions of somebody who is offline", r.SessionsReached)
	}
	a.refused(libproto.StatusNotFound, libproto.OpDirectSend, direct("nobody", "x"))
}

// TestADirectMessageReachesAllSessions of a user with many of them, or the answer says how many it missed.
func TestADirectMessageReachesAllSessions(t *testing.T) {
	c := startCluster(t, func(s *config.Config) { s.Workers = 2 })
	c.addUser("alice", 0)
	c.addUser("bob", 0)
	a := c.workers[0].enter(t, "alice")
	const each = 30
	var bobs []*peer
	for i := range 2 * each {
		bobs = append(bobs, c.workers[i%2].enter(t, "bob"))
	}
	text := strings.Repeat("x", int(c.segment.Shape().MessageBytesMax))
	var r libproto.DirectSendResponse
	for range 3 {
		a.ask(libproto.OpDirectSend, direct("bob", text), &r)
		if r.SessionsReached != 2*each || r.SessionsMissed != 0 {
			t.Fatalf("%+v", r)
		}
		for _, p := range bobs {
			if f := p.push(); f.Op != libproto.OpDirectMessage {
				t.Fatalf("%v", f.Op)
			}
		}
	}
	c.verify()
}

// TestChatAcrossWorkers: members on two workers, all of them speaking at once, get every message once and in order.
func TestChatAcrossWorkers(t *testing.T) {
	const members, messages = 6, 200
	c := startCluster(t, func(s *config.Config) { s.Workers = 2 })
	var peers []*peer
	for i := range members {
		name := fmt.Sprint("user", i)
		c.addUser(name, 0)
		p := c.workers[i%2].enter(t, name)
		p.join(1)
		peers = append(peers, p)
	}
	done := make(chan error, members)
	for _, p := range peers {
		go func() { done <- p.converse(1, messages, members*messages) }()
	}
	for range members {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	// They are counted after they are written: the last members may have theirs before.
	delivered := func() uint64 {
		total := c.segment.MetricsTotal()
		return total.Counters[shmstore.CounterMessagesDelivered]
	}
	const want = members * members * messages
	await(t, "all messages counted", func() bool { return delivered() >= want })
	if n := delivered(); n != want {
		t.Errorf("%d messages delivered, not %d", n, want)
	}
	c.verify()
}

// converse sends messages, one after the answer to the other, until it has heard total of them in order. A busy room is
// tried again.
func (p *peer) converse(room uint32, messages, total int) error {
	sent, answered := 0, true
	for heard := uint64(0); heard < uint64(total) || !answered || sent < messages; {
		if answered && sent < messages {
			answered = false
			sent++
			text := fmt.Sprint(p.user, " ", sent)
			if _, err := p.socket.Write(p.request(libproto.OpChatSend, message(room, text))); err != nil {
				return err
			}
		}
		f, err := p.next()
		if err != nil {
			return fmt.Errorf("user %d, after %d heard and %d sent: %w", p.user, heard, sent, err)
		}
		switch {
		case f.Op == libproto.OpChatBroadcast:
			var m libproto.ChatBroadcast
			if err := m.Decode(f.Body); err != nil {
				return err
			}
			if heard++; m.RoomSeq != heard {
				return fmt.Errorf("user %d: room_seq %d instead of %d", p.user, m.RoomSeq, heard)
			}
		case f.Op == libproto.OpChatSend && f.Status == libproto.StatusServerBusy:
			answered, sent = true, sent-1
		case f.Op == libproto.OpChatSend && f.Status == libproto.StatusOK:
			answered = true
		case f.Op != libproto.OpRoomEvent:
			return fmt.Errorf("user %d: unexpected %v %v", p.user, f.Op, f.Status)
		}
	}
	return nil
}

// TestOwnBacklog: one connection fills a room's ring within a single turn, several times over.
func TestOwnBacklog(t *testing.T) {
	c := startCluster(t, nil)
	c.addUser("alice", 0)
	p := c.workers[0].enter(t, "alice")
	p.join(1)
	const messages = 400
	text := strings.Repeat("x", 1000)
	done := make(chan error, 1)
	go func() {
		for range messages {
			if _, err := p.socket.Write(p.request(libproto.OpChatSend, message(1, text))); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	answers, heard := 0, uint64(0)
	for answers < messages || heard < messages {
		f := p.read()
		switch f.Op {
		case libproto.OpChatSend:
			if f.Status != libproto.StatusOK {
				t.Fatalf("message %d: %v", answers, f.Status)
			}
			answers++
		case libproto.OpChatBroadcast:
			var m libproto.ChatBroadcast
			decode(t, f, &m)
			if heard++; m.RoomSeq != heard {
				t.Fatalf("room_seq %d instead of %d", m.RoomSeq, heard)
			}
		}
	}
	must(t, <-done)
}
