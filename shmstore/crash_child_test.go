package shmstore

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"tradechat.internal/ledger"
)

// What the child does that is killed, and what must come of it.

// The scene's users, and the request that the child makes.
const (
	alice, bob, carol uint32 = 1, 2, 3

	crashReqID   = 7
	daveOpening  = 25
	crashFailure = "the disk is gone"
)

var (
	crashMessage     = []byte("0123456789")
	crashLongMessage = bytes.Repeat([]byte("x"), 500)
	crashPadding     = bytes.Repeat([]byte("y"), 40)
	crashAddress     = netip.MustParseAddr("192.0.2.9")
)

// balanceChange is what a record does to the users' balances, by user.
type balanceChange [carol + 1]int64

// crashOperation is something that slot 0 is killed in the middle of.
type crashOperation struct {
	name       string
	sampled    bool   // part of every test run
	unrivalled bool   // the watcher takes part: nobody is left to want the same
	user       uint32 // whose session the child has; 0: alice's
	prepare    func(st *Store, s Session) error
	arrange    func(t *testing.T, scene *crashScene) // what the others do, in the parent, before the child goes on
	run        func(st *Store, s Session) error

	lockMode  LockMode
	holds     bool            // the watcher has bob's lock meanwhile
	records   []balanceChange // what it adds to the log
	names     ledger.Kind     // its record names a user (dave), his keys (bob's) or a room
	fence     EventKind       // what it tells the watcher's connection, if anything
	message   []byte          // what it sends to room 1, if anything
	committed func(before *crashBefore, seg *Segment) bool
	check     func(v *verdict, watcher *Store, before *crashBefore) // what else must hold after the repair
}

