package worker

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"tradechat.internal/libproto"
	"tradechat.internal/server/internal/config"
	"tradechat.internal/shmstore"
)

// Some tests need a worker in a process of its own, because they end it or take its descriptors away. The process is
// this test binary, which TestChild makes a worker:
//
//	test ── starts ──▶ child: -test.run=^TestChild$, childVariable=mode
//	     ◀── "addr HOST:PORT" on stdout
//	     ── closes stdin, or sends a signal ──▶ ends

const childVariable = "WORKER_TEST_CHILD"

// What a child does.
const (
	modeServe       = "serve"     // Run, with two users of whom alice is rich
	modeEcho        = "echo"      // no worker, but a bare echo for comparison
	modePanic       = "panic"     // HEARTBEAT panics
	modeFew         = "few"       // few descriptors from the start
	modeExhausted   = "exhausted" // no more descriptors once it runs
	childNOFILE     = 120         // RLIMIT_NOFILE of modeFew
	childSpareFiles = 10          // descriptors that modeExhausted has left
)

// TestChild is no test but the child's main.
func TestChild(t *testing.T) {
	mode := os.Getenv(childVariable)
	if mode == "" {
		t.Skip("is the main of child processes")
	}
	switch mode {
	case modeEcho:
		serveEcho(t)
		return
	case modeFew:
		limitFiles(t, childNOFILE)
	}
	c := newCluster(t, func(s *config.Config) { s.SessionsMax = 16 << 10 })
	c.addUser("alice", 1<<40)
	c.addUser("bob", 0)
	if mode == modeServe {
		c.runProcess()
		return
	}
	w := c.startWorker(0)
	switch mode {
	case modePanic:
		i, _ := libproto.OpHeartbeat.Index()
		w.handlers[i] = func(*Worker, *request) { panic("a fault of ours") }
	case modeExhausted:
		entries, err := os.ReadDir("/proc/self/fd")
		must(t, err)
		limitFiles(t, uint64(len(entries)+childSpareFiles))
	}
	fmt.Println("addr", w.addr)
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// runProcess is Run, with this process being the whole worker.
func (c *cluster) runProcess() {
	r, ready := c.newWorker(0)
	r.store.Close() // Run makes a worker of its own of the same heritage
	must(c.t, r.gate.listener.Close())
	segmentFD, err := unix.Dup(c.segment.FD())
	must(c.t, err)
	r.heritage.SegmentFD = segmentFD
	go func() {
		if n, _ := unix.Read(ready, make([]byte, 1)); n == 1 {
			fmt.Println("addr", r.addr)
		}
	}()
	must(c.t, Run(r.heritage, testLog(c.t)))
	if state := c.segment.SlotInfo(0).State; state != shmstore.SlotFree {
		c.t.Errorf("slot %v", state)
	}
}

func limitFiles(t *testing.T, n uint64) {
	t.Helper()
	must(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: n, Max: n}))
}

// child is the parent's side.
type child struct {
	t      testing.TB
	cmd    *exec.Cmd
	stdin  io.Closer
	addr   string
	output *lockedBuffer
}

// lockedBuffer collects what a process writes.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func startChild(t testing.TB, mode string) *child {
	t.Helper()
	c := &child{t: t, cmd: exec.Command(os.Args[0], "-test.run=^TestChild$", "-test.v"), output: new(lockedBuffer)}
	c.cmd.Env = append(os.Environ(), childVariable+"="+mode)
	stdin, err := c.cmd.StdinPipe()
	must(t, err)
	c.stdin = stdin
	stdout, err := c.cmd.StdoutPipe()
	must(t, err)
	c.cmd.Stderr = c.output
	must(t, c.cmd.Start())
	t.Cleanup(func() { _ = c.cmd.Process.Kill() })
	lines := bufio.NewScanner(io.TeeReader(stdout, c.output))
	for c.addr == "" && lines.Scan() {
		c.addr, _ = strings.CutPrefix(lines.Text(), "addr ")
		if !strings.Contains(lines.Text(), "addr ") {
			c.addr = ""
		}
	}
	if c.addr == "" {
		t.Fatalf("the child did not start: %s", c.output)
	}
	go func() { _, _ = io.Copy(c.output, stdout) }()
	return c
}

