package shmstore

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"tradechat.internal/ledger"
	"tradechat.internal/libnet"
)

// bank creates users with money.
func bank(t testing.TB, st *Store, users int, each uint64) {
	t.Helper()
	for i := range users {
		if _, err := st.DepositTo(addUser(t, st, fmt.Sprintf("user%d", i)), each); err != nil {
			t.Fatal(err)
		}
	}
}

// transferRole makes n transfers between random users, in both directions, and
// reports how many ended as busy.
func transferRole(st *Store, n int, out *bufio.Writer) error {
	users := st.seg.UserCount()
	sessions := make([]Session, users)
	for i := range sessions {
		s, err := st.OpenSession(uint32(i + 1))
		if err != nil {
			return err
		}
		sessions[i] = s
	}
	busy := 0
	for reqID := uint64(1); reqID <= uint64(n); reqID++ {
		from, to := rand.Uint32N(users), rand.Uint32N(users)
		if from == to {
			to = (to + 1) % users
		}
		_, err := st.Transfer(sessions[from], reqID, to+1, 1+rand.Uint64N(3))
		switch {
		case errors.Is(err, ErrBusy):
			busy++
		case err != nil && !errors.Is(err, ErrInsufficientFunds):
			return err
		}
	}
	for _, s := range sessions {
		st.CloseSession(s)
	}
	fmt.Fprintln(out, busy)
	return nil
}

func TestTransfersFromSeveralProcessesKeepTheSum(t *testing.T) {
	for _, mode := range []LockMode{LockPerAccount, LockGlobal} {
		t.Run(mode.String(), func(t *testing.T) {
			shape := smallShape()
			shape.Workers, shape.LockMode = 3, mode
			seg := newSegment(t, shape)
			master := bind(t, seg, 3, nil)
			bank(t, master, 4, 20)
			events := newEventFDs(t, 4)
			var children []*child
			for slot := range 3 {
				children = append(children, startChild(t, seg, events, "transfer", slot, transfersEach))
			}
			busy := 0
			for _, c := range children {
				busy += busyIn(t, c.wait(t))
			}
			if busy > transfersBusyMax {
				t.Errorf("%d transfers ended as busy, at most %d may", busy, transfersBusyMax)
			}
			if r := mustVerify(t, seg); r.Supply != 80 || r.Head < 10_000 {
				t.Errorf("supply %d after %d records", r.Supply, r.Head)
			}
		})
	}
}

// busyIn reads a transferRole's report.
func busyIn(t *testing.T, report []byte) int {
	t.Helper()
	busy, err := strconv.Atoi(strings.TrimSpace(string(report)))
	if err != nil {
		t.Fatal(err)
	}
	return busy
}

// TestAccountsAreLockedInOrder: whoever waits for the lower account does not hold the
// higher one, whichever of them pays.
func TestAccountsAreLockedInOrder(t *testing.T) {
	for _, pair := range [][2]uint32{{1, 2}, {2, 1}} {
		seg := newSegment(t, smallShape())
		st, other := bind(t, seg, 0, nil), bind(t, seg, 1, nil)
		if err := other.lockAccounts(1, 0); err != nil {
			t.Fatal(err)
		}
		done := make(chan error)
		go func() { done <- st.lockAccounts(pair[0], pair[1]) }()
		for atomic.LoadUint32(&seg.accounts[1].lock)&lockWaiters == 0 {
			runtime.Gosched()
			if word := atomic.LoadUint32(&seg.accounts[2].lock); word != 0 {
				t.Errorf("%v: account 2 is held before account 1: %08x", pair, word)
				break
			}
		}
		if word := atomic.LoadUint32(&seg.accounts[2].lock); word != 0 {
			t.Errorf("%v: waiting for account 1, it holds account 2: %08x", pair, word)
		}
		other.unlockAccounts(1, 0)
		if err := <-done; err == nil {
			st.unlockAccounts(pair[0], pair[1])
		} else if !errors.Is(err, ErrBusy) { // not run for LockWaitMax
			t.Error(err)
		}
	}
}