var crashOperations = []crashOperation{
	{
		name: "transfer", sampled: true, run: transferTo(bob),
		records: []balanceChange{{alice: -30, bob: 30}}, committed: headRaised,
	},
	{
		name: "transfer to a lower number", user: carol, run: transferTo(bob),
		records: []balanceChange{{carol: -30, bob: 30}}, committed: headRaised,
	},
	{
		name: "transfer with one lock", lockMode: LockGlobal, run: transferTo(bob),
		records: []balanceChange{{alice: -30, bob: 30}}, committed: headRaised,
	},
	{
		name:    "deposit",
		run:     func(st *Store, s Session) error { _, err := st.Deposit(s, crashReqID, 30); return err },
		records: []balanceChange{{alice: 30}}, committed: headRaised,
	},
	{
		name:    "withdraw",
		run:     func(st *Store, s Session) error { _, err := st.Withdraw(s, crashReqID, 30); return err },
		records: []balanceChange{{alice: -30}}, committed: headRaised,
	},
	{
		name: "batch", sampled: true, run: transferBatch,
		records: []balanceChange{{alice: -5, bob: 5}, {alice: -6, carol: 6}}, committed: headRaised,
	},
	{
		name: "create user", sampled: true, names: ledger.KindUserCreate,
		run: func(st *Store, _ Session) error {
			_, err := st.CreateUser([]byte("dave"), keyOf(newKey), keyOf(newKey))
			return err
		},
		records: []balanceChange{{}}, committed: headRaised,
	},
	{
		name: "create user with a deposit", sampled: true, names: ledger.KindUserCreate,
		run: func(st *Store, _ Session) error {
			_, err := st.CreateUserWith([]byte("dave"), keyOf(newKey), keyOf(newKey), daveOpening)
			return err
		},
		records: []balanceChange{{}, {}}, committed: headRaised, check: daveHasBoth,
	},
	{
		name: "set keys", sampled: true, names: ledger.KindUserKeys,
		run:     func(st *Store, _ Session) error { return st.SetUserKeys(bob, keyOf(newKey), keyOf(newKey)) },
		records: []balanceChange{{}}, committed: headRaised,
	},
	{
		name: "open room", names: ledger.KindRoomCreate,
		run:     func(st *Store, _ Session) error { _, _, err := st.OpenRoom([]byte("attic")); return err },
		records: []balanceChange{{}}, committed: headRaised,
	},
	{
		name: "send", sampled: true, prepare: joinRoom, run: sendMessage(crashMessage),
		message: crashMessage, committed: messagePublished,
	},
	{
		name: "send that wraps", prepare: fillRoomRing, run: sendMessage(crashLongMessage),
		message: crashLongMessage, committed: messagePublished,
	},
	{
		name: "direct", sampled: true,
		run: func(st *Store, _ Session) error {
			reached, _, _, err := st.Direct(alice, bob, crashMessage)
			if err == nil && reached != 1 {
				err = fmt.Errorf("reached %d sessions", reached)
			}
			return err
		},
		committed: func(before *crashBefore, seg *Segment) bool { return seg.mailRing(1).state().tail > before.mailTail },
	},
	{
		name: "join", sampled: true, run: joinRoom,
		committed: func(before *crashBefore, seg *Segment) bool { return seg.isMember(1, before.session.Row) },
	},
	{
		name: "leave", sampled: true, prepare: joinRoom,
		run:       func(st *Store, s Session) error { return st.Leave(s, 1) },
		committed: func(before *crashBefore, seg *Segment) bool { return !seg.isMember(1, before.session.Row) },
	},
	{
		name:      "open session",
		run:       func(st *Store, _ Session) error { _, err := st.OpenSession(carol); return err },
		committed: func(_ *crashBefore, seg *Segment) bool { return seg.Online(carol) },
	},
	{
		name: "close session", prepare: joinRoom,
		run: func(st *Store, s Session) error { st.CloseSession(s); return nil },
		committed: func(before *crashBefore, seg *Segment) bool {
			return seg.sessions[before.session.Row].owner.Load() == 0
		},
	},
	{
		name: "detach session", sampled: true, prepare: joinRoom,
		run: func(st *Store, s Session) error { st.DetachSession(s); return nil },
		committed: func(before *crashBefore, seg *Segment) bool {
			return seg.sessions[before.session.Row].owner.Load() == sessionDetachedWord
		},
	},
	{
		name: "resume", sampled: true, user: carol, prepare: joinAndDetach,
		run: func(st *Store, s Session) error { _, err := st.ResumeSession(carol, s.ID); return err },
		committed: func(before *crashBefore, seg *Segment) bool {
			return seg.sessions[before.session.Row].owner.Load() == sessionLive.owned(0)
		},
	},
	{
		name: "take over", sampled: true, unrivalled: true, fence: MailFence,
		run: func(st *Store, _ Session) error {
			_, err := st.ResumeSession(bob, sessionOfSlot(st.seg, 1).ID)
			return err
		},
		committed: func(_ *crashBefore, seg *Segment) bool { return sessionOfSlot(seg, 1) == Session{} },
	},
	{
		name: "end sessions", sampled: true, unrivalled: true, fence: MailRevoked,
		run:       func(st *Store, _ Session) error { return st.EndSessions(bob) },
		committed: func(_ *crashBefore, seg *Segment) bool { return sessionOfSlot(seg, 1) == Session{} },
	},
	{
		name: "refused, and noted", run: refusedTwice,
		committed: func(before *crashBefore, seg *Segment) bool {
			return seg.sessions[before.session.Row].refusedReqID != 0
		},
	},
	{
		name: "not applied, and final", prepare: joinAndDetach, run: settleDetached,
		committed: func(before *crashBefore, seg *Segment) bool { return !seg.holds(before.session) },
	},
	{
		name: "expire", prepare: joinAndDetach,
		run: func(st *Store, _ Session) error {
			st.SetClock(func() uint64 { return sinceBootNs() + 2*uint64(st.sessionTTL) })
			if ended := st.ExpireSessions(); ended != 1 {
				return fmt.Errorf("%d sessions expired", ended)
			}
			return nil
		},
		committed: func(before *crashBefore, seg *Segment) bool {
			return seg.sessions[before.session.Row].owner.Load() == 0
		},
	},
	{
		name: "drain", prepare: receive, run: drain,
		committed: func(_ *crashBefore, seg *Segment) bool {
			return seg.mailboxes[0].cursor.Load() == seg.mailRing(0).state().tail
		},
	},
	{
		name: "resume after a restart", user: alice, prepare: forgetBoot,
		run:       func(st *Store, _ Session) error { _, err := st.ResumeSession(carol, forgottenID(st.seg)); return err },
		committed: func(_ *crashBefore, seg *Segment) bool { return seg.Online(carol) },
		check: func(v *verdict, watcher *Store, _ *crashBefore) {
			resumed, err := watcher.ResumeSession(carol, forgottenID(v.seg))
			v.must("resume the session of before the restart", err)
			watcher.DetachSession(resumed.Session)
		},
	},
	{
		name: "bind", unrivalled: true,
		run: func(st *Store, _ Session) error { st.Close(); st.begin(); return nil },
		committed: func(_ *crashBefore, seg *Segment) bool {
			return seg.slots[0].generation.Load() == 2 && SlotState(seg.slots[0].state.Load()) == SlotRunning
		},
	},
	{
		name: "wait in vain for a lock", arrange: holdBob, holds: true,
		run: func(st *Store, s Session) error {
			if _, err := st.Transfer(s, crashReqID, bob, 30); !errors.Is(err, ErrBusy) {
				return fmt.Errorf("the lock was held: %w", err)
			}
			return nil
		},
		committed: func(*crashBefore, *Segment) bool { return false },
	},
	{
		name: "transfer, parked", prepare: useJournal, arrange: journalSleeps, run: transferAndPark,
		records: []balanceChange{{alice: -30, bob: 30}}, committed: headRaised, check: checkParked,
	},
	{
		name: "create user, parked", names: ledger.KindUserCreate, prepare: useJournal, arrange: journalSleeps,
		run: func(st *Store, _ Session) error {
			user, err := st.CreateUser([]byte("dave"), keyOf(newKey), keyOf(newKey))
			if err != nil {
				return err
			}
			return park(st, st.seg.UserSeq(user))
		},
		records: []balanceChange{{}}, committed: headRaised, check: checkParked,
	},
	{
		name: "publish durable", sampled: true, prepare: useJournal, arrange: watcherParks,
		run: func(st *Store, _ Session) error {
			var group [4]ledger.Record
			st.AwaitRecords(st.seg.Durable(), time.Minute)
			n, err := st.seg.ReadLog(st.seg.Durable(), group[:])
			if err == nil && n != 1 {
				err = fmt.Errorf("%d records to write", n)
			}
			st.PublishDurable(group[0].Seq)
			return err
		},
		committed: func(before *crashBefore, seg *Segment) bool { return seg.Durable() == before.head },
		check:     checkPublished,
	},
	{
		name: "fail journal", prepare: useJournal, arrange: watcherParks,
		run:       func(st *Store, _ Session) error { st.FailJournal(crashFailure); return nil },
		committed: func(_ *crashBefore, seg *Segment) bool { return seg.ReadOnly() },
		check:     checkFailed,
	},
	{
		name:      "use journal",
		run:       func(st *Store, _ Session) error { st.seg.UseJournal(st.seg.Head()); return nil },
		committed: func(_ *crashBefore, seg *Segment) bool { return seg.journaled() },
		check: func(v *verdict, _ *Store, before *crashBefore) {
			if v.seg.Durable() != before.head {
				v.bad("records up to %d count as durable, want %d", v.seg.Durable(), before.head)
			}
		},
	},
	{
		name: "count connection", run: countConnection,
		committed: func(_ *crashBefore, seg *Segment) bool { return connectionsCounted(seg) != 0 },
	},
}

