package shmstore

import (
	"errors"
	"strings"
	"testing"

	"tradechat.internal/ledger"
)

func fillIndex(seg *Segment) {
	for i := range seg.userIndex {
		seg.userIndex[i] = 1 << 30
	}
}

func ringState1(seg *Segment) *ringState { return ringStateOf(&seg.rooms[1].ring) }

func ringStateOf(head *ringHead) *ringState { return &head.state[head.version.Load()&1] }

// TestVerifyFindsWhatIsWrong changes one thing that no function of the package would,
// and expects Verify to name it. A repair and the work of others must then come to an
// end, whatever they do.
func TestVerifyFindsWhatIsWrong(t *testing.T) {
	cases := []struct {
		name   string
		damage func(seg *Segment)
		want   string
	}{
		{"nothing", func(*Segment) {}, ""},
		{"a cent more", func(seg *Segment) { seg.accounts[1].balance++ }, "sum of balances"},
		{"a cent moved", func(seg *Segment) { seg.accounts[1].balance++; seg.accounts[2].balance-- }, "the log says"},
		{"less than nothing", func(seg *Segment) { seg.accounts[2].balance -= 1000; seg.accounts[1].balance += 1000 }, "has balance -"},
		{"deposits", func(seg *Segment) { seg.accounts[1].deposited++ }, "deposits"},
		{"row behind the log", func(seg *Segment) { seg.accounts[1].lastSeq-- }, "the log says"},
		{"supply in a record", func(seg *Segment) { seg.recordSlot(4).SupplyAfter++ }, "record 4 (deposit)"},
		{"balance in a record", func(seg *Segment) { seg.recordSlot(5).SubjectBalance++ }, "record 5 (transfer)"},
		{"amount in a record", func(seg *Segment) { seg.recordSlot(5).Amount++ }, "record 5 (transfer)"},
		{"previous seq", func(seg *Segment) { seg.recordSlot(5).SubjectPrev = 1 }, "record 5 (transfer)"},
		{"hole", func(seg *Segment) { seg.recordSlot(4).Seq = 77 }, "record 4 has seq 77"},
		{"time", func(seg *Segment) { seg.recordSlot(5).TimeNs = seg.recordSlot(4).TimeNs - 1 }, "lies before the last one's"},
		{"kind", func(seg *Segment) { seg.recordSlot(5).Kind = 99 }, "written by a newer version"},
		{"account lock", func(seg *Segment) { seg.accounts[1].lock = lockOwner(0, 1) }, "held by slot 0"},
		{"log lock", func(seg *Segment) { seg.control.logLock = lockOwner(1, 1) }, "held by slot 1"},
		{"room lock", func(seg *Segment) { seg.rooms[1].lock = lockOwner(1, 1) }, "held by slot 1"},
		{"pending", func(seg *Segment) { seg.slots[1].pendingSeq = 3 }, "slot 1 has record 3 pending"},
		{"name index", func(seg *Segment) { clear(seg.userIndex) }, "not found by name"},
		{"member count", func(seg *Segment) { seg.rooms[1].memberCount.Add(1) }, "counts 2 members, its bitmap 1"},
		{"derived supply", func(seg *Segment) { seg.control.supply++ }, "would follow supply"},
		{"record of nobody", func(seg *Segment) { seg.recordSlot(5).Subject = 1 << 30 }, "names users 1073741824"},
		{"user count", func(seg *Segment) { seg.control.userCount.Store(1 << 30) }, "damaged"},
		{"room count", func(seg *Segment) { seg.control.roomCount.Store(1 << 20) }, "damaged"},
		{"index without a gap", fillIndex, "not found by name"},
		{"session owner", func(seg *Segment) { seg.sessions[0].owner.Store(0x2ff) }, "has owner 000002ff"},
		{"member of no row", func(seg *Segment) { seg.memberWords(1)[1] |= 1 << 63 }, "beyond the sessions"},
		{"member that nobody owns", func(seg *Segment) { seg.memberWords(1)[1] |= 1 }, "which is free"},
		{"free row with an id", func(seg *Segment) { seg.sessions[70].id.Store(9) }, "is free and has id 9"},
		{"session of nobody", func(seg *Segment) { seg.sessionUsers[0] = 63 }, "has user 63 of 2"},
		{"ring tail", func(seg *Segment) { ringState1(seg).tail = 1<<12 - 25 }, "room 1: its ring is damaged"},
		{"ring tail far away", func(seg *Segment) { ringState1(seg).tail = 1 << 60 }, "room 1: its ring is damaged"},
		{"ring start", func(seg *Segment) { seg.rooms[1].ring.firstPos.Store(1 << 20) }, "room 1: its ring is damaged"},
		{"ring entry", func(seg *Segment) { entryAt(seg.roomRing(1).data, 0).length = 1 << 31 }, "room 1: its ring is damaged"},
		{"cursor", func(seg *Segment) { seg.cursor(0, 1).pos.Store(1 << 20) }, "slot 0 has drained up to"},
		{"mailbox", func(seg *Segment) { seg.mailboxes[1].ring.firstPos.Store(32) }, "mailbox of slot 1: its ring"},
		{"mailbox tail far away", func(seg *Segment) { ringStateOf(&seg.mailboxes[0].ring).tail = 1 << 60 }, "mailbox of slot 0: its ring"},
		{"mail cursor", func(seg *Segment) { seg.mailboxes[1].cursor.Store(32) }, "mailbox of slot 1: drained"},
		{"members by slot", func(seg *Segment) { seg.rooms[1].bySlot[1].Add(1) }, "of slot 1"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			shape := smallShape()
			shape.SessionsMax = 100 // no multiple of 64
			st := newStore(t, shape)
			master := bind(t, st.seg, 2, nil)
			alice, bob := login(t, st, "alice", 100), login(t, st, "bob", 100)
			if _, err := st.Transfer(alice, 1, bob.User, 10); err != nil {
				t.Fatal(err)
			}
			room := openRoom(t, st, "lobby")
			join(t, st, alice, room)
			send(t, st, alice, room, "hi")
			c.damage(st.seg)
			got := strings.Join(st.seg.VerifyQuiescent().Problems, "\n")
			if (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
				t.Errorf("found %q, want %q", got, c.want)
			}
			workOn(st, alice, bob.User)
			_, _ = master.RepairSlot(0)
		})
	}
}

