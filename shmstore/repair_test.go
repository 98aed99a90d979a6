package shmstore

import (
	"errors"
	"slices"
	"testing"

	"tradechat.internal/ledger"
)

// dieAt leaves the segment as a process would that was killed at some point of a
// transfer, by doing only the steps up to there. The points are those of the doc
// comment of openRecord and commit; every instruction between them leaves the same.
type dieAt struct {
	name      string
	committed bool
	do        func(st *Store, s Session, to uint32)
}

func transferSteps(st *Store, s Session, to uint32, steps int) {
	_ = st.lockAccounts(s.User, to)
	if steps == 0 {
		return
	}
	o := order{kind: ledger.KindTransfer, legs: 1, user: s.User, peer: to, amount: 30, reqID: 1, session: s}
	e, _ := st.seg.decide(&o)
	rec, _ := st.openRecord(0, 0)
	rec.Kind, rec.Leg, rec.Legs = o.kind, 0, 1
	rec.Subject, rec.Peer, rec.Amount = o.user, o.peer, o.amount
	rec.SubjectBalance, rec.PeerBalance = e.subjectBalance, e.peerBalance
	rec.SubjectPrev, rec.PeerPrev = st.seg.accounts[o.user].lastSeq, e.peerPrev
	rec.SessionID, rec.SessionRow, rec.ReqID = s.ID, s.Row, o.reqID
	if steps == 1 {
		return
	}
	st.slot.pendingSeq = rec.Seq
	if steps == 2 {
		return
	}
	st.seg.control.head.Store(rec.Seq)
	if steps == 3 {
		return
	}
	st.release(placeLog, &st.seg.control.logLock)
	if steps == 4 {
		return
	}
	st.seg.accounts[s.User].balance = rec.SubjectBalance
	if steps == 5 {
		return
	}
	st.seg.apply(rec)
	if steps == 6 {
		return
	}
	st.slot.pendingSeq = 0
	if steps == 7 {
		return
	}
	unlock(&st.seg.accounts[max(s.User, to)].lock)
}

func deaths() (all []dieAt) {
	names := []string{
		"locks taken", "record written", "pending set", "head raised", "log unlocked",
		"one balance set", "applied", "pending cleared", "one lock released",
	}
	for steps, name := range names {
		all = append(all, dieAt{name, steps >= 3, func(st *Store, s Session, to uint32) {
			transferSteps(st, s, to, steps)
		}})
	}
	return all
}

func TestARepairCompletesWhatWasCommittedAndForgetsTheRest(t *testing.T) {
	for _, death := range deaths() {
		t.Run(death.name, func(t *testing.T) {
			seg := newSegment(t, smallShape())
			victim, master := bind(t, seg, 0, nil), bind(t, seg, 2, nil)
			alice, bob := login(t, victim, "alice", 100), login(t, victim, "bob", 0)
			death.do(victim, alice, bob.User)
			repairTwiceFromEveryCut(t, master)
			want := int64(100)
			if death.committed {
				want = 70
			}
			if got := balanceOf(t, master, alice.User); got != want {
				t.Errorf("alice has %d, want %d", got, want)
			}
			if got := balanceOf(t, master, bob.User); got != 100-want {
				t.Errorf("bob has %d, want %d", got, 100-want)
			}
			mustVerify(t, seg)
			again := openSession(t, master, alice.User)
			if p, err := master.Transfer(again, 1, bob.User, 1); err != nil || p.Balance != want-1 {
				t.Errorf("the next transfer: %+v %v", p, err)
			}
			master.CloseSession(again)
			mustVerify(t, seg)
		})
	}
}

// repairTwiceFromEveryCut repairs slot 0 after a repair that stopped half-way.
func repairTwiceFromEveryCut(t *testing.T, master *Store) {
	t.Helper()
	master.seg.applyPending(0)
	repair(t, master, 0)
	repair(t, master, 0)
}

func TestARepairDetachesSessions(t *testing.T) {
	seg := newSegment(t, smallShape())
	victim, other, master := bind(t, seg, 0, nil), bind(t, seg, 1, nil), bind(t, seg, 2, nil)
	room := openRoom(t, master, "lobby")
	alice, bob := login(t, victim, "alice", 10), login(t, victim, "bob", 10)
	watcher := openSession(t, other, addUser(t, other, "watcher"))
	for _, s := range []Session{alice, bob} {
		join(t, victim, s, room)
	}
	join(t, other, watcher, room)
	report, err := master.RepairSlot(0)
	if err != nil || report.SessionsDetached != 2 {
		t.Fatalf("%v %v", report, err)
	}
	if left := usersWhoLeft(other, room); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	if got := master.Members(room, 0, make([]uint32, 0, 9)); !slices.Equal(got, []uint32{alice.User, bob.User, watcher.User}) {
		t.Errorf("members %v", got)
	}
	if seg.Online(alice.User) || !seg.Online(watcher.User) {
		t.Error("alice is online, or the watcher is not")
	}
	if _, err := victim.Withdraw(alice, 1, 1); !errors.Is(err, ErrFenced) {
		t.Errorf("a session of the dead: %v", err)
	}
	mustVerify(t, seg)
	expireAll(t, master, 2)
	if left := usersWhoLeft(other, room); !slices.Equal(left, []uint32{alice.User, bob.User}) {
		t.Errorf("left: %v", left)
	}
	if got := master.Members(room, 0, make([]uint32, 0, 9)); !slices.Equal(got, []uint32{watcher.User}) {
		t.Errorf("members %v", got)
	}
	mustVerify(t, seg)
}