// keyOf is a login key; before the operation every user has oldKey.
func keyOf(b byte) (key [32]byte) {
	copy(key[:], bytes.Repeat([]byte{b}, len(key)))
	return key
}

const oldKey, newKey byte = 1, 9

func headRaised(before *crashBefore, seg *Segment) bool { return seg.Head() > before.head }

func messagePublished(before *crashBefore, seg *Segment) bool {
	return seg.roomRing(1).state().lastSeq > before.lastSeq
}

func transferTo(to uint32) func(*Store, Session) error {
	return func(st *Store, s Session) error {
		_, err := st.Transfer(s, crashReqID, to, 30)
		return err
	}
}

func transferBatch(st *Store, s Session) error {
	results := make([]LegResult, 2)
	_, err := st.TransferBatch(s, crashReqID, []Leg{{bob, 5}, {carol, 6}}, results)
	for _, r := range results {
		if r.Err != nil {
			return r.Err
		}
	}
	return err
}

func joinRoom(st *Store, s Session) error {
	_, err := st.Join(s, 1)
	return err
}

func joinAndDetach(st *Store, s Session) error {
	if err := joinRoom(st, s); err != nil {
		return err
	}
	st.DetachSession(s)
	return nil
}

func sendMessage(message []byte) func(*Store, Session) error {
	return func(st *Store, s Session) error {
		_, _, err := st.Send(s, 1, message)
		return err
	}
}

// fillRoomRing leaves the ring too short at its end for the long message.
func fillRoomRing(st *Store, s Session) error {
	if err := joinRoom(st, s); err != nil {
		return err
	}
	r := st.seg.roomRing(1)
	for r.filler(r.state().tail, entrySize(len(crashLongMessage))) == 0 {
		if _, _, err := st.Send(s, 1, crashPadding); err != nil {
			return err
		}
	}
	return drain(st, s)
}