func TestVerifyWhileOthersWork(t *testing.T) {
	seg := newSegment(t, smallShape())
	st, other := bind(t, seg, 0, nil), bind(t, seg, 1, nil)
	login(t, other, "alice", 100)
	r, err := st.Verify()
	if err != nil || !r.OK() || r.Supply != 100 || !r.Deposits.Is(100) || r.Users != 1 || !strings.Contains(r.String(), "audit ok") {
		t.Errorf("%v %v", r, err)
	}
	other.slot.pendingSeq = seg.Head()
	if _, err := st.Verify(); !errors.Is(err, ErrBusy) {
		t.Errorf("with a record that is not applied: %v", err)
	}
	other.slot.pendingSeq = 0
	seg.accounts[1].balance++
	if r, err := st.Verify(); err != nil || r.OK() || !strings.Contains(r.String(), "FAILED") {
		t.Errorf("with a cent too much: %v %v", r, err)
	}
}

// workOn does a bit of everything, in a segment that may be damaged.
func workOn(st *Store, s Session, peer uint32) {
	st.slot.heartbeatNs.Store(0) // nobody waits for locks that this slot seems to hold
	for range 20 {
		_, _, _ = st.Send(s, 1, make([]byte, 500))
		_, _, _, _ = st.Direct(s.User, peer, make([]byte, 500))
		st.DrainRoom(1, func(Event) {})
		st.DrainMail(func(Mail) {})
		_ = st.RoomHistory(1, 0, 10, func(Event) {})
	}
	_ = st.Members(1, 0, make([]uint32, 0, 9))
	_, _ = st.seg.FindUser([]byte("nobody"))
	_, _ = st.CreateUser([]byte("carol"), [32]byte{}, [32]byte{})
	_ = st.Leave(s, 1)
}