// churnRole moves money, sends, joins and leaves until it is killed, and reports the
// seq of every transaction that it was told had been done.
func churnRole(st *Store, _ int, _ *bufio.Writer) error {
	users := st.seg.UserCount()
	message := make([]byte, 100)
	for {
		s, err := st.OpenSession(1 + rand.Uint32N(users))
		if err != nil {
			return err
		}
		room := 1 + rand.Uint32N(st.seg.RoomCount())
		_, _ = st.Join(s, room)
		for reqID := uint64(1); reqID < 50; reqID++ {
			st.SetNow(uint64(time.Now().UnixNano()))
			if err := churnMoney(st, s, reqID, users); err != nil {
				return err
			}
			_, _, _ = st.Send(s, room, message)
			_, _, _, _ = st.Direct(s.User, 1+rand.Uint32N(users), message)
			rooms, _ := st.TakeDirty(nil)
			for _, r := range rooms {
				st.DrainRoom(r, func(Event) {})
			}
			st.DrainMail(func(Mail) {})
		}
		st.CloseSession(s)
	}
}

func churnMoney(st *Store, s Session, reqID uint64, users uint32) (err error) {
	var p Posting
	switch amount := 1 + rand.Uint64N(5); rand.IntN(4) {
	case 0:
		p, err = st.Deposit(s, reqID, amount)
	case 1:
		p, err = st.Withdraw(s, reqID, amount)
	default:
		p, err = st.Transfer(s, reqID, 1+rand.Uint32N(users), amount)
	}
	for _, expected := range []error{ErrBusy, ErrInsufficientFunds, ErrSelfTransfer} {
		if errors.Is(err, expected) {
			return nil
		}
	}
	if err != nil {
		return err
	}
	return binary.Write(os.Stdout, binary.LittleEndian, p.Seq)
}

func TestKilledProcessesAreRepairedUnderLoad(t *testing.T) {
	shape := smallShape()
	shape.Workers, shape.LogRecords = 2, 1<<16
	seg := newSegment(t, shape)
	master := bind(t, seg, 2, nil)
	bank(t, master, 6, 1000)
	openRoom(t, master, "lobby")
	openRoom(t, master, "hall")
	events := newEventFDs(t, 3)
	children := []*child{startChild(t, seg, events, "churn", 0, 0).collect(), startChild(t, seg, events, "churn", 1, 0).collect()}
	for round := range 40 {
		slot := round % 2
		waitForHead(t, seg, seg.Head()+50+rand.Uint64N(200))
		acknowledged := children[slot].kill(t)
		repair(t, master, slot)
		checkAcknowledged(t, seg, slot, acknowledged)
		if r, err := master.Verify(); err != nil || !r.OK() {
			t.Fatalf("round %d: %v %v", round, err, r)
		}
		children[slot] = startChild(t, seg, events, "churn", slot, 0).collect()
	}
	for slot, c := range children {
		c.kill(t)
		repair(t, master, slot)
	}
	mustVerify(t, seg)
	master.SetClock(func() uint64 { return sinceBootNs() + 2*uint64(master.sessionTTL) })
	master.ExpireSessions()
	mustVerify(t, seg)
	for room := uint32(1); room <= 2; room++ {
		if info, _ := seg.Room(room); info.Members != 0 {
			t.Errorf("room %d has %d members left", room, info.Members)
		}
	}
}

func waitForHead(t *testing.T, seg *Segment, head uint64) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); seg.Head() < head; time.Sleep(100 * time.Microsecond) {
		if time.Now().After(deadline) {
			t.Fatalf("head is %d, waited for %d", seg.Head(), head)
		}
	}
}

func waitForGeneration(t *testing.T, seg *Segment, slot int, generation uint32) {
	t.Helper()
	bound := func() bool {
		info := seg.SlotInfo(slot)
		return info.Generation >= generation && info.State == SlotRunning
	}
	for deadline := time.Now().Add(20 * time.Second); !bound(); time.Sleep(100 * time.Microsecond) {
		if time.Now().After(deadline) {
			t.Fatalf("slot %d is of generation %d, waited for %d", slot, seg.SlotInfo(slot).Generation, generation)
		}
	}
}

