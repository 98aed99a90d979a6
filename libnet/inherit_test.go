package libnet

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// children are what this binary can be when a test executes it again; each gets a listening socket as its first
// inherited descriptor and the writing end of a pipe as its second.
var children = map[string]func() error{
	"serve one":    serveOne,
	"accept never": acceptNever,
	"list files":   listFiles,
}

// serveOne answers one connection with its process id.
func serveOne() error {
	l, err := inheritedListener()
	if err != nil {
		return err
	}
	conn, err := l.Accept()
	if err != nil {
		return err
	}
	fmt.Fprintf(conn, "%d", os.Getpid())
	return conn.Close()
}

// acceptNever holds the socket, says so on the pipe, and waits to be killed.
func acceptNever() error {
	if _, err := inheritedListener(); err != nil {
		return err
	}
	if err := report("holding"); err != nil {
		return err
	}
	for {
		_, _ = unix.Poll(nil, -1)
	}
}

// listFiles reports the inherited descriptors' close-on-exec flags and what all descriptors point to.
func listFiles() error {
	var lines []string
	for i := range 2 {
		fd, err := Inherited(i)
		if err != nil {
			return err
		}
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		if err != nil {
			return err
		}
		lines = append(lines, fmt.Sprintf("cloexec %d", flags&unix.FD_CLOEXEC))
	}
	open, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		return err
	}
	for _, name := range open {
		// The descriptor of the listing itself is gone by now.
		if target, err := os.Readlink(name); err == nil {
			lines = append(lines, target)
		}
	}
	return report(strings.Join(lines, "\n"))
}

func inheritedListener() (net.Listener, error) {
	fd, err := Inherited(0)
	if err != nil {
		return nil, err
	}
	return ListenerFromFD(fd)
}

func report(text string) error {
	fd, err := Inherited(1)
	if err != nil {
		return err
	}
	pipe := os.NewFile(uintptr(fd), "report")
	defer pipe.Close()
	_, err = pipe.WriteString(text)
	return err
}

type testChild struct {
	Child
	report *os.File
}

// startChild executes this binary again as the named child with the socket and a report pipe.
func startChild(t *testing.T, name string, s *Socket) testChild {
	t.Helper()
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	child, err := Spawn{
		Path: "/proc/self/exe", Args: []string{"child"}, Env: append(os.Environ(), childEnv+"="+name),
		Stdio: [3]int{0, 1, 2}, Inherit: []int{s.FD(), pipe[1]},
		Attr: syscall.SysProcAttr{Setpgid: true},
	}.Start()
	_ = unix.Close(pipe[1])
	if err != nil {
		t.Fatal(err)
	}
	if child.PidFD >= 0 {
		closeAtEnd(t, child.PidFD)
	}
	reader := os.NewFile(uintptr(pipe[0]), "report")
	t.Cleanup(func() { _ = reader.Close() })
	return testChild{child, reader}
}

func (c testChild) reap(t *testing.T) unix.WaitStatus {
	t.Helper()
	var status unix.WaitStatus
	for {
		_, err := unix.Wait4(c.PID, &status, 0, nil)
		if err == nil {
			return status
		}
		if err != unix.EINTR {
			t.Fatal(err)
		}
	}
}

func TestChildServesTheInheritedSocket(t *testing.T) {
	s := listenLoopback(t, 1, ListenOptions{})[0]
	conn := dialTCP(t, s.Addr().String())
	child := startChild(t, "serve one", s)
	answer := must(io.ReadAll(conn))(t)
	if status := child.reap(t); status.ExitStatus() != 0 {
		t.Fatalf("child's status %v, want exit 0", status)
	}
	if string(answer) != fmt.Sprint(child.PID) {
		t.Errorf("served by %q, want %d", answer, child.PID)
	}
	if child.PidFD < 0 {
		t.Errorf("no pidfd from this kernel")
	}
}