// TestAnUncommittedRecordIsNoDamage: one who is killed with the log lock may have
// written into the places of the next records, which are those of the oldest ones.
func TestAnUncommittedRecordIsNoDamage(t *testing.T) {
	shape := smallShape()
	shape.LogRecords = logRecordsMin
	st := newStore(t, shape)
	s := login(t, st, "alice", 100)
	for reqID := uint64(1); reqID < 3*logRecordsMin; reqID++ {
		if _, err := st.Deposit(s, reqID, 1); err != nil {
			t.Fatal(err)
		}
		var was [recordsPerCommitMax]ledger.Record
		for i := range was {
			next := st.seg.recordSlot(st.seg.Head() + 1 + uint64(i))
			was[i] = *next
			next.Seq, next.Amount = st.seg.Head()+1+uint64(i), 77
		}
		mustVerify(t, st.seg)
		for i := range was {
			*st.seg.recordSlot(st.seg.Head() + 1 + uint64(i)) = was[i]
		}
	}
	if r := mustVerify(t, st.seg); r.Folded != logRecordsMin-recordsPerCommitMax {
		t.Errorf("%d records folded", r.Folded)
	}
}

// TestVerifyGoesOnWhileTheLogTurns checks books that were taken before others went on:
// some of their records are overwritten by the time they are folded.
func TestVerifyGoesOnWhileTheLogTurns(t *testing.T) {
	for _, more := range []uint64{1, logRecordsMin / 2, logRecordsMin - 2, 3 * logRecordsMin} {
		shape := smallShape()
		shape.LogRecords = logRecordsMin
		st := newStore(t, shape)
		alice, bob := login(t, st, "alice", 100), login(t, st, "bob", 100)
		work := func(from, n uint64) {
			for reqID := 2 * from; reqID < 2*(from+n); reqID += 2 {
				if _, err := st.Transfer(alice, reqID, bob.User, 1); err != nil {
					t.Fatal(err)
				}
				if _, err := st.Deposit(alice, reqID+1, 2); err != nil {
					t.Fatal(err)
				}
			}
		}
		work(1, logRecordsMin)
		b := newBooks(st.seg.UserCount())
		if taken, err := st.takeBooks(b); !taken || err != nil {
			t.Fatal(taken, err)
		}
		work(1+logRecordsMin, more/2+1)
		if r := st.seg.verifyBooks(b); !r.OK() || r.Head != b.head || r.Folded >= logRecordsMin {
			t.Errorf("%d records later: %v %v", more, r, r.Problems)
		}
	}
}

// TestVerifyDoesNotLockTheLogForASlotThatStandsStill: nor would it come to wait for the
// lock, which another slot holds here.
func TestVerifyDoesNotLockTheLogForASlotThatStandsStill(t *testing.T) {
	seg := newSegment(t, smallShape())
	st, still := bind(t, seg, 0, nil), bind(t, seg, 1, nil)
	login(t, st, "alice", 100)
	still.slot.pendingSeq = seg.Head()
	b := newBooks(seg.UserCount())
	if taken, err := st.takeBooks(b); taken || err != nil || seg.control.logLock != 0 {
		t.Errorf("taken %v, %v, lock %x", taken, err, seg.control.logLock)
	}
	seg.control.logLock = still.owner
	if _, err := st.Verify(); !errors.Is(err, ErrBusy) || !strings.Contains(err.Error(), "not applied") {
		t.Errorf("%v", err)
	}
	seg.control.logLock = 0
}