func repair(t *testing.T, master *Store, slot int) {
	t.Helper()
	var err error
	for range 50 {
		if _, err = master.RepairSlot(slot); err == nil {
			return
		}
	}
	t.Fatal(err)
}

// checkAcknowledged looks every reported seq up in the log.
func checkAcknowledged(t *testing.T, seg *Segment, slot int, report []byte) {
	t.Helper()
	var rec ledger.Record
	for ; len(report) >= 8; report = report[8:] {
		seq := binary.LittleEndian.Uint64(report)
		if seq > seg.Head() {
			t.Fatalf("acknowledged record %d is beyond head %d", seq, seg.Head())
		}
		if seg.loadRecord(seq, &rec) && (rec.Seq != seq || int(rec.Slot) != slot) {
			t.Fatalf("acknowledged record %d is %d of slot %d", seq, rec.Seq, rec.Slot)
		}
	}
}

// holdRole takes the account lock of a user, 1 if none is given, says so, and never lets go.
func holdRole(st *Store, user int, out *bufio.Writer) error {
	if err := st.lockAccounts(max(uint32(user), 1), 0); err != nil {
		return err
	}
	fmt.Fprintln(out, "held")
	_ = out.Flush()
	select {}
}

// holdLogRole does the same with the log lock.
func holdLogRole(st *Store, _ int, out *bufio.Writer) error {
	if _, err := st.openRecord(0, 0); err != nil {
		return err
	}
	fmt.Fprintln(out, "held")
	_ = out.Flush()
	select {}
}

func TestAStoppedHolderMakesOthersBusyAndIsNeverRobbed(t *testing.T) {
	for _, role := range []string{"hold", "hold-a-log"} {
		t.Run(role, func(t *testing.T) {
			seg := newSegment(t, smallShape())
			master := bind(t, seg, 2, nil)
			bank(t, master, 2, 100)
			s := openSession(t, master, 1)
			holder := startChild(t, seg, newEventFDs(t, 3), role, 0, 0)
			if _, err := bufio.NewReader(holder.out).ReadString('\n'); err != nil {
				t.Fatal(err)
			}
			if err := holder.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			for attempt := 0; time.Since(start) < HolderStallMax+300*time.Millisecond; attempt++ {
				if _, err := master.Withdraw(s, 1, 1); !errors.Is(err, ErrBusy) {
					t.Fatalf("attempt %d: %v", attempt, err)
				}
			}
			start = time.Now()
			if _, err := master.Withdraw(s, 1, 1); !errors.Is(err, ErrBusy) || time.Since(start) > LockWaitMax/2 {
				t.Errorf("a holder whose heart has stopped was waited for: %v, %v", time.Since(start), err)
			}
			holder.kill(t)
			report, err := master.RepairSlot(0)
			if err != nil || report.LocksFreed != 1 || report.AppliedSeq != 0 {
				t.Fatalf("%v, %v", report, err)
			}
			if p, err := master.Withdraw(s, 1, 1); err != nil || p.Balance != 99 {
				t.Errorf("after the repair: %+v, %v", p, err)
			}
			master.CloseSession(s)
			mustVerify(t, seg)
		})
	}
}

