package worker

import (
	"testing"
	"time"

	"tradechat.internal/libproto"
	"tradechat.internal/server/internal/config"
	"tradechat.internal/shmstore"
)

// TestOneWriteForOneRead: what one read brings is answered by one write, in order.
func TestOneWriteForOneRead(t *testing.T) {
	s := newStage(t)
	s.addUser("alice", 0)
	sock := s.enter("alice")
	const requests = 1000
	var input []byte
	for i := range uint64(requests) {
		input = append(input, encode(libproto.OpHeartbeat, 10+i, libproto.HeartbeatRequest{ClientTimeNs: i})...)
	}
	sock.in = input
	s.w.OnTraffic(sock)
	if sock.writes != 1 {
		t.Errorf("%d writes", sock.writes)
	}
	for i, f := range sock.taken() {
		if f.ReqID != 10+uint64(i) {
			t.Fatalf("answer %d is to request %d", i, f.ReqID)
		}
	}
}

// TestLargeAnswersAreFlushed: a turn does not collect more than flushBytes and one answer before it writes.
func TestLargeAnswersAreFlushed(t *testing.T) {
	s := newStage(t)
	s.addUser("alice", 0)
	sock := s.enter("alice")
	sock.turn(encode(libproto.OpJoinRoom, 3, libproto.JoinRoomRequest{RoomID: 1}))
	for i := range uint64(12) {
		sock.turn(encode(libproto.OpChatSend, 4+i, libproto.ChatSendRequest{RoomID: 1, Message: make4k()}))
	}
	var input []byte
	const requests = 40
	for i := range uint64(requests) {
		input = append(input, encode(libproto.OpRoomHistory, 100+i, libproto.RoomHistoryRequest{RoomID: 1, RowsMax: 512})...)
	}
	sock.in = input
	s.w.OnTraffic(sock)
	if total := len(sock.out); sock.writes < total/(2*flushBytes) || sock.writes > total/flushBytes+1 {
		t.Errorf("%d bytes in %d writes", total, sock.writes)
	}
	if n := len(sock.taken()); n != requests {
		t.Errorf("%d answers", n)
	}
}

func make4k() []byte {
	b := make([]byte, 4096)
	for i := range b {
		b[i] = 'x'
	}
	return b
}

// TestPartialFrames: a frame that comes in pieces is looked at when it can be whole, not at every piece.
func TestPartialFrames(t *testing.T) {
	s := newStage(t)
	s.addUser("alice", 0)
	sock := s.enter("alice")
	frame := encode(libproto.OpHeartbeat, 9, libproto.HeartbeatRequest{})
	for i, b := range frame {
		answers := sock.turn([]byte{b})
		if whole := i == len(frame)-1; (len(answers) == 1) != whole {
			t.Fatalf("%d answers after byte %d", len(answers), i)
		}
		want := uint32(libproto.HeaderLen)
		if i+1 >= libproto.HeaderLen && i+1 < len(frame) {
			want = uint32(len(frame))
		}
		if sock.c.need != want {
			t.Fatalf("after %d bytes %d are waited for", i+1, sock.c.need)
		}
	}
}

// TestMembersDieDuringABroadcast: a write that fails closes its connection in the middle of the loop over the members.
func TestMembersDieDuringABroadcast(t *testing.T) {
	s := newStage(t)
	var socks []*fakeSock
	for _, name := range []string{"anna", "bert", "cleo", "dora", "egon"} {
		s.addUser(name, 0)
		sock := s.enter(name)
		sock.turn(encode(libproto.OpJoinRoom, 3, libproto.JoinRoomRequest{RoomID: 1}))
		socks = append(socks, sock)
	}
	s.deliver()
	for _, sock := range socks {
		sock.taken()
	}
	socks[0].broken, socks[2].broken, socks[4].broken = true, true, true
	if f := socks[1].turn(encode(libproto.OpChatSend, 4, message(1, "x"))); f[0].Status != libproto.StatusOK {
		t.Fatal(f[0].Status)
	}
	s.deliver()
	for i, sock := range socks {
		heard := len(sock.taken())
		if alive := i == 1 || i == 3; alive != (heard == 1) || alive == sock.closed {
			t.Errorf("member %d: heard %d, closed %v", i, heard, sock.closed)
		}
	}
	if n := len(s.w.rooms[1]); n != 2 {
		t.Errorf("%d members are left", n)
	}
	if info, _ := s.segment.Room(1); info.Members != 5 { // their sessions may be resumed
		t.Errorf("%d members are left in the segment", info.Members)
	}
	if n := len(s.w.table.rows); n != 2 {
		t.Errorf("%d connections are left", n)
	}
	s.deliver()
	if got := socks[1].taken(); len(got) != 0 {
		t.Errorf("%d pushes", len(got))
	}
}

