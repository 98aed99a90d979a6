package chatcheck

import (
	"sync"
	"testing"
)

const testRoom = 9

// newTestGroup is one room with all connections in it, joined at room_seq 0.
func newTestGroup(conns int) (*Group, []Sender, []Member) {
	owners := make([]Owner, conns)
	for i := range owners {
		owners[i] = ownerOf(i)
	}
	g := NewGroup(NewCodec(7, 7, testLengthMax), owners, []uint32{testRoom}, conns)
	var senders []Sender
	var members []Member
	for i := range uint32(conns) {
		senders = append(senders, g.NewSender(i))
		members = append(members, g.Join(i)...)
		members[i].Entering()
	}
	for i := range members {
		members[i].Joined(0)
	}
	return g, senders, members
}

// deliver shows a member a message.
func deliver(m *Member, s *Sender, id ID, seq uint64) {
	owner := ownerOf(int(id.Conn()))
	text := m.room.group.Codec.AppendMessage(nil, testRoom, id, MessageLenMin)
	s.Delivered(m, m.Deliver(seq, owner.UserID, owner.Name, text), seq)
}

func wantFaults(t *testing.T, g *Group, want map[FaultKind]uint64) {
	t.Helper()
	for _, kind := range FaultKinds() {
		if got := g.Faults.Of(kind); got != want[kind] {
			t.Errorf("%d %v (%s), want %d: %q", got, kind, kind.Help(), want[kind], g.Faults.Examples())
		}
	}
}

// Members in step need a window of a block or two, however much is said; one that lags needs what it lags.
func TestWindowFollowsLag(t *testing.T) {
	g, senders, members := newTestGroup(3)
	say := func(from, to uint64, receivers ...int) {
		for seq := from; seq <= to; seq++ {
			for _, i := range receivers {
				deliver(&members[i], &senders[i], MakeID(2, seq), seq)
			}
		}
	}
	senders[2].born = ^uint64(0) // its own table is not what is tested
	const lag = 100 * blockLen
	say(1, 10_000, 0, 1, 2)
	if got := len(g.rooms[0].window); got > 4 {
		t.Errorf("window of %d blocks for members in step", got)
	}
	say(10_001, 10_000+lag, 0, 1)
	say(10_001, 10_000+lag, 2)
	room := g.rooms[0]
	if got := len(room.window); got < lag/blockLen || got > 4*lag/blockLen {
		t.Errorf("window of %d blocks for a lag of %d", got, lag/blockLen)
	}
	made := len(room.spare)
	say(10_001+lag, 10_000+20*lag, 0, 1, 2)
	if len(room.spare) > made+2 {
		t.Errorf("%d blocks made, %d before: they are not used again", len(room.spare), made)
	}
	wantFaults(t, g, nil)
}

// A member that lags more than the window holds cannot be compared any more, and that is said.
func TestLagOverWindowIsUnchecked(t *testing.T) {
	g, senders, members := newTestGroup(2)
	senders[0].born = ^uint64(0)
	const said = (blocksMax + 2) * blockLen
	for i := range members {
		for seq := uint64(1); seq <= said; seq++ {
			deliver(&members[i], &senders[i], MakeID(0, seq), seq)
		}
	}
	wantFaults(t, g, map[FaultKind]uint64{Unchecked: 2 * blockLen})
}

// A sender's ring grows to its limit; over it, an acked message that never came back is given up as not delivered, one
// without an ack is forgotten.
func TestOwnRingOverLimit(t *testing.T) {
	g, senders, members := newTestGroup(1)
	s, m := &senders[0], &members[0]
	acked := s.Next(m)
	s.Acked(acked, 1)
	s.Next(m)
	for range ownMax {
		s.Next(m)
	}
	if len(s.ring) != ownMax {
		t.Errorf("ring of %d, want %d", len(s.ring), ownMax)
	}
	wantFaults(t, g, map[FaultKind]uint64{NotDelivered: 1})
	s.Finish()
	wantFaults(t, g, map[FaultKind]uint64{NotDelivered: 1})
}

func TestMoreGapsThanMayBeOpen(t *testing.T) {
	g, _, members := newTestGroup(1)
	for i := range uint64(holesMax + 1) {
		members[0].Gap(2*i+1, 2*i+2)
	}
	wantFaults(t, g, map[FaultKind]uint64{GapOpen: 2})
}

