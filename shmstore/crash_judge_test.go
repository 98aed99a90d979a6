package shmstore

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"tradechat.internal/ledger"
)

// crashBefore is the scene as it was when the operation began.
type crashBefore struct {
	head     uint64
	balances balanceChange
	lastSeq  uint64 // room 1's
	mailTail uint64 // slot 1's
	durable  uint64
	session  Session
}

func takeBefore(seg *Segment) crashBefore {
	return crashBefore{
		head: seg.Head(), balances: balancesIn(seg), durable: seg.Durable(),
		lastSeq: seg.roomRing(1).state().lastSeq, mailTail: seg.mailRing(1).state().tail,
		session: victimSession(seg),
	}
}

func balancesIn(seg *Segment) (balances balanceChange) {
	for user := alice; user <= carol; user++ {
		balances[user] = seg.accounts[user].balance
	}
	return balances
}

// victimSession is slot 0's session, or one that it has detached.
func victimSession(seg *Segment) Session {
	if s := sessionOfSlot(seg, 0); s != (Session{}) {
		return s
	}
	return sessionOwned(seg, sessionDetachedWord)
}

// sessionOfSlot is the first session that a slot has; the zero Session if none.
func sessionOfSlot(seg *Segment, slot int) Session { return sessionOwned(seg, sessionLive.owned(slot)) }

func sessionOwned(seg *Segment, word uint32) Session {
	for r := range seg.sessions {
		if row := &seg.sessions[r]; row.owner.Load() == word {
			return Session{ID: row.id.Load(), User: row.user, Row: uint32(r), Epoch: row.epoch.Load()}
		}
	}
	return Session{}
}

// crashHeart is how long ago the dead showed that they lived.
type crashHeart struct {
	name string
	age  time.Duration
}

var crashHearts = []crashHeart{{"fresh", 0}, {"stopped", 3 * time.Second}}

// crashJudge holds a killed state against what must hold after its repair.
type crashJudge struct {
	t    *testing.T
	run  *crashRun
	mend mending
	told map[string]bool
}

// mending is how the dead slots are repaired, and by whom bob goes on then: from his
// own slot, which has lived on, or from a new process.
type mending struct {
	name string
	do   func(v *verdict) (watcher *Store, err error)
	anew bool
}

var (
	repairByMaster = mending{name: "repaired by the master", do: func(v *verdict) (*Store, error) {
		master, err := v.seg.Bind(2, v.wake)
		if err != nil {
			return nil, err
		}
		if _, err := master.RepairSlot(0); err != nil {
			return nil, err
		}
		return v.liveStore(1)
	}}

	// Slot 1 stands in for the next master, so that the watcher lives on.
	repairByWatcher = mending{name: "repaired again", do: func(v *verdict) (*Store, error) {
		watcher, err := v.liveStore(1)
		if err != nil {
			return nil, err
		}
		for _, slot := range []int{2, 0} {
			if _, err := watcher.RepairSlot(slot); err != nil {
				return nil, err
			}
		}
		return watcher, nil
	}}

	reviveAll = mending{name: "revived", anew: true, do: func(v *verdict) (*Store, error) {
		if _, _, err := v.seg.Revive(2, v.wake); err != nil {
			return nil, err
		}
		return v.seg.Bind(1, v.wake)
	}}
)

// verdict is a copy of a killed state under repair, and what is wrong with it.
type verdict struct {
	seg         *Segment
	woken       [slotsMax]int
	wokenBefore bool // the watcher, by the dead
	anew        bool // the watcher is a new process
	problems    []string
}

func (v *verdict) wake(slot int) { v.woken[slot]++ }

func (v *verdict) bad(format string, args ...any) {
	v.problems = append(v.problems, fmt.Sprintf(format, args...))
}

func (v *verdict) must(what string, err error) {
	if err != nil {
		v.bad("%s: %v", what, err)
	}
}

// liveStore is the store of a slot whose process lives on.
func (v *verdict) liveStore(slot int) (*Store, error) {
	st, err := v.seg.newStore(slot, v.wake)
	if err == nil {
		st.owner = lockOwner(slot, st.slot.generation.Load())
	}
	return st, err
}

func newCrashJudge(t *testing.T, run *crashRun, mend mending) *crashJudge {
	return &crashJudge{t: t, run: run, mend: mend, told: make(map[string]bool)}
}