// TestConnectionDiesWhileItIsAnswered: the write of a turn's answers fails.
func TestConnectionDiesWhileItIsAnswered(t *testing.T) {
	s := newStage(t)
	id := s.addUser("alice", 0)
	sock := s.enter("alice")
	sock.broken = true
	sock.turn(encode(libproto.OpHeartbeat, 9, libproto.HeartbeatRequest{}))
	if !sock.closed || len(s.w.table.rows) != 0 || s.segment.Online(id) || s.w.gate.open.Load() != 0 {
		t.Errorf("closed %v, rows %d, online %v, open %d",
			sock.closed, len(s.w.table.rows), s.segment.Online(id), s.w.gate.open.Load())
	}
}

// TestSlowConsumerIsCutOff with the socket stuck, and is told so behind what it has not read. What it asks meanwhile is not answered.
func TestSlowConsumerIsCutOff(t *testing.T) {
	s := newStage(t)
	id := s.addUser("alice", 0)
	s.addUser("bob", 0)
	sock, bob := s.enter("alice"), s.enter("bob")
	sock.turn(encode(libproto.OpJoinRoom, 3, libproto.JoinRoomRequest{RoomID: 1}))
	bob.turn(encode(libproto.OpJoinRoom, 3, libproto.JoinRoomRequest{RoomID: 1}))
	sock.stuck = true
	sock.in = append(sock.in, encode(libproto.OpRoomList, 10, libproto.RoomListRequest{RowsMax: 9})...)
	s.w.OnTraffic(sock)
	if !sock.c.paused {
		t.Fatal("it is read from although it takes nothing")
	}
	sock.in = append(sock.in, encode(libproto.OpRoomList, 11, libproto.RoomListRequest{RowsMax: 9})...)
	s.w.OnTraffic(sock)
	var frames []libproto.Frame
	for i := uint64(0); sock.c.state != stateLeaving; i++ {
		if len(sock.in) == 0 {
			t.Fatal("a request was taken although its answer cannot be")
		}
		bob.turn(encode(libproto.OpChatSend, 10+i, libproto.ChatSendRequest{RoomID: 1, Message: make4k()}))
		s.deliver()
		bob.taken()
		if len(sock.out) > 2*int(s.config.OutboundBytesMax) {
			t.Fatalf("%d bytes are queued", len(sock.out))
		}
	}
	if s.segment.Online(id) || len(s.w.rooms[1]) != 1 {
		t.Error("its session goes on")
	}
	sock.stuck = false
	frames = sock.taken()
	var g libproto.GoingAway
	decode(t, frames[len(frames)-1], &g)
	if g.Reason != libproto.GoingAwaySlowConsumer {
		t.Errorf("%v", g.Reason)
	}
	s.tick()
	if !sock.c.shut {
		t.Error("not shut down although all is sent")
	}
	if n := s.metrics(0).Counters[shmstore.CounterSlowConsumers]; n != 1 {
		t.Errorf("%d slow consumers counted", n)
	}
}

