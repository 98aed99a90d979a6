package shmstore

import (
	"bytes"
	"errors"
	"fmt"
	"hash/maphash"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
	"tradechat.internal/libnet"
)

// crashScene is a segment in which slot 0 is free for the child, slot 2 for the master,
// and bob is in room 1 by slot 1, the watcher's. The log's ring has been turned.
type crashScene struct {
	seg     *Segment
	events  []*os.File
	watcher *Store
	head    uint64 // when the child's operation began, for a meeting
}

func newCrashScene(t *testing.T, mode LockMode) *crashScene {
	t.Helper()
	shape := smallShape()
	shape.LogRecords, shape.LockMode = logRecordsMin, mode
	return newSceneOf(t, shape)
}

func newSceneOf(t *testing.T, shape Shape) *crashScene {
	t.Helper()
	scene := &crashScene{seg: newSegment(t, shape), events: newEventFDs(t, shape.Slots())}
	master := bind(t, scene.seg, 2, nil)
	for _, name := range []string{"alice", "bob", "carol"} {
		user, err := master.CreateUser([]byte(name), keyOf(oldKey), keyOf(oldKey))
		if err != nil {
			t.Fatal(err)
		}
		deposit(t, master, user, 100)
	}
	openRoom(t, master, "lobby")
	openRoom(t, master, "hall")
	for range logRecordsMin + 8 {
		deposit(t, master, carol, 1)
	}
	master.Close()
	watcher, err := scene.seg.Bind(1, scene.wake)
	if err != nil {
		t.Fatal(err)
	}
	scene.watcher = watcher
	join(t, watcher, openSession(t, watcher, bob), 1)
	return scene
}

func deposit(t *testing.T, st *Store, user uint32, amount uint64) {
	t.Helper()
	if _, err := st.DepositTo(user, amount); err != nil {
		t.Fatal(err)
	}
}

func (scene *crashScene) event(slot int) libnet.EventFD {
	return libnet.EventFD(scene.events[slot].Fd())
}

func (scene *crashScene) wake(slot int) { _ = scene.event(slot).Signal() }

// woken tells whether a slot's eventfd is readable.
func (scene *crashScene) woken(slot int) bool {
	fds := []unix.PollFd{{Fd: int32(scene.event(slot)), Events: unix.POLLIN}}
	n, _ := unix.Poll(fds, 0)
	return n == 1
}

// settle lets the watcher drain all there is, as before it sleeps.
func (scene *crashScene) settle() {
	_ = drain(scene.watcher, Session{})
	for slot := range scene.events {
		if scene.woken(slot) {
			_, _ = scene.event(slot).Drain()
		}
	}
}

// crashImage is what a kill leaves: the segment, and whether the watcher was woken.
type crashImage struct {
	seg   *Segment
	woken bool
}

// memorySegment is a segment on a copy of mem.
func memorySegment(like *Segment, mem []byte) *Segment {
	return &Segment{tables: mapTables(mem, like.shape.plan()), shape: like.shape, path: "a copy", fd: -1, mem: mem}
}

func (image *crashImage) clone() *crashImage {
	return &crashImage{memorySegment(image.seg, bytes.Clone(image.seg.mem)), image.woken}
}

// tracedChild is a child that runs when it is told to. All calls must come from the
// thread that started it.
type tracedChild struct {
	t     *testing.T
	scene *crashScene
	slot  int
	pid   int
	out   *os.File // what the child reports
	at    uintptr  // the instruction that was executed last
	last  *crashImage
	seen  map[uint64]bool
}

// traceChild starts a role under ptrace, or skips the test where that is forbidden.
func traceChild(t *testing.T, scene *crashScene, role string, slot, n int) *tracedChild {
	t.Helper()
	runtime.LockOSThread()
	cmd := childCommand(t, scene.seg, scene.events, role, slot, n)
	defer cmd.ExtraFiles[0].Close()
	// Neither a collection nor a preemption is part of the operation. Whoever returns from
	// a system call pinned must find a P, also while other goroutines run.
	cmd.Env = append(cmd.Env, "GOGC=off", "GODEBUG=asyncpreemptoff=1", "GOMAXPROCS=4")
	cmd.SysProcAttr = &syscall.SysProcAttr{Ptrace: true}
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	t.Cleanup(func() { out.Close() })
	cmd.Stdout = in
	if err := cmd.Start(); errors.Is(err, unix.EPERM) || errors.Is(err, unix.ENOSYS) {
		runtime.UnlockOSThread()
		t.Skipf("ptrace(2) is not permitted here (a container's seccomp filter, or kernel.yama.ptrace_scope=3): %v", err)
	} else if err != nil {
		t.Fatal(err)
	}
	child := newTracedChild(t, scene, slot, cmd, out)
	child.wait() // for the exec
	if err := unix.PtraceSetOptions(child.pid, unix.PTRACE_O_EXITKILL); err != nil {
		child.end()
		t.Fatal(err)
	}
	return child
}