func TestAWaiterIsWokenByARepair(t *testing.T) {
	seg := newSegment(t, smallShape())
	master := bind(t, seg, 2, nil)
	bank(t, master, 2, 100)
	holder := startChild(t, seg, newEventFDs(t, 3), "hold", 0, 0)
	if _, err := bufio.NewReader(holder.out).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	waiter := bind(t, seg, 1, nil)
	s := openSession(t, waiter, 1)
	done := make(chan error)
	go func() {
		err := ErrBusy
		for range 20 {
			if _, err = waiter.Withdraw(s, 1, 1); !errors.Is(err, ErrBusy) {
				break
			}
		}
		done <- err
	}()
	holder.kill(t)
	repair(t, master, 0)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// chatRole is a member of room 1 that sends n messages and drains until it has heard
// those of both processes; it fails on a hole or a repetition.
func chatRole(st *Store, n int, out *bufio.Writer) error {
	s, err := st.OpenSession(uint32(st.index + 1))
	if err != nil {
		return err
	}
	if _, err := st.Join(s, 1); err != nil {
		return err
	}
	fmt.Fprintln(out, "joined")
	if err := out.Flush(); err != nil {
		return err
	}
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil && err != io.EOF {
		return err
	}
	return chatUntilAllHeard(st, s, n)
}

func chatUntilAllHeard(st *Store, s Session, n int) (err error) {
	heard := uint64(0)
	drain := func() {
		rooms, _ := st.TakeDirty(nil)
		for _, room := range rooms {
			st.DrainRoom(room, func(e Event) {
				if e.Kind == EventMessage && e.Seq == heard+1 {
					heard++
				} else if e.Kind == EventMessage || e.Kind == EventGap {
					err = fmt.Errorf("event %d seq %d after %d", e.Kind, e.Seq, heard)
				}
			})
		}
	}
	for sent := 0; err == nil && sent < n; {
		if _, _, sendErr := st.Send(s, 1, []byte("message")); sendErr == nil {
			sent++
		} else if !errors.Is(sendErr, ErrBusy) && !errors.Is(sendErr, ErrOwnBacklog) {
			return sendErr
		} else {
			drain()
		}
	}
	for err == nil && heard < uint64(2*n) {
		fds := []unix.PollFd{{Fd: int32(4 + st.index), Events: unix.POLLIN}}
		if _, pollErr := unix.Poll(fds, 10_000); pollErr == unix.EINTR {
			continue
		} else if pollErr != nil {
			return pollErr
		}
		if fds[0].Revents == 0 {
			return fmt.Errorf("not woken: heard %d of %d", heard, 2*n)
		}
		_, _ = libnet.EventFD(4 + st.index).Drain()
		drain()
	}
	return err
}

func TestChatBetweenProcessesHasNoHolesAndNoLostWakeUps(t *testing.T) {
	seg := newSegment(t, smallShape())
	master := bind(t, seg, 2, nil)
	bank(t, master, 2, 1)
	openRoom(t, master, "lobby")
	events := newEventFDs(t, 3)
	var children []*child
	var starts []io.WriteCloser
	for slot := range 2 {
		c, start := startGated(t, seg, events, slot, 20_000)
		children, starts = append(children, c), append(starts, start)
	}
	for _, c := range children {
		line := make([]byte, len("joined\n"))
		if _, err := io.ReadFull(c.out, line); err != nil {
			t.Fatal(err)
		}
	}
	for _, start := range starts {
		start.Close()
	}
	for _, c := range children {
		c.wait(t)
	}
	if info, _ := seg.Room(1); info.LastSeq != 40_000 {
		t.Errorf("room_seq %d", info.LastSeq)
	}
}

// startGated starts a chat child that waits for its stdin to end.
func startGated(t *testing.T, seg *Segment, events []*os.File, slot, n int) (*child, io.WriteCloser) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	return startChildWithInput(t, seg, events, "chat", slot, n, r), w
}

// BenchmarkTransferTwoProcesses is the time of a transfer when two processes make
// them among 1,024 accounts at once; its inverse is their throughput together.
func BenchmarkTransferTwoProcesses(b *testing.B) {
	shape := DefaultShape()
	seg := newSegment(b, shape)
	master := bind(b, seg, 2, nil)
	bank(b, master, 1024, 1<<40)
	events := newEventFDs(b, 3)
	children := []*child{
		startChild(b, seg, events, "transfer", 0, b.N/2+1),
		startChild(b, seg, events, "transfer", 1, b.N/2+1),
	}
	b.ResetTimer()
	for _, c := range children {
		c.wait(b)
	}
	b.StopTimer()
	mustVerify(b, seg)
}