// TestGapIsTold: a slot whose heart has stopped does not hold up a room; its members learn what they have missed.
func TestGapIsTold(t *testing.T) {
	s := newStage(t)
	s.addUser("alice", 0)
	s.addUser("zoe", 0)
	sock := s.enter("alice")
	sock.turn(encode(libproto.OpJoinRoom, 3, libproto.JoinRoomRequest{RoomID: 1}))
	s.deliver()
	sock.taken()

	// The master's slot speaks; the worker, which is this test, does not turn.
	await(t, "the worker's heart counts as stopped", func() bool {
		return s.segment.SlotInfo(0).HeartAge > shmstore.ReaderStallMax
	})
	zoe, err := s.master.OpenSession(2)
	must(t, err)
	_, err = s.master.Join(zoe, 1)
	must(t, err)
	const messages = 40 // of 4 KiB each: more than twice the room's ring
	for range messages {
		_, _, err := s.master.Send(zoe, 1, make4k())
		must(t, err)
		s.master.DrainRoom(1, func(shmstore.Event) {})
	}
	s.deliver()
	frames := sock.taken()
	var e libproto.RoomEvent
	decode(t, frames[0], &e)
	if e.Kind != libproto.RoomEventGap || e.RoomID != 1 || e.FirstSeq != 1 ||
		e.LastSeq < messages/2 || e.LastSeq >= messages {
		t.Fatalf("%+v", e)
	}
	for _, f := range frames[1:] {
		var m libproto.ChatBroadcast
		decode(t, f, &m)
		if e.LastSeq++; m.RoomSeq != e.LastSeq {
			t.Errorf("room_seq %d after %d", m.RoomSeq, e.LastSeq-1)
		}
	}
	if e.LastSeq != messages {
		t.Errorf("ends at room_seq %d", e.LastSeq)
	}
}

// TestRequestsAllocateNothing runs requests of each kind through the whole path: decoding, store, answer, delivery; with
// answers that wait for the journal, and without.
func TestRequestsAllocateNothing(t *testing.T) {
	t.Run("no journal", func(t *testing.T) {
		s := newStage(t)
		requestsAllocateNothing(t, s, func() {})
	})
	t.Run("journal", func(t *testing.T) {
		s := newStage(t)
		j := s.openJournal()
		requestsAllocateNothing(t, s, j.sync)
	})
}

// requestsAllocateNothing calls sync after each request.
func requestsAllocateNothing(t *testing.T, s *stage, sync func()) {
	s.addUser("alice", 1<<40)
	bob := s.addUser("bob", 0)
	sync()
	sock := s.enter("alice")
	sock.turn(encode(libproto.OpJoinRoom, 3, libproto.JoinRoomRequest{RoomID: 1}))
	requests := map[libproto.Opcode]libproto.Body{
		libproto.OpHeartbeat:     libproto.HeartbeatRequest{},
		libproto.OpBalance:       libproto.Empty{},
		libproto.OpDeposit:       libproto.DepositRequest{Amount: 5},
		libproto.OpWithdraw:      libproto.WithdrawRequest{Amount: 5},
		libproto.OpTransfer:      libproto.TransferRequest{ToUserID: bob, Amount: 1},
		libproto.OpTransferBatch: libproto.TransferBatchRequest{Legs: []libproto.TransferLeg{{ToUserID: bob, Amount: 1}, {}}},
		libproto.OpTxnHistory:    libproto.TxnHistoryRequest{RowsMax: 512},
		libproto.OpTxnStatus:     libproto.TxnStatusRequest{SessionID: sock.c.session.ID, ReqID: 4},
		libproto.OpChatSend:      libproto.ChatSendRequest{RoomID: 1, Message: []byte("hello")},
		libproto.OpDirectSend:    libproto.DirectSendRequest{ToUsername: []byte("alice"), Message: []byte("hello")},
		libproto.OpRoomOpen:      libproto.RoomOpenRequest{Name: []byte("lobby")},
		libproto.OpRoomList:      libproto.RoomListRequest{RowsMax: 512},
		libproto.OpRoomHistory:   libproto.RoomHistoryRequest{RoomID: 1, RowsMax: 512},
		libproto.OpWho:           libproto.WhoRequest{RowsMax: 512},
		libproto.OpUserLookup:    libproto.UserLookupRequest{Username: []byte("bob")},
		libproto.OpHello:         libproto.Empty{}, // refused by state
		libproto.OpLeaveRoom:     libproto.LeaveRoomRequest{RoomID: 999},
	}
	out := make([]byte, 0, 1<<20)
	reqID := uint64(100)
	for op, body := range requests {
		frame := encode(op, 0, body)
		allocs := testing.AllocsPerRun(200, func() {
			reqID++
			putReqID(frame, reqID)
			sock.in, sock.out = frame, out
			s.w.OnTraffic(sock)
			sync()
			s.deliver()
			if op == libproto.OpHello { // would be closed
				sock.c.offences.outOfState = [libproto.StateFaultsMax - 1]tick{}
			}
		})
		if allocs != 0 {
			t.Errorf("%v: %v allocations", op, allocs)
		}
		if sock.c.state != stateReady {
			t.Fatalf("%v: the connection is %v", op, sock.c.state)
		}
	}
}

