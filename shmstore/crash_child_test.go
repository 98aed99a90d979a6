package shmstore

import (
	"bufio"
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// What the child does that is killed, and what must come of it.

// The scene's users, and the request that the child makes.
const (
	alice, bob, carol uint32 = 1, 2, 3

	crashReqID = 7
)

var (
	crashMessage     = []byte("0123456789")
	crashLongMessage = bytes.Repeat([]byte("x"), 500)
	crashAddress     = netip.MustParseAddr("192.0.2.9")
)

// balanceChange is what a record does to the users' balances, by user.
type balanceChange [carol + 1]int64

// crashOperation is something that slot 0 is killed in the middle of.
type crashOperation struct {
	name    string
	sampled bool   // part of every test run
	user    uint32 // whose session the child has; 0: alice's
	prepare func(st *Store, s Session) error
	run     func(st *Store, s Session) error

	lockMode  LockMode
	records   []balanceChange // what it adds to the log
	message   []byte          // what it sends to room 1, if anything
	committed func(before *crashBefore, seg *Segment) bool
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
		name: "create user", sampled: true,
		run: func(st *Store, _ Session) error {
			_, err := st.CreateUser([]byte("dave"), keyOf(newKey), keyOf(newKey))
			return err
		},
		records: []balanceChange{{}}, committed: headRaised,
	},
	{
		name:    "set keys",
		run:     func(st *Store, _ Session) error { return st.SetUserKeys(bob, keyOf(newKey), keyOf(newKey)) },
		records: []balanceChange{{}}, committed: headRaised,
	},
	{
		name:    "open room",
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
			reached, _, err := st.Direct(alice, bob, crashMessage)
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
		name: "take over", sampled: true,
		run: func(st *Store, _ Session) error {
			_, err := st.ResumeSession(bob, sessionOfSlot(st.seg, 1).ID)
			return err
		},
		committed: func(_ *crashBefore, seg *Segment) bool { return sessionOfSlot(seg, 1) == Session{} },
	},
	{
		name: "expire", prepare: joinAndDetach,
		run: func(st *Store, _ Session) error {
			st.SetNow(st.nowNs + 2*uint64(st.sessionTTL))
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
		if _, _, err := st.Send(s, 1, []byte(strings.Repeat("y", 40))); err != nil {
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
	_, _, err := st.Direct(bob, alice, crashMessage)
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
	if !st.ConnectionOpened(crashAddress, 3) {
		return fmt.Errorf("connection of %v refused", crashAddress)
	}
	st.LoginFailed(crashAddress)
	return nil
}

func connectionsCounted(seg *Segment) (n uint32) {
	for i := range seg.addresses {
		n += seg.addresses[i].open()
	}
	return n
}

// The parent steps through the child's first thread: the role must stay on it.
func init() {
	if strings.HasPrefix(os.Getenv(envRole), "crash") {
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
