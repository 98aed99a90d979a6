package shmstore

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"tradechat.internal/libnet"
)

// These tests run the test binary again as other processes on the same segment:
// locks, death and repair are not the same between goroutines.
const (
	envRole  = "SHMSTORE_TEST_ROLE"
	envSlot  = "SHMSTORE_TEST_SLOT"
	envCount = "SHMSTORE_TEST_COUNT"
)

// Of so many transfers so many may end as busy: only a wait of LockWaitMax does, which
// takes a holder that is not run for so long.
const (
	transfersEach    = 100_000
	transfersBusyMax = transfersEach / 5000
)

// roles are what a child process can be told to do. It has the segment as descriptor
// 3 and every slot's eventfd from 4 on; it reports on stdout.
var roles = map[string]func(st *Store, n int, out *bufio.Writer) error{
	"transfer":      transferRole,
	"chat":          chatRole,
	"flood":         floodRole,
	"churn":         churnRole,
	"hold":          holdRole,
	"hold-a-log":    holdLogRole,
	"crash":         crashRole,
	"crash-frozen":  crashRole, // its heart does not beat
	"crash-repair":  crashRepairRole,
	"crash-revive":  crashReviveRole,
	"crash-restore": crashRestoreRole,
	"meeting":       meetingRole,
}

func TestMain(m *testing.M) {
	if name := os.Getenv(envRole); name != "" {
		if err := runRole(name); err != nil {
			fmt.Fprintln(os.Stderr, name, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func runRole(name string) error {
	seg, err := AttachFD(3)
	if err != nil {
		return err
	}
	slot, _ := strconv.Atoi(os.Getenv(envSlot))
	n, _ := strconv.Atoi(os.Getenv(envCount))
	st, err := seg.Bind(slot, func(s int) { _ = libnet.EventFD(4 + s).Signal() })
	if err != nil {
		return err
	}
	if name != "crash-frozen" {
		defer close(beatInBackground(st))
	}
	out := bufio.NewWriter(os.Stdout)
	if err := roles[name](st, n, out); err != nil {
		return err
	}
	st.Close()
	return out.Flush()
}

// beatInBackground shows that the process lives; roles that stop it do so on purpose.
func beatInBackground(st *Store) chan struct{} {
	stop := make(chan struct{})
	go func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(50 * time.Millisecond):
				st.slot.heartbeatNs.Store(monotonicNs())
			}
		}
	}()
	return stop
}

type child struct {
	cmd       *exec.Cmd
	out       io.Reader
	collected chan []byte // nil: nobody collects yet
}

// startChild runs role in slot of seg.
func startChild(t testing.TB, seg *Segment, events []*os.File, role string, slot, n int) *child {
	t.Helper()
	return startChildWithInput(t, seg, events, role, slot, n, nil)
}

func startChildWithInput(t testing.TB, seg *Segment, events []*os.File, role string, slot, n int, input io.Reader) *child {
	t.Helper()
	cmd := childCommand(t, seg, events, role, slot, n)
	defer cmd.ExtraFiles[0].Close()
	cmd.Stdin = input
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return &child{cmd: cmd, out: out}
}

// childCommand is this program as a child in role. The first of its extra files is the
// caller's to close once it runs.
func childCommand(t testing.TB, seg *Segment, events []*os.File, role string, slot, n int) *exec.Cmd {
	t.Helper()
	dup, err := unix.FcntlInt(uintptr(seg.FD()), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), envRole+"="+role, envSlot+"="+strconv.Itoa(slot), envCount+"="+strconv.Itoa(n))
	cmd.ExtraFiles = append([]*os.File{os.NewFile(uintptr(dup), "segment")}, events...)
	cmd.Stderr = os.Stderr
	return cmd
}

func (c *child) wait(t testing.TB) []byte {
	t.Helper()
	report := c.report()
	if err := c.cmd.Wait(); err != nil {
		t.Fatalf("child: %v", err)
	}
	return report
}

// kill ends the child and reaps it; what it had reported comes back.
func (c *child) kill(t testing.TB) []byte {
	t.Helper()
	if err := c.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	report := c.report()
	_ = c.cmd.Wait()
	return report
}

// collect reads what the child reports from now on: one that reports without end would
// stop when the pipe is full.
func (c *child) collect() *child {
	c.collected = make(chan []byte, 1)
	go func() {
		report, _ := io.ReadAll(c.out)
		c.collected <- report
	}()
	return c
}

// report is all that the child has reported and nobody has read, once it has ended.
func (c *child) report() []byte {
	if c.collected == nil {
		c.collect()
	}
	return <-c.collected
}

// newEventFDs makes one eventfd a slot.
func newEventFDs(t testing.TB, n int) (files []*os.File) {
	t.Helper()
	for range n {
		e, err := libnet.NewEventFD()
		if err != nil {
			t.Fatal(err)
		}
		f := os.NewFile(uintptr(e), "eventfd")
		t.Cleanup(func() { f.Close() })
		files = append(files, f)
	}
	return files
}