func putReqID(frame []byte, id uint64) {
	for i := range 8 {
		frame[14+i] = byte(id >> (56 - 8*i))
	}
	libproto.Seal(frame)
}

func TestRateLimit(t *testing.T) {
	l, c := newRateLimit(10), new(conn)
	now := uint64(5 * time.Second)
	count := func(at uint64) (admitted int) {
		for {
			retryMs, ok := l.admit(c, at, 1)
			if !ok {
				if retryMs == 0 || retryMs > 100+1 {
					t.Errorf("retry after %d ms", retryMs)
				}
				return admitted
			}
			admitted++
		}
	}
	if n := count(now); n != 10 {
		t.Errorf("a full bucket holds %d", n)
	}
	if n := count(now + uint64(300*time.Millisecond)); n != 3 {
		t.Errorf("%d after 0.3 s", n)
	}
	if n := count(now + uint64(time.Hour)); n != 10 {
		t.Errorf("%d after an hour", n)
	}
	if _, ok := newRateLimit(0).admit(c, now, 1); !ok {
		t.Error("no limit refuses")
	}
}

// TestRateLimitCountsTheTransfersOfABatch: however many requests they come in.
func TestRateLimitCountsTheTransfersOfABatch(t *testing.T) {
	l, c := newRateLimit(100), new(conn)
	now := uint64(5 * time.Second)
	for _, step := range []struct {
		afterMs, legs uint64
		retryMs       uint32 // 0: admitted
	}{
		{0, 60, 0}, {0, 60, 201}, {0, 40, 0}, {0, 1, 11}, {200, 20, 0}, {0, 1, 11},
		{1000, 1000, 0}, // more than a second's: a full bucket will do
		{0, 1, 9011}, {9000, 1, 11}, {10, 1, 0},
	} {
		now += step.afterMs * uint64(time.Millisecond)
		if retryMs, ok := l.admit(c, now, step.legs); ok != (step.retryMs == 0) || retryMs != step.retryMs {
			t.Errorf("%d legs %d ms later: %v, retry after %d ms; want %d", step.legs, step.afterMs, ok, retryMs, step.retryMs)
		}
	}
	batch := func(legs uint16) *libproto.Frame {
		return &libproto.Frame{Header: libproto.Header{Op: libproto.OpTransferBatch}, Body: []byte{byte(legs >> 8), byte(legs)}}
	}
	for _, w := range []struct {
		frame *libproto.Frame
		want  uint64
	}{
		{batch(0), 1}, {batch(7), 7}, {batch(65535), libproto.BatchLegsMax},
		{&libproto.Frame{Header: libproto.Header{Op: libproto.OpTransferBatch}, Body: []byte{9}}, 1},
		{&libproto.Frame{Header: libproto.Header{Op: libproto.OpChatSend}, Body: []byte{9, 9}}, 1},
	} {
		if got := libproto.Weight(w.frame.Op, w.frame.Body); got != w.want {
			t.Errorf("%v %v weighs %d, not %d", w.frame.Op, w.frame.Body, got, w.want)
		}
	}
}

