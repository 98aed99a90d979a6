package shmstore

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Whoever is about to sleep announces it and then looks; whoever has news publishes it and then looks who sleeps. These tests
// run one side instruction by instruction, and the whole of the other side between any two of them: one of the two must
// have seen the other.

// meeting is two processes of which one may go to sleep. The child goes first; what comes between two of its
// instructions is the parent's, by slot 1.
type meeting struct {
	name    string
	prepare func(st *Store, s Session) error
	arrange func(t *testing.T, scene *crashScene)
	run     func(st *Store, s Session, head uint64) (sees bool, err error) // head: as it was before
	other   func(t *testing.T, scene *crashScene) (sees bool)

	// told says that the side which may sleep has what it waits for, or is woken.
	told func(scene *crashScene, childSees, otherSees bool) bool
}

// journalPatience is how long the log writer sleeps in vain; if it was told it does not.
const journalPatience = 5 * time.Second

var meetings = []meeting{
	{
		name: "a worker awaits while the log writer publishes", prepare: depositUnderJournal,
		run: func(st *Store, _ Session, head uint64) (bool, error) { return st.Await(head), nil },
		other: func(_ *testing.T, scene *crashScene) bool {
			scene.watcher.PublishDurable(scene.seg.Head())
			return true
		},
		told: func(scene *crashScene, sees, _ bool) bool { return sees || scene.woken(0) },
	},
	{
		name: "the log writer publishes while a worker awaits", prepare: useJournal, arrange: depositToCarol,
		run: func(st *Store, _ Session, _ uint64) (bool, error) { st.PublishDurable(st.seg.Head()); return true, nil },
		other: func(_ *testing.T, scene *crashScene) bool {
			return scene.watcher.Await(scene.seg.Head())
		},
		told: func(scene *crashScene, _, sees bool) bool { return sees || scene.woken(1) },
	},
	{
		name: "a slot drains while another sends", prepare: joinDisarmed,
		run: func(st *Store, _ Session, _ uint64) (bool, error) { return hearsSomething(st), nil },
		other: func(t *testing.T, scene *crashScene) bool {
			if _, _, err := scene.watcher.Send(sessionOfSlot(scene.seg, 1), 1, crashMessage); err != nil {
				t.Fatal(err)
			}
			return true
		},
		told: func(scene *crashScene, sees, _ bool) bool { return sees || scene.woken(0) },
	},
	{
		name: "a slot sends while another drains", prepare: joinRoom,
		arrange: func(_ *testing.T, scene *crashScene) { scene.watcher.slot.armed.Store(0) },
		run:     func(st *Store, s Session, _ uint64) (bool, error) { return true, sendMessage(crashMessage)(st, s) },
		other:   func(_ *testing.T, scene *crashScene) bool { return hearsSomething(scene.watcher) },
		told:    func(scene *crashScene, _, sees bool) bool { return sees || scene.woken(1) },
	},
	{
		name: "the log writer goes to sleep while a worker commits",
		run: func(st *Store, _ Session, head uint64) (bool, error) {
			began := time.Now()
			st.AwaitRecords(head, journalPatience)
			return time.Since(began) < journalPatience, nil
		},
		other: func(t *testing.T, scene *crashScene) bool {
			depositToCarol(t, scene)
			scene.watcher.NudgeLogWriter()
			return true
		},
		told: func(_ *crashScene, sees, _ bool) bool { return sees },
	},
	{
		name: "a worker commits while the log writer goes to sleep",
		run: func(st *Store, s Session, _ uint64) (bool, error) {
			_, err := st.Deposit(s, crashReqID, 1)
			st.NudgeLogWriter()
			return true, err
		},
		other: func(_ *testing.T, scene *crashScene) bool { // AwaitRecords up to its sleep
			head := scene.seg.Head()
			scene.seg.control.journalIdle = 1
			return scene.seg.Head() > head || head > scene.head
		},
		told: func(scene *crashScene, _, sees bool) bool { return sees || scene.seg.control.journalIdle == 0 },
	},
}