func newTracedChild(t *testing.T, scene *crashScene, slot int, cmd *exec.Cmd, out *os.File) *tracedChild {
	mem := make([]byte, len(scene.seg.mem))
	return &tracedChild{
		t: t, scene: scene, slot: slot, pid: cmd.Process.Pid, out: out,
		last: &crashImage{seg: memorySegment(scene.seg, mem)}, seen: make(map[uint64]bool),
	}
}

// wait waits for the child to stop and returns the signal that stopped it.
func (c *tracedChild) wait() unix.Signal {
	c.t.Helper()
	var status unix.WaitStatus
	if _, err := unix.Wait4(c.pid, &status, unix.WALL, nil); err != nil {
		c.t.Fatal(err)
	}
	if !status.Stopped() {
		c.t.Fatalf("the child ended: exit %d, signal %v", status.ExitStatus(), status.Signal())
	}
	return status.StopSignal()
}

// finish lets the child run to its end, which must be a good one.
func (c *tracedChild) finish() {
	c.t.Helper()
	for deliver := unix.Signal(0); ; {
		if err := unix.PtraceCont(c.pid, int(deliver)); err != nil {
			c.t.Fatal(err)
		}
		var status unix.WaitStatus
		if _, err := unix.Wait4(c.pid, &status, unix.WALL, nil); err != nil {
			c.t.Fatal(err)
		}
		if !status.Stopped() {
			c.pid = 0
			if !status.Exited() || status.ExitStatus() != 0 {
				c.t.Fatalf("the child ended: exit %d, signal %v", status.ExitStatus(), status.Signal())
			}
			return
		}
		if deliver = status.StopSignal(); deliver == unix.SIGTRAP || deliver == unix.SIGSTOP {
			deliver = 0
		}
	}
}

// kill ends the child where it is, and reaps it.
func (c *tracedChild) kill() {
	_ = unix.Kill(c.pid, unix.SIGKILL)
	for {
		var status unix.WaitStatus
		_, err := unix.Wait4(c.pid, &status, unix.WALL, nil)
		if err == nil && (status.Exited() || status.Signaled()) || err != nil && err != unix.EINTR {
			c.pid = 0
			return
		}
	}
}

// end kills and reaps the child, unless it has ended.
func (c *tracedChild) end() {
	defer runtime.UnlockOSThread()
	if c.pid != 0 {
		c.kill()
	}
}

// runToStop lets the child run up to its next stopSelf.
func (c *tracedChild) runToStop() {
	c.t.Helper()
	for deliver := unix.Signal(0); ; {
		if err := unix.PtraceCont(c.pid, int(deliver)); err != nil {
			c.t.Fatal(err)
		}
		switch deliver = c.wait(); deliver {
		case unix.SIGSTOP:
			return
		case unix.SIGTRAP:
			deliver = 0
		}
	}
}

// eachInstruction executes the child up to its next stopSelf and visits what each instruction leaves, also the one before the
// first; known tells that the same was visited before, where after which one.
func (c *tracedChild) eachInstruction(visit func(image *crashImage, where string, known bool)) {
	c.t.Helper()
	visit(c.last, "before the first instruction", !c.changed())
	for n := 1; c.step(); n++ {
		known, where := !c.changed(), ""
		if !known {
			where = fmt.Sprintf("after instruction %d, %s", n, c.source())
		}
		visit(c.last, where, known)
	}
}

// step executes one instruction; false if it was stopSelf's.
func (c *tracedChild) step() bool {
	c.t.Helper()
	var regs unix.PtraceRegs
	if err := unix.PtraceGetRegs(c.pid, &regs); err != nil {
		c.t.Fatal(err)
	}
	c.at = uintptr(regs.PC())
	if err := unix.PtraceSingleStep(c.pid); err != nil {
		c.t.Fatal(err)
	}
	stopped := c.wait()
	if stopped != unix.SIGTRAP && stopped != unix.SIGSTOP && stopped != unix.SIGURG {
		c.t.Fatalf("the child got %v at %s", stopped, c.source())
	}
	return stopped != unix.SIGSTOP
}

// source is where the last instruction comes from. Parent and child are one program.
func (c *tracedChild) source() string {
	f := runtime.FuncForPC(c.at)
	if f == nil {
		return fmt.Sprintf("at %#x", c.at)
	}
	file, line := f.FileLine(c.at)
	return fmt.Sprintf("%s:%d, %s", filepath.Base(file), line, filepath.Base(f.Name()))
}

// changed brings last up to date and tells whether it is a state that was not seen yet.
// The heart of the child beats beside and is no part of it.
func (c *tracedChild) changed() bool {
	heart := &c.last.seg.slots[c.slot].heartbeatNs
	heart.Store(c.scene.seg.slots[c.slot].heartbeatNs.Load())
	woken := c.scene.woken(1)
	if len(c.seen) != 0 && woken == c.last.woken && bytes.Equal(c.last.seg.mem, c.scene.seg.mem) {
		return false
	}
	copy(c.last.seg.mem, c.scene.seg.mem)
	c.last.woken = woken
	heart.Store(0)
	key := maphash.Bytes(crashSeed, c.last.seg.mem)
	if woken {
		key++
	}
	known := c.seen[key]
	c.seen[key] = true
	return !known
}

var crashSeed = maphash.MakeSeed()