// TestRateLimitHoldsBatchesBack: over a socket, what is over the limit is not done.
func TestRateLimitHoldsBatchesBack(t *testing.T) {
	c := startCluster(t, func(s *config.Config) { s.RateLimit = 50 })
	c.addUser("alice", 1000)
	bob := c.addUser("bob", 0)
	p := c.workers[0].enter(t, "alice")
	legs := make([]libproto.TransferLeg, 40)
	for i := range legs {
		legs[i] = libproto.TransferLeg{ToUserID: bob, Amount: 1}
	}
	p.ask(libproto.OpTransferBatch, libproto.TransferBatchRequest{Legs: legs}, new(libproto.TransferBatchResponse))
	if e := p.refused(libproto.StatusRateLimit, libproto.OpTransferBatch, libproto.TransferBatchRequest{Legs: legs}); e.RetryAfterMs == 0 {
		t.Error("no time to come back at")
	}
	if balance, _, err := c.master.Balance(bob); err != nil || balance != 40 {
		t.Errorf("bob has %d, %v", balance, err)
	}
	c.verify()
}

// TestMembersFromTheirOwnPosition: two who join before and after messages that nobody has been pushed yet.
func TestMembersFromTheirOwnPosition(t *testing.T) {
	s := newStage(t)
	s.addUser("anna", 0)
	s.addUser("bert", 0)
	zoe, err := s.master.OpenSession(s.addUser("zoe", 0))
	must(t, err)
	_, err = s.master.Join(zoe, 1)
	must(t, err)
	say := func(text string) {
		t.Helper()
		_, _, err := s.master.Send(zoe, 1, []byte(text))
		must(t, err)
	}
	anna, bert := s.enter("anna"), s.enter("bert")
	anna.turn(encode(libproto.OpJoinRoom, 3, libproto.JoinRoomRequest{RoomID: 1}))
	say("1")
	say("2")
	bert.turn(encode(libproto.OpJoinRoom, 3, libproto.JoinRoomRequest{RoomID: 1}))
	say("3")
	s.deliver()
	if anna.writes != 1 || bert.writes != 1 {
		t.Errorf("%d and %d writes", anna.writes, bert.writes)
	}
	if got := heardBy(t, anna); got != "1 2 bert+ 3 " {
		t.Errorf("anna: %s", got)
	}
	if got := heardBy(t, bert); got != "3 " {
		t.Errorf("bert: %s", got)
	}
}

// heardBy lists the pushes that a connection has got: messages by their text, who joined by a name and a plus.
func heardBy(t *testing.T, sock *fakeSock) (list string) {
	t.Helper()
	for _, f := range sock.taken() {
		switch f.Op {
		case libproto.OpChatBroadcast:
			var m libproto.ChatBroadcast
			decode(t, f, &m)
			list += string(m.Message) + " "
		case libproto.OpRoomEvent:
			var e libproto.RoomEvent
			decode(t, f, &e)
			list += string(e.Name) + "+ "
		default:
			list += f.Op.String() + " "
		}
	}
	return list
}

// TestMailInOneWrite: the direct messages that wait for a session are pushed together.
func TestMailInOneWrite(t *testing.T) {
	s := newStage(t)
	anna, bert := s.addUser("anna", 0), s.addUser("bert", 0)
	a, b := s.enter("anna"), s.enter("bert")
	for _, to := range []uint32{anna, anna, bert, anna} {
		_, _, err := s.master.Direct(bert, to, []byte("psst"))
		must(t, err)
	}
	s.deliver()
	if a.writes != 2 || b.writes != 1 || len(a.taken()) != 3 || len(b.taken()) != 1 {
		t.Errorf("%d and %d writes", a.writes, b.writes)
	}
}

// TestOwnMailboxFull: more direct messages in one turn than the slot's mailbox holds.
func TestOwnMailboxFull(t *testing.T) {
	s := newStage(t)
	s.addUser("anna", 0)
	sock := s.enter("anna")
	const messages = 60 // of 4 KiB each, and the mailbox has 64 KiB
	for i := range uint64(messages) {
		sock.in = append(sock.in, encode(libproto.OpDirectSend, 10+i, direct("anna", string(make4k())))...)
	}
	s.w.OnTraffic(sock)
	s.deliver()
	answers, pushes := 0, 0
	for _, f := range sock.taken() {
		switch {
		case f.Op == libproto.OpDirectMessage:
			pushes++
		case f.Status == libproto.StatusOK:
			answers++
		default:
			t.Fatalf("%v", f.Status)
		}
	}
	if answers != messages || pushes != messages {
		t.Errorf("%d answers, %d pushes", answers, pushes)
	}
}