func depositUnderJournal(st *Store, s Session) error {
	_ = useJournal(st, s)
	_, err := st.Deposit(s, crashReqID, 1)
	return err
}

func depositToCarol(t *testing.T, scene *crashScene) {
	t.Helper()
	deposit(t, scene.watcher, carol, 1)
}

// joinDisarmed leaves the slot as it is when it has been woken for something that it has drained already.
func joinDisarmed(st *Store, s Session) error {
	err := joinRoom(st, s)
	_ = drain(st, s)
	st.slot.armed.Store(0)
	return err
}

// hearsSomething is a turn of an event loop; it tells whether a message came.
func hearsSomething(st *Store) (heard bool) {
	rooms, _ := st.TakeDirty(make([]uint32, 0, 8))
	for _, room := range rooms {
		st.DrainRoom(room, func(e Event) { heard = heard || e.Kind == EventMessage })
	}
	return heard
}

// meetingRole is the child's side of meeting n, between two stops; it reports what it saw.
func meetingRole(st *Store, n int, out *bufio.Writer) error {
	m := &meetings[n]
	s, err := st.OpenSession(alice)
	if err == nil && m.prepare != nil {
		err = m.prepare(st, s)
	}
	if err != nil {
		return err
	}
	sees, head := false, st.seg.Head()
	if err := betweenStops(func() (err error) { sees, err = m.run(st, s, head); return err }); err != nil {
		return err
	}
	return binary.Write(out, binary.LittleEndian, sees)
}

func TestNoWakeUpIsLost(t *testing.T) {
	if raceDetector() {
		t.Skip("the race detector's own instructions and memory are stepped through too; run it without -race")
	}
	for n := range meetings {
		t.Run(strings.ReplaceAll(meetings[n].name, " ", "-"), func(t *testing.T) {
			last := meet(t, n, -1)
			for k := range last {
				meet(t, n, k)
			}
			t.Logf("%d meetings", last+1)
		})
	}
}

// meet lets the other side come after the kth of the child's steps in this package: an instruction, or what one line of the source
// is when not all is covered. With k < 0, or if it has fewer, the other side comes when the child is about to sleep or has come
// to its end. It returns how many steps there were.
func meet(t *testing.T, n, k int) (steps int) {
	t.Helper()
	m := &meetings[n]
	scene := newCrashScene(t, LockPerAccount)
	child := traceChild(t, scene, "meeting", 0, n)
	defer child.end()
	child.runToStop()
	scene.settle()
	scene.head = scene.seg.Head()
	if m.arrange != nil {
		m.arrange(t, scene)
	}
	stopped, line := false, ""
	for steps != k && !stopped && !child.atFutexWait() {
		stopped = !child.step()
		here := child.source()
		if strings.Contains(here, "shmstore.") && (here != line || *crashFlag == "all") {
			steps++
		}
		line = here
	}
	where := fmt.Sprintf("after step %d, %s", steps, child.source())
	otherSees := m.other(t, scene)
	if !stopped {
		child.runToStop()
	}
	child.finish()
	report, err := io.ReadAll(child.out)
	if err != nil || len(report) != 1 {
		t.Fatalf("the child reports %x, %v", report, err)
	}
	if !m.told(scene, report[0] == 1, otherSees) {
		t.Fatalf("%s: the other came %s: nobody saw it (child %v, other %v)", m.name, where, report[0] == 1, otherSees)
	}
	return steps
}

// atFutexWait tells whether the next instruction may put the child to sleep.
func (c *tracedChild) atFutexWait() bool {
	c.t.Helper()
	var regs unix.PtraceRegs
	var code [2]byte
	if err := unix.PtraceGetRegs(c.pid, &regs); err != nil {
		c.t.Fatal(err)
	}
	if regs.Rax != unix.SYS_FUTEX {
		return false
	}
	const futexWait, futexCommand = 0, 0x7f
	if _, err := unix.PtracePeekText(c.pid, uintptr(regs.PC()), code[:]); err != nil {
		c.t.Fatal(err)
	}
	return code == [2]byte{0x0f, 0x05} && regs.Rsi&futexCommand == futexWait
}