func usersWhoLeft(st *Store, room uint32) (left []uint32) {
	st.DrainMail(func(m Mail) {
		if m.Kind == MailLeft && m.Room == room {
			left = append(left, m.FromUser)
		}
	})
	slices.Sort(left)
	return left
}

// expireAll lets the time of all detached sessions pass.
func expireAll(t *testing.T, st *Store, want int) {
	t.Helper()
	st.SetClock(func() uint64 { return sinceBootNs() + 2*uint64(st.sessionTTL) })
	if ended := st.ExpireSessions(); ended != want {
		t.Errorf("%d sessions expired, want %d", ended, want)
	}
	st.SetClock(sinceBootNs)
}

func TestARepairRecountsARoomWhoseHolderDied(t *testing.T) {
	seg := newSegment(t, smallShape())
	var woken [slotsMax]int
	victim, other := bind(t, seg, 0, &woken), bind(t, seg, 1, &woken)
	master := bind(t, seg, 2, &woken)
	room := openRoom(t, master, "lobby")
	alice := login(t, victim, "alice", 0)
	bob := openSession(t, other, addUser(t, other, "bob"))
	join(t, other, bob, room)
	if err := victim.lockRoom(room); err != nil {
		t.Fatal(err)
	}
	victim.setMember(room, alice.Row, true) // and killed before the counts were raised
	repair(t, master, 0)
	if info, _ := seg.Room(room); info.Members != 2 || seg.rooms[room].bySlot[0].Load() != 0 {
		t.Errorf("%d members", info.Members)
	}
	if _, _, err := other.Send(bob, room, []byte("on we go")); err != nil {
		t.Error(err)
	}
	mustVerify(t, seg)
}

func TestARepairDeliversWhatTheDeadDidNotAnnounce(t *testing.T) {
	seg := newSegment(t, smallShape())
	var woken [slotsMax]int
	victim, other, master := bind(t, seg, 0, &woken), bind(t, seg, 1, &woken), bind(t, seg, 2, &woken)
	room := openRoom(t, master, "lobby")
	alice := login(t, victim, "alice", 0)
	bob := openSession(t, other, addUser(t, other, "bob"))
	join(t, other, bob, room)
	other.TakeDirty(nil)
	heard(other, room)
	if err := victim.lockRoom(room); err != nil {
		t.Fatal(err)
	}
	if _, _, err := victim.appendRoom(room, alice.User, []byte("last words")); err != nil {
		t.Fatal(err)
	}
	unlock(&seg.rooms[room].lock) // and killed before anybody was told
	before := woken[1]
	repair(t, master, 0)
	rooms, _ := other.TakeDirty(nil)
	if woken[1] == before || !slices.Equal(rooms, []uint32{room}) {
		t.Fatalf("woken %d times, dirty %v", woken[1]-before, rooms)
	}
	if got := messagesOf(heard(other, room)); !slices.Equal(got, []string{"1:last words"}) {
		t.Errorf("heard %v", got)
	}
}