// report judges the image with every heart and tells each new problem.
func (j *crashJudge) report(image *crashImage, where string) (violations int) {
	j.t.Helper()
	for _, heart := range j.run.hearts {
		for _, problem := range j.judge(image, heart) {
			violations++
			if j.told[problem] {
				continue
			}
			j.told[problem] = true
			j.t.Errorf("killed %s; heart %s; %s\n%s: %s", where, heart.name, j.describe(image.seg), j.mend.name, problem)
		}
	}
	return violations
}

// describe is what a reader needs to know of a state.
func (j *crashJudge) describe(seg *Segment) string {
	slot := &seg.slots[0]
	return fmt.Sprintf("head %d (%d before), slot 0 has %d pending, announces %x",
		seg.Head(), j.run.before.head, slot.pendingSeq, slot.announced)
}

func (j *crashJudge) judge(image *crashImage, heart crashHeart) (problems []string) {
	v := &verdict{seg: image.clone().seg, wokenBefore: image.woken, anew: j.mend.anew}
	defer func() {
		if p := recover(); p != nil {
			v.bad("panic: %v", p)
		}
		problems = v.problems
	}()
	setHearts(v.seg, heart)
	expected := j.expect(v.seg)
	watcher, err := j.mend.do(v)
	if err != nil {
		v.bad("repair: %v", err)
		return problems
	}
	if j.run.op.holds {
		v.releaseBob(watcher)
	}
	v.checkWhole()
	v.checkBooks(expected)
	j.checkRetry(v, watcher, expected)
	if !j.mend.anew {
		v.checkWoken()
		v.checkDelivered(watcher, j.run, expected)
	}
	j.checkResume(v, watcher, expected)
	if j.run.op.check != nil {
		j.run.op.check(v, watcher, &j.run.before)
	}
	v.expireAll(watcher)
	v.checkWhole()
	v.checkNobodyLeft()
	if sessionOfSlot(v.seg, 1) == (Session{}) {
		v.must("session", v.comeBack(watcher))
	}
	_ = drain(watcher, Session{})
	v.goOn(watcher)
	v.checkWhole()
	return problems
}

func setHearts(seg *Segment, dead crashHeart) {
	now := monotonicNs()
	for slot := range seg.slots {
		seg.slots[slot].heartbeatNs.Store(now - uint64(dead.age))
	}
	seg.slots[1].heartbeatNs.Store(now)
}

// crashExpectation is what a killed state has committed to.
type crashExpectation struct {
	head     uint64
	records  uint64 // of the operation
	balances balanceChange
	lastSeq  uint64 // room 1's
	mail     bool   // one letter for bob
	key      byte   // bob's
	user     bool   // dave
	rooms    uint32
}

func (j *crashJudge) expect(seg *Segment) crashExpectation {
	before, op := &j.run.before, j.run.op
	e := crashExpectation{
		head: seg.Head(), records: seg.Head() - before.head, balances: before.balances,
		lastSeq: seg.roomRing(1).state().lastSeq, mail: seg.mailRing(1).state().tail > before.mailTail,
		key: oldKey, rooms: 2,
	}
	for _, change := range op.records[:min(e.records, uint64(len(op.records)))] {
		for user, by := range change {
			e.balances[user] += by
		}
	}
	if e.records != 0 {
		switch op.names {
		case ledger.KindUserKeys:
			e.key = newKey
		case ledger.KindUserCreate:
			e.user = true
		case ledger.KindRoomCreate:
			e.rooms++
		}
	}
	return e
}

func (v *verdict) checkWhole() {
	for _, problem := range v.seg.VerifyQuiescent().Problems {
		v.bad("verify: %s", problem)
	}
}

// checkBooks: what was committed is done and nothing else.
func (v *verdict) checkBooks(e crashExpectation) {
	if head := v.seg.Head(); head != e.head {
		v.bad("head was %d, is %d", e.head, head)
	}
	if got := balancesIn(v.seg); got != e.balances {
		v.bad("balances %v after %d records, want %v", got, e.records, e.balances)
	}
	if _, found := v.seg.FindUser([]byte("dave")); found != e.user {
		v.bad("dave is a user: %v, want %v", found, e.user)
	}
	stored, server, ok := v.seg.UserKeys(bob)
	if want := keyOf(e.key); !ok || stored != want || server != want {
		v.bad("bob's keys are %x %x, want %x", stored[:2], server[:2], want[:2])
	}
	if n := v.seg.RoomCount(); n != e.rooms {
		v.bad("%d rooms, want %d", n, e.rooms)
	}
}