// TestASegmentWhoseProcessesWereAllKilledIsRevived kills the workers in mid-work and
// takes the master's slot over while it is still marked as running.
func TestASegmentWhoseProcessesWereAllKilledIsRevived(t *testing.T) {
	shape := smallShape()
	shape.LogRecords = 1 << 14
	seg := newSegment(t, shape)
	master := bind(t, seg, 2, nil)
	bank(t, master, 6, 1000)
	openRoom(t, master, "lobby")
	events := newEventFDs(t, 3)
	for round := range 5 {
		children := []*child{startChild(t, seg, events, "churn", 0, 0).collect(), startChild(t, seg, events, "churn", 1, 0).collect()}
		for slot := range children {
			waitForGeneration(t, seg, slot, uint32(round+1))
		}
		waitForHead(t, seg, seg.Head()+200)
		if err := master.lockAccounts(uint32(1+round), 0); err != nil {
			t.Fatal(err)
		}
		for _, c := range children {
			c.kill(t)
		}
		next, reports, err := seg.Revive(2, func(int) {})
		if err != nil || len(reports) != 3 || reports[2].LocksFreed != 1 {
			t.Fatalf("%v %v", reports, err)
		}
		mustVerify(t, seg)
		master = next
	}
}

// TestVerifyBesideWriters: the log is so short that records are overwritten while they
// are folded.
func TestVerifyBesideWriters(t *testing.T) {
	shape := smallShape()
	shape.LogRecords = logRecordsMin
	seg := newSegment(t, shape)
	master := bind(t, seg, 2, nil)
	bank(t, master, 4, 1000)
	events := newEventFDs(t, 3)
	children := []*child{startChild(t, seg, events, "transfer", 0, 50_000), startChild(t, seg, events, "transfer", 1, 50_000)}
	checked := 0
	for start := seg.Head(); seg.Head() < start+50_000; {
		r, err := master.Verify()
		switch {
		case errors.Is(err, ErrBusy): // a writer was not run
		case err != nil || !r.OK():
			t.Fatal(err, r, r.Problems)
		default:
			checked++
		}
	}
	for _, c := range children {
		c.wait(t)
	}
	if mustVerify(t, seg); checked == 0 {
		t.Error("nothing was verified while they wrote")
	}
}

// floodRole sends messages to room 1 until it is killed.
func floodRole(st *Store, _ int, out *bufio.Writer) error {
	s, err := st.OpenSession(1)
	if err != nil {
		return err
	}
	if _, err := st.Join(s, 1); err != nil {
		return err
	}
	for {
		st.DrainRoom(1, func(Event) {})
		if _, _, err := st.Send(s, 1, []byte("message")); err != nil {
			return err
		}
	}
}

// TestHistoryBesideAWriterEndsWithTheNewest: the oldest entries, at which a walk begins,
// are overwritten all the time.
func TestHistoryBesideAWriterEndsWithTheNewest(t *testing.T) {
	seg := newSegment(t, smallShape())
	master := bind(t, seg, 2, nil)
	bank(t, master, 1, 1)
	room := openRoom(t, master, "lobby")
	writer := startChild(t, seg, newEventFDs(t, 3), "flood", 0, 0)
	defer writer.kill(t)
	for deadline := time.Now().Add(20 * time.Second); seg.roomRing(room).state().lastSeq < 1000; {
		if time.Now().After(deadline) {
			t.Fatal("the writer does not write")
		}
	}
	for range 2000 {
		newest, last, n := seg.roomRing(room).state().lastSeq, uint64(0), 0
		if err := master.RoomHistory(room, 0, 20, func(e Event) {
			if e.Seq <= last || string(e.Message) != "message" {
				t.Fatalf("%+v after %d", e, last)
			}
			last = e.Seq
			n++
		}); err != nil {
			t.Fatal(err)
		}
		if last < newest || n > 20 {
			t.Fatalf("a page of %d ends with %d, %d was the newest", n, last, newest)
		}
	}
}