func TestGapsThatCannotBe(t *testing.T) {
	g, senders, members := newTestGroup(1)
	senders[0].born = ^uint64(0)
	deliver(&members[0], &senders[0], MakeID(0, 1), 1)
	members[0].Gap(1, 1) // was delivered
	members[0].Gap(5, 3) // ends before it begins
	members[0].Gap(4, 5) // leaves out 2 and 3
	wantFaults(t, g, map[FaultKind]uint64{Repeated: 2, Missing: 2})
}

// History that does not bring a gap's last message does not fill it; what is open at the end is a fault as well.
func TestGapsThatStayOpen(t *testing.T) {
	g, _, members := newTestGroup(1)
	m := &members[0]
	m.Gap(1, 3)
	if _, due := m.Filled(2, 0, nil, nil); due {
		t.Error("a row is taken that leaves a hole after it")
	}
	m.Lost()
	m.Gap(4, 4)
	m.Gap(5, 9)
	m.Marked(4)
	if m.CaughtUp() {
		t.Error("caught up with a gap open")
	}
	m.Finish()
	wantFaults(t, g, map[FaultKind]uint64{GapOpen: 4})
}

func TestRoomThatWentBack(t *testing.T) {
	g, senders, members := newTestGroup(1)
	senders[0].born = ^uint64(0)
	for seq := uint64(1); seq <= 10; seq++ {
		deliver(&members[0], &senders[0], MakeID(0, seq), seq)
	}
	members[0].Leave()
	members[0].Entering()
	members[0].Joined(9)
	wantFaults(t, g, map[FaultKind]uint64{WentBack: 1})
}

// Others may talk in our rooms: counted, and compared like everything else.
func TestForeignMessages(t *testing.T) {
	g, _, members := newTestGroup(2)
	for i := range members {
		members[i].Deliver(1, 77, []byte("somebody"), []byte("hello"))
	}
	members[0].Deliver(2, 77, []byte("somebody"), []byte("to you"))
	members[1].Deliver(2, 77, []byte("somebody"), []byte("to me"))
	for i := range members {
		members[i].Finish()
	}
	if g.Foreign.Load() != 4 {
		t.Errorf("%d foreign messages, want 4", g.Foreign.Load())
	}
	wantFaults(t, g, map[FaultKind]uint64{Disagreement: 1})
}

func TestSenderFromElsewhere(t *testing.T) {
	owners := []Owner{ownerOf(0), ownerOf(1), ownerOf(2), ownerOf(3)}
	g := NewGroup(NewCodec(7, 7, testLengthMax), owners, []uint32{testRoom, testRoom + 1}, 2)
	m := &g.Join(0)[0]
	m.Entering()
	m.Joined(0)
	id := MakeID(3, 1)
	m.Deliver(1, owners[3].UserID, owners[3].Name, g.Codec.AppendMessage(nil, testRoom, id, MessageLenMin))
	m.Finish()
	wantFaults(t, g, map[FaultKind]uint64{NotSent: 1})
}

// Every message that is refused after it was delivered, or delivered after it was refused, is found.
func TestRefusedAndDelivered(t *testing.T) {
	g, senders, members := newTestGroup(1)
	s, m := &senders[0], &members[0]
	first, second := s.Next(m), s.Next(m)
	deliver(m, s, first, 1)
	s.Refused(first)
	s.Refused(second)
	deliver(m, s, second, 2)
	wantFaults(t, g, map[FaultKind]uint64{NotSent: 2})
}

// Threads that deliver the same messages at their own pace agree, and hold nothing back from each other.
func TestConcurrentMembersAgree(t *testing.T) {
	const said = 50_000
	g, senders, members := newTestGroup(4)
	var work sync.WaitGroup
	for i := range members {
		senders[i].born = ^uint64(0)
		work.Go(func() {
			for seq := uint64(1); seq <= said; seq++ {
				deliver(&members[i], &senders[i], MakeID(uint32(seq%4), seq), seq)
			}
			members[i].Marked(said)
			members[i].Finish()
		})
	}
	work.Wait()
	wantFaults(t, g, nil)
}

func BenchmarkDeliver(b *testing.B) {
	g, senders, members := newTestGroup(10)
	owner := ownerOf(0)
	senders[0].born = ^uint64(0)
	text := make([]byte, 0, testLengthMax)
	b.ReportAllocs()
	for seq := uint64(1); b.Loop(); seq++ {
		text = g.Codec.AppendMessage(text[:0], testRoom, MakeID(0, seq), 64)
		for i := range members {
			senders[i].Delivered(&members[i], members[i].Deliver(seq, owner.UserID, owner.Name, text), seq)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(members)), "ns/delivery")
	if g.Faults.Count() != 0 {
		b.Fatal(g.Faults.Examples())
	}
}