// checkResume: the dead have no session, but whoever comes back for one gets it, with its rooms and the highest req_id
// that was applied.
func (j *crashJudge) checkResume(v *verdict, st *Store, e crashExpectation) {
	for r := range v.seg.sessions {
		row := &v.seg.sessions[r]
		word := row.owner.Load()
		if word == 0 || word == sessionLive.owned(1) {
			continue
		}
		if word != sessionDetachedWord {
			v.bad("session row %d has owner %08x", r, word)
			continue
		}
		user, id, member := row.user, row.id.Load(), v.seg.isMember(1, uint32(r))
		last := uint64(0)
		if id == j.run.before.session.ID && e.records > 0 && j.run.op.records[0] != (balanceChange{}) {
			last = crashReqID
		}
		resumed, err := st.ResumeSession(user, id)
		if err != nil || resumed.Row != uint32(r) || resumed.Former != -1 || (len(resumed.Rooms) == 1) != member || st.LastReqID(resumed.Session) != last {
			v.bad("resume of row %d: %+v, %v; want member %v, last req_id %d", r, resumed, err, member, last)
			continue
		}
		v.checkWhole()
		st.DetachSession(resumed.Session)
		v.checkWhole()
	}
}

// expireAll lets the time of all detached sessions pass.
func (v *verdict) expireAll(st *Store) {
	st.SetClock(func() uint64 { return sinceBootNs() + 2*uint64(st.sessionTTL) })
	st.ExpireSessions()
	st.SetClock(sinceBootNs)
}

// checkNobodyLeft: once their time is over the dead have no session, no membership and no connection, the living keep theirs.
func (v *verdict) checkNobodyLeft() {
	want, live := uint32(0), uint32(0)
	for r := range v.seg.sessions {
		switch v.seg.sessions[r].owner.Load() {
		case 0:
		case sessionLive.owned(1): // bob
			want++
			live++
		default:
			live++
		}
	}
	if live != want || v.seg.rooms[1].memberCount.Load() != want {
		v.bad("%d sessions and %d members, want %d", live, v.seg.rooms[1].memberCount.Load(), want)
	}
	if n := connectionsCounted(v.seg); n != 0 {
		v.bad("%d connections are counted", n)
	}
	if state := SlotState(v.seg.slots[0].state.Load()); state != SlotFree {
		v.bad("slot 0 is %v", state)
	}
}

// checkRetry: who asks again is told what became of the request.
func (j *crashJudge) checkRetry(v *verdict, st *Store, e crashExpectation) {
	want := OutcomeNotApplied
	if e.records > 0 && j.run.op.records[0] != (balanceChange{}) {
		want = OutcomeApplied
	}
	s := j.run.before.session
	outcome, _, err := st.TxnStatus(s.User, s.ID, crashReqID)
	if err != nil || outcome != want {
		v.bad("the request's outcome is %d, %v; want %d", outcome, err, want)
	}
}

// watcherNews is what slot 1 has not drained.
type watcherNews struct{ room, mail bool }

func watcherLeft(seg *Segment) watcherNews {
	return watcherNews{
		room: seg.cursor(1, 1).pos.Load() < seg.roomRing(1).state().tail,
		mail: seg.mailboxes[1].cursor.Load() < seg.mailRing(1).state().tail,
	}
}

// checkWoken: whoever has something to drain finds that out, and does not sleep.
func (v *verdict) checkWoken() {
	const slot = 1
	rooms, mail := false, v.seg.slots[slot].mailDirty.Load() == 1
	for _, word := range v.seg.dirtyWords(slot) {
		rooms = rooms || word != 0
	}
	left := watcherLeft(v.seg)
	if left.room && !rooms && v.seg.rooms[1].bySlot[slot].Load() != 0 {
		v.bad("room 1 has something that the watcher is not told of")
	}
	if left.mail && !mail {
		v.bad("the mailbox has something that the watcher is not told of")
	}
	if (rooms || mail || v.seg.slots[slot].armed.Load() == 0) && !v.wokenBefore && v.woken[slot] == 0 {
		v.bad("the watcher is never woken: armed %d, rooms %v, mail %v", v.seg.slots[slot].armed.Load(), rooms, mail)
	}
}