func TestARepairOfUserAndRoomCreation(t *testing.T) {
	seg := newSegment(t, smallShape())
	victim, master := bind(t, seg, 0, nil), bind(t, seg, 2, nil)
	addUser(t, victim, "alice")
	if err := victim.lockRegistry(); err != nil {
		t.Fatal(err)
	}
	rec, err := victim.openRecord(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	named := rec.AsName()
	named.Kind, named.Subject, named.Name, named.Keys = ledger.KindUserCreate, 2, ledger.PadName([]byte("bob")), ledger.Keys{Stored: [32]byte{9}}
	victim.slot.pendingSeq = rec.Seq
	seg.control.head.Store(rec.Seq)
	repair(t, master, 0)
	if user, ok := seg.FindUser([]byte("bob")); !ok || user != 2 {
		t.Errorf("bob is user %d, %v", user, ok)
	}
	if stored, _, ok := seg.UserKeys(2); !ok || stored[0] != 9 {
		t.Errorf("bob's key %v %v", stored[0], ok)
	}
	if addUser(t, master, "carol") != 3 {
		t.Error("the next user is not number 3")
	}
	mustVerify(t, seg)
}

func TestARepairLeavesOtherSlotsLocksAlone(t *testing.T) {
	seg := newSegment(t, smallShape())
	victim, other, master := bind(t, seg, 0, nil), bind(t, seg, 1, nil), bind(t, seg, 2, nil)
	bank(t, master, 2, 10)
	if err := other.lockAccounts(1, 0); err != nil {
		t.Fatal(err)
	}
	victim.slot.announced[placeFirst] = accountLock(1) // killed while it waited
	report, err := master.RepairSlot(0)
	if err != nil || report.LocksFreed != 0 {
		t.Errorf("%v %v", report, err)
	}
	if seg.accounts[1].lock&^lockWaiters != other.owner {
		t.Errorf("lock word %08x, want slot 1's", seg.accounts[1].lock)
	}
	other.unlockAccounts(1, 0)
	mustVerify(t, seg)
}

func TestRepairOfADamagedAnnouncement(t *testing.T) {
	seg := newSegment(t, smallShape())
	victim, master := bind(t, seg, 0, nil), bind(t, seg, 2, nil)
	victim.slot.announced = [announcements]lockRef{lockAccount | 0xffffffff, lockRoom | 77, 99 << 32, lockMailbox | 1000}
	if report, err := master.RepairSlot(0); err != nil || report.LocksFreed != 0 {
		t.Errorf("%v %v", report, err)
	}
	if _, err := master.RepairSlot(2); !errors.Is(err, ErrShape) {
		t.Errorf("repair of the own slot: %v", err)
	}
}

// TestARepairWakesWhomTheDeadHadDisarmed kills a sender between disarming a slot and
// writing its eventfd: from then on every sender believes that somebody else woke it.
func TestARepairWakesWhomTheDeadHadDisarmed(t *testing.T) {
	seg := newSegment(t, smallShape())
	var woken [slotsMax]int
	bind(t, seg, 0, &woken)
	other, master := bind(t, seg, 1, &woken), bind(t, seg, 2, &woken)
	if !other.slot.armed.CompareAndSwap(1, 0) {
		t.Fatal("not armed")
	}
	repair(t, master, 0)
	if woken[1] == 0 {
		t.Error("slot 1 sleeps for good")
	}
}

func TestASuccessorFindsNoOldMail(t *testing.T) {
	seg := newSegment(t, smallShape())
	victim, master := bind(t, seg, 0, nil), bind(t, seg, 2, nil)
	alice, bob := login(t, victim, "alice", 0), login(t, victim, "bob", 0)
	var err error
	for range 1000 {
		if _, _, _, err = victim.Direct(alice.User, bob.User, []byte("message")); err != nil {
			break
		}
	}
	if !errors.Is(err, ErrBusy) {
		t.Fatal(err)
	}
	victim.TakeDirty(nil) // and killed before it drained
	repair(t, master, 0)
	next := bind(t, seg, 0, nil)
	carol := openSession(t, next, bob.User)
	if reached, _, _, err := master.Direct(alice.User, carol.User, []byte("hi")); err != nil || reached != 1 {
		t.Errorf("reached %d, %v", reached, err)
	}
	if _, mail := next.TakeDirty(nil); !mail {
		t.Error("no mail")
	}
}

func TestAPendingRecordThatNamesNoRowsIsNotApplied(t *testing.T) {
	seg := newSegment(t, smallShape())
	victim, master := bind(t, seg, 0, nil), bind(t, seg, 2, nil)
	addUser(t, victim, "alice")
	seg.recordSlot(1).Subject = 1 << 30
	victim.slot.pendingSeq = 1
	if report, err := master.RepairSlot(0); err != nil || report.AppliedSeq != 0 {
		t.Errorf("%v %v", report, err)
	}
}

func TestTheLogsDerivedWordsAreSetAnewAfterItsHolderDied(t *testing.T) {
	seg := newSegment(t, smallShape())
	victim, master := bind(t, seg, 0, nil), bind(t, seg, 2, nil)
	alice := login(t, victim, "alice", 100)
	rec, err := victim.openRecord(50, 0)
	if err != nil {
		t.Fatal(err)
	}
	rec.Kind, rec.Legs, rec.Subject, rec.Amount, rec.Peer = ledger.KindDeposit, 1, alice.User, 50, 0
	rec.SubjectBalance, rec.SubjectTotal, rec.SubjectPrev = 150, 150, seg.accounts[alice.User].lastSeq
	rec.SessionID = 0
	victim.slot.pendingSeq = rec.Seq
	seg.control.head.Store(rec.Seq) // and killed before supply and time
	repair(t, master, 0)
	if p, err := master.DepositTo(alice.User, 1); err != nil || p.Balance != 151 {
		t.Errorf("%+v %v", p, err)
	}
	mustVerify(t, seg)
}