// end waits for the child's end and returns its exit status.
func (c *child) end() int {
	c.t.Helper()
	late := time.AfterFunc(patience, func() { _ = c.cmd.Process.Kill() })
	defer late.Stop()
	_ = c.cmd.Wait()
	return c.cmd.ProcessState.ExitCode()
}

func TestPanicEndsTheProcess(t *testing.T) {
	c := startChild(t, modePanic)
	p := dial(t, c.addr)
	p.hello()
	p.write(p.request(libproto.OpHeartbeat, libproto.HeartbeatRequest{}))
	if status := c.end(); status != exitPanic {
		t.Errorf("exit status %d", status)
	}
	for _, want := range []string{"a fault of ours", "HEARTBEAT", "process_test.go"} {
		if !strings.Contains(c.output.String(), want) {
			t.Errorf("the log does not say %q: %s", want, c.output)
		}
	}
}

func TestTerminationSignal(t *testing.T) {
	c := startChild(t, modeServe)
	p := dial(t, c.addr)
	p.login("alice")
	must(t, c.cmd.Process.Signal(syscall.SIGTERM))
	p.wentAway(libproto.GoingAwayShutdown)
	p.call(libproto.OpBalance, libproto.Empty{})
	_ = p.socket.Close()
	if status := c.end(); status != 0 {
		t.Errorf("exit status %d: %s", status, c.output)
	}
}

// TestMoreConnectionsThanAllowed: those over the limit are told and closed, the others do not notice, and room that is
// given up is used again.
func TestMoreConnectionsThanAllowed(t *testing.T) {
	c := startChild(t, modeFew)
	const allowed = childNOFILE - spareDescriptors - 2 // and two eventfds
	var in []*peer
	for range allowed {
		p := dial(t, c.addr)
		p.hello()
		in = append(in, p)
	}
	for range 20 {
		dial(t, c.addr).goingAway(libproto.GoingAwayShutdown)
	}
	for _, p := range in {
		p.call(libproto.OpHeartbeat, libproto.HeartbeatRequest{})
	}
	_ = in[0].socket.Close()
	await(t, "room for one more", func() bool { return dial(t, c.addr).admitted() })
}

// admitted reports whether a HELLO is answered.
func (p *peer) admitted() bool {
	hello := p.request(libproto.OpHello, libproto.HelloRequest{VersionMin: 1, VersionMax: 1})
	if _, err := p.socket.Write(hello); err != nil {
		return false
	}
	f, err := p.next()
	return err == nil && f.Op == libproto.OpHello
}

// TestOutOfDescriptors: accept itself fails with EMFILE. Nobody is left waiting, the worker neither ends nor spins.
func TestOutOfDescriptors(t *testing.T) {
	c := startChild(t, modeExhausted)
	var in []*peer
	refused := 0
	for range 60 {
		if p := dial(t, c.addr); p.admitted() {
			in = append(in, p)
		} else {
			refused++
		}
	}
	if len(in) < childSpareFiles/2 || refused < 40 {
		t.Errorf("%d admitted, %d refused", len(in), refused)
	}
	for _, p := range in {
		p.call(libproto.OpHeartbeat, libproto.HeartbeatRequest{})
	}
	if n := strings.Count(c.output.String(), `"level":"warn"`); n == 0 || n > 20 {
		t.Errorf("%d warnings: %s", n, c.output)
	}
	for _, p := range in {
		_ = p.socket.Close()
	}
	await(t, "room again", func() bool { return dial(t, c.addr).admitted() })
	must(t, c.stdin.Close())
	if status := c.end(); status != 0 {
		t.Errorf("exit status %d: %s", status, c.output)
	}
}