// checkDelivered lets the watcher drain: it hears what was published, whole and once.
func (v *verdict) checkDelivered(watcher *Store, run *crashRun, e crashExpectation) {
	watcher.TakeDirty(nil)
	seq := run.before.lastSeq
	watcher.DrainRoom(1, func(event Event) {
		switch event.Kind {
		case EventGap:
			v.bad("a gap from %d to %d", event.First, event.Seq)
		case EventMessage:
			seq++
			if event.Seq != seq || !bytes.Equal(event.Message, run.op.message) {
				v.bad("heard message %d %q after %d", event.Seq, event.Message, seq-1)
			}
		}
	})
	if seq != e.lastSeq {
		v.bad("heard up to message %d of %d", seq, e.lastSeq)
	}
	letters, news := 0, false
	watcher.DrainMail(func(m Mail) {
		if m.Kind == run.op.fence && m.Epoch != 0 {
			return
		}
		if m.Kind == MailJoined || m.Kind == MailLeft {
			news = true
			return
		}
		letters++
		if m.Kind != MailDirect || m.FromUser != alice || !bytes.Equal(m.Message, crashMessage) {
			v.bad("letter %+v", m)
		}
	})
	if run.op.fence == 0 && !news && letters == 1 != e.mail || letters > 1 {
		v.bad("%d letters, published: %v", letters, e.mail)
	}
}

// comeBack opens bob's session anew.
func (v *verdict) comeBack(st *Store) error {
	s, err := st.OpenSession(bob)
	if err == nil {
		_, err = st.Join(s, 1)
	}
	return err
}

// goOn: every operation works for the living, and for a new process in the dead slot.
func (v *verdict) goOn(watcher *Store) {
	watcher.SetNow(uint64(time.Now().UnixNano()))
	session := sessionOfSlot(v.seg, 1)
	_, err := watcher.Transfer(session, 1000, alice, 1)
	v.must("transfer to alice", err)
	_, err = watcher.Transfer(session, 1001, carol, 1)
	v.must("transfer to carol", err)
	_, _, err = watcher.Send(session, 1, []byte("on we go"))
	v.must("send", err)
	_, err = watcher.Join(session, 2)
	v.must("join", err)
	erin, err := watcher.CreateUser([]byte("erin"), keyOf(3), keyOf(3))
	v.must("create user", err)
	if user, _ := v.seg.FindUser([]byte("erin")); user != erin {
		v.bad("erin is user %d, found %d", erin, user)
	}
	v.must("set keys", watcher.SetUserKeys(bob, keyOf(4), keyOf(4)))
	_, _, err = watcher.OpenRoom([]byte("cellar"))
	v.must("open room", err)
	successor, err := v.seg.Bind(0, v.wake)
	v.must("bind slot 0", err)
	if err == nil {
		v.succeed(watcher, session, successor)
	}
}

// succeed: the next process in the dead slot is told and woken like any other.
func (v *verdict) succeed(watcher *Store, session Session, successor *Store) {
	again, err := successor.OpenSession(alice)
	v.must("open session", err)
	joined, err := successor.Join(again, 1)
	v.must("join", err)
	if joined.Members != 2 {
		v.bad("%d members after the join, want 2", joined.Members)
	}
	_ = drain(successor, again)
	v.woken = [slotsMax]int{}
	if reached, _, _, err := watcher.Direct(bob, alice, []byte("hi")); err != nil || reached != 1 || v.woken[0] != 1 {
		v.bad("direct: reached %d, %v, %d wake-ups", reached, err, v.woken[0])
	}
	_ = drain(successor, again)
	_, _, err = watcher.Send(session, 1, []byte("hi"))
	v.must("send", err)
	if rooms, _ := successor.TakeDirty(nil); v.woken[0] != 2 || !slices.Contains(rooms, 1) {
		v.bad("send: %d wake-ups, rooms %v", v.woken[0], rooms)
	}
	if got := messagesOf(heard(successor, 1)); len(got) != 1 {
		v.bad("the successor heard %q", got)
	}
	_, err = successor.Withdraw(again, 1, 1)
	v.must("withdraw", err)
}