func TestConnectionsQueuedOnADeadChildWaitForItsSuccessor(t *testing.T) {
	s := listenLoopback(t, 1, ListenOptions{})[0]
	first := startChild(t, "accept never", s)
	conn := dialTCP(t, s.Addr().String())
	if text := must(io.ReadAll(first.report))(t); string(text) != "holding" {
		t.Fatalf("first child said %q, want \"holding\"", text)
	}
	if err := unix.Kill(first.PID, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if status := first.reap(t); status.Signal() != unix.SIGKILL {
		t.Fatalf("first child's status %v, want SIGKILL", status)
	}
	second := startChild(t, "serve one", s)
	answer := must(io.ReadAll(conn))(t)
	second.reap(t)
	if string(answer) != fmt.Sprint(second.PID) {
		t.Errorf("served by %q, want the successor %d", answer, second.PID)
	}
}

func TestChildInheritsWhatIsListedAndNothingElse(t *testing.T) {
	group := listenLoopback(t, 2, ListenOptions{})
	child := startChild(t, "list files", group[0])
	text := string(must(io.ReadAll(child.report))(t))
	child.reap(t)
	if n := strings.Count(text, "cloexec 1"); n != 2 {
		t.Errorf("%d inherited descriptors are close-on-exec in the child, want 2:\n%s", n, text)
	}
	listed, other := socketName(t, group[0]), socketName(t, group[1])
	if !strings.Contains(text, listed) || strings.Contains(text, other) {
		t.Errorf("child has\n%s\nwant %s and not %s", text, listed, other)
	}
}

func socketName(t *testing.T, s *Socket) string {
	t.Helper()
	return must(os.Readlink(fmt.Sprintf("/proc/self/fd/%d", s.FD())))(t)
}

func TestSpawnErrors(t *testing.T) {
	_, err := Spawn{Path: "/does/not/exist", Args: []string{"x"}}.Start()
	if !errors.Is(err, unix.ENOENT) || !strings.Contains(err.Error(), "/does/not/exist") {
		t.Errorf("missing executable: %v, want ENOENT that names it", err)
	}
	_, err = Spawn{Path: "/proc/self/exe", Inherit: make([]int, InheritedMax+1)}.Start()
	if !errors.Is(err, ErrLimit) {
		t.Errorf("too many descriptors: %v, want ErrLimit", err)
	}
}

func TestInheritedErrors(t *testing.T) {
	for _, i := range []int{-1, InheritedMax} {
		if _, err := Inherited(i); !errors.Is(err, ErrLimit) {
			t.Errorf("Inherited(%d): %v, want ErrLimit", i, err)
		}
	}
	last := InheritedMax - 1
	if _, err := unix.FcntlInt(uintptr(InheritedFirst+last), unix.F_GETFD, 0); err == nil {
		t.Skipf("descriptor %d is open in this process", InheritedFirst+last)
	}
	if _, err := Inherited(last); !errors.Is(err, ErrNotInherited) || !errors.Is(err, unix.EBADF) {
		t.Errorf("Inherited(%d): %v, want ErrNotInherited and EBADF", last, err)
	}
}

func TestListenerFromFDLeavesTheDescriptorToItsOwner(t *testing.T) {
	s := listenLoopback(t, 1, ListenOptions{})[0]
	for range 2 {
		l := must(ListenerFromFD(s.FD()))(t)
		conn := dialTCP(t, l.Addr().String())
		must(l.Accept())(t).Close()
		must(io.ReadAll(conn))(t)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		flags := must(unix.FcntlInt(uintptr(s.FD()), unix.F_GETFL, 0))(t)
		if flags&unix.O_NONBLOCK == 0 {
			t.Fatal("the shared description has become blocking")
		}
	}
}

func TestListenerFromFDErrors(t *testing.T) {
	event := must(NewEventFD())(t)
	defer event.Close()
	fresh := must(unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0))(t)
	closeAtEnd(t, fresh)
	for name, fd := range map[string]int{"closed": -1, "eventfd": int(event), "socket that does not listen": fresh} {
		if _, err := ListenerFromFD(fd); !errors.Is(err, ErrNotListening) {
			t.Errorf("%s: %v, want ErrNotListening", name, err)
		}
	}
}