// receive gives slot 0 a message and a letter to drain.
func receive(st *Store, s Session) error {
	if err := joinRoom(st, s); err != nil {
		return err
	}
	if _, _, err := st.Send(s, 1, crashMessage); err != nil {
		return err
	}
	_, _, _, err := st.Direct(bob, alice, crashMessage)
	return err
}

func drain(st *Store, _ Session) error {
	rooms, _ := st.TakeDirty(make([]uint32, 0, 8))
	for _, room := range rooms {
		st.DrainRoom(room, func(Event) {})
	}
	st.DrainMail(func(Mail) {})
	return nil
}

func countConnection(st *Store, _ Session) error {
	if st.ConnectionOpened(crashAddress, 3) == 0 {
		return fmt.Errorf("connection of %v refused", crashAddress)
	}
	st.LoginFailed(crashAddress, []byte("alice"))
	return nil
}

// daveHasBoth: there is no dave without his money.
func daveHasBoth(v *verdict, watcher *Store, _ *crashBefore) {
	dave, found := v.seg.FindUser([]byte("dave"))
	if !found {
		return
	}
	if balance, _, err := watcher.Balance(dave); err != nil || balance != daveOpening {
		v.bad("dave has %d, want %d: %v", balance, daveOpening, err)
	}
}

// refusedTwice asks for more than there is, and then for something else under the same req_id.
func refusedTwice(st *Store, s Session) error {
	if _, err := st.Transfer(s, crashReqID, bob, AmountMax); !errors.Is(err, ErrInsufficientFunds) {
		return fmt.Errorf("a transfer of everything: %w", err)
	}
	if _, err := st.Transfer(s, crashReqID, bob, 1); !errors.Is(err, ErrRetryMismatch) {
		return fmt.Errorf("another one: %w", err)
	}
	return nil
}

// settleDetached asks about a request of a session without a connection.
func settleDetached(st *Store, s Session) error {
	if outcome, _, err := st.TxnStatus(s.User, s.ID, crashReqID); err != nil || outcome != OutcomeNotApplied {
		return fmt.Errorf("outcome %d: %w", outcome, err)
	}
	return nil
}

// holds tells whether a session can still be resumed or used.
func (seg *Segment) holds(s Session) bool {
	r, found := seg.findSession(s.User, s.ID)
	return found && stateOf(seg.sessions[r].owner.Load()) != sessionEnding
}

func connectionsCounted(seg *Segment) (n uint32) {
	for i := range seg.addresses {
		n += seg.addresses[i].open()
	}
	return n
}

// forgetBoot makes the segment one that was filled from disk: sessions of before are known to the log alone.
func forgetBoot(st *Store, _ Session) error {
	st.seg.control.bootHead = st.seg.Head()
	return st.seg.BeginSessions(1)
}

func forgottenID(seg *Segment) uint64 {
	return headCode(seg.control.bootHead)<<sessionSerialBits | 1<<(sessionSerialBits-1)
}

// holdBob has the watcher hold bob's lock; its heart has stopped, so nobody waits long.
func holdBob(t *testing.T, scene *crashScene) {
	t.Helper()
	if err := scene.watcher.lockAccounts(bob, 0); err != nil {
		t.Fatal(err)
	}
	scene.watcher.slot.heartbeatNs.Store(1)
}

// releaseBob lets the watcher go on, unless it is dead too.
func (v *verdict) releaseBob(watcher *Store) {
	if v.anew {
		return
	}
	if word := v.seg.accounts[bob].lock; word&^lockWaiters != watcher.owner {
		v.bad("the lock of the living was taken: %08x", word)
	}
	watcher.unlockAccounts(bob, 0)
}

func useJournal(st *Store, _ Session) error {
	st.seg.UseJournal(st.seg.Head())
	return nil
}

// journalSleeps leaves the journal's word as it is while it sleeps.
func journalSleeps(_ *testing.T, scene *crashScene) {
	atomic.StoreUint32(&scene.seg.control.journalIdle, 1)
}

func transferAndPark(st *Store, s Session) error {
	posting, err := st.Transfer(s, crashReqID, bob, 30)
	if err != nil {
		return err
	}
	return park(st, posting.Seq)
}

// park is what a worker does at the end of a turn in which it has promised a record.
func park(st *Store, seq uint64) error {
	st.NudgeLogWriter()
	if st.Await(seq) {
		return fmt.Errorf("record %d is durable", seq)
	}
	return nil
}

// watcherParks has the watcher wait for a record of its own.
func watcherParks(t *testing.T, scene *crashScene) {
	t.Helper()
	st := scene.watcher
	posting, err := st.DepositTo(carol, 1)
	if err != nil || st.Await(posting.Seq) {
		t.Fatalf("record %d does not wait for the journal: %v", posting.Seq, err)
	}
}

// checkParked: what the dead waited for is promised by nobody before the journal says so, and the journal can say so.
func checkParked(v *verdict, watcher *Store, before *crashBefore) {
	if v.seg.Durable() != before.durable {
		v.bad("records up to %d count as durable, %d are", v.seg.Durable(), before.durable)
	}
	v.publishAll(watcher)
}

// publishAll is the next journal's first round.
func (v *verdict) publishAll(st *Store) {
	var group [4]ledger.Record
	n, err := v.seg.ReadLog(v.seg.Durable(), group[:])
	v.must("read the log", err)
	if uint64(n) != v.seg.Head()-v.seg.Durable() {
		v.bad("%d records to be written behind %d, head %d", n, v.seg.Durable(), v.seg.Head())
	}
	st.PublishDurable(v.seg.Head())
	v.must("await", v.seg.AwaitDurable(v.seg.Head(), 0))
}

// checkPublished: who waits is woken by the dead, by its repair or by its successor.
func checkPublished(v *verdict, watcher *Store, before *crashBefore) {
	durable := v.seg.Durable()
	if durable != before.head && durable != before.durable {
		v.bad("records up to %d count as durable, want %d or %d", durable, before.durable, before.head)
	}
	if durable == before.head && !v.anew && !v.wokenBefore && v.woken[1] == 0 {
		v.bad("the watcher is not told that its record is durable")
	}
	v.publishAll(watcher)
	if !v.anew && !v.wokenBefore && v.woken[1] == 0 {
		v.bad("the watcher is never told that its record is durable")
	}
	if left := v.seg.slots[1].awaits.Load(); left != 0 {
		v.bad("the watcher still awaits record %d", left)
	}
}

// checkFailed: read-only is read-only, with the reason, until a later run; anything else goes on.
func checkFailed(v *verdict, watcher *Store, _ *crashBefore) {
	_, err := watcher.DepositTo(carol, 1)
	if state, why := v.seg.JournalState(); state == JournalFailed {
		if why != crashFailure || !errors.Is(err, ErrReadOnly) {
			v.bad("failed with %q: a deposit meets %v", why, err)
		}
		if !v.anew && !v.wokenBefore && v.woken[1] == 0 {
			v.bad("the watcher waits for a journal that has failed")
		}
		v.seg.UseJournal(v.seg.Head())
		_, err = watcher.DepositTo(carol, 1)
	}
	v.must("deposit", err)
}

// The parent steps through the child's first thread: the role must stay on it.
func init() {
	if role := os.Getenv(envRole); strings.HasPrefix(role, "crash") || role == "meeting" {
		runtime.LockOSThread()
	}
}

// crashRole performs operation n between two stops.
func crashRole(st *Store, n int, _ *bufio.Writer) error {
	op := &crashOperations[n]
	s, err := st.OpenSession(max(op.user, alice))
	if err != nil {
		return err
	}
	if op.prepare != nil {
		if err := op.prepare(st, s); err != nil {
			return err
		}
	}
	return betweenStops(func() error { return op.run(st, s) })
}

// crashRepairRole repairs slot 0 between two stops.
func crashRepairRole(st *Store, _ int, _ *bufio.Writer) error {
	return betweenStops(func() error {
		_, err := st.RepairSlot(0)
		return err
	})
}

// crashReviveRole makes the segment of a run that was killed whole, as the next master, between two stops.
func crashReviveRole(st *Store, _ int, _ *bufio.Writer) error {
	return betweenStops(func() error {
		_, _, err := st.seg.Revive(st.index, st.wake)
		return err
	})
}

func betweenStops(do func() error) error {
	if err := stopSelf(); err != nil {
		return err
	}
	pin()
	err := do()
	unpin()
	if err != nil {
		return err
	}
	return stopSelf()
}

func stopSelf() error { return unix.Tgkill(os.Getpid(), unix.Gettid(), unix.SIGSTOP) }
