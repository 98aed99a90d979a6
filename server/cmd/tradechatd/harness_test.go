package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"tradechat.internal/libproto"
	"tradechat.internal/libproto/serverstats"
	"tradechat.internal/server/internal/heritage"
	"tradechat.internal/shmstore"
)

// The test binary is also the server: with actVariable set it becomes one, after it has changed what the value asks for.
const (
	actVariable = "TRADECHATD_TEST_ACT"
	actServer   = "server"
	actNoRoom   = "server-in-small-shm"   // /dev/shm of its own with 8 MiB
	actNoFiles  = "server-without-files"  // RLIMIT_NOFILE too low for a worker
	actNoSize   = "server-with-file-size" // RLIMIT_FSIZE below the segment's size

	actNotPossible = 77 // exit code: this machine does not allow it
)

// quickRaceExit spares a process that was built with -race the second that it else waits at its end.
const quickRaceExit = "GORACE=atexit_sleep_ms=0"

// patience bounds every wait of these tests; a passing test never comes near it.
const patience = 30 * time.Second

func TestMain(m *testing.M) {
	if heritage.Inherited() {
		os.Exit(runChild())
	}
	if act := os.Getenv(actVariable); act != "" {
		os.Exit(actMain(act))
	}
	os.Exit(m.Run())
}

func actMain(act string) int {
	os.Unsetenv(actVariable)
	switch act {
	case actNoRoom:
		if err := smallShm(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return actNotPossible
		}
	case actNoFiles:
		limit(unix.RLIMIT_NOFILE, 60)
	case actNoSize:
		limit(unix.RLIMIT_FSIZE, 1<<20)
	}
	return runMaster(os.Args[1:], os.Stdout, os.Stderr)
}

// smallShm gives this thread a /dev/shm of its own. The thread then executes this binary again, so that all of the
// process is in there.
func smallShm() error {
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return err
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	if err := unix.Mount("tmpfs", "/dev/shm", "tmpfs", 0, "size=8m"); err != nil {
		return err
	}
	return unix.Exec("/proc/self/exe", os.Args, append(os.Environ(), actVariable+"="+actServer))
}

func limit(resource int, n uint64) {
	if err := unix.Setrlimit(resource, &unix.Rlimit{Cur: n, Max: n}); err != nil {
		panic(err)
	}
}

// logLine is one line of the log.
type logLine struct {
	Role    string          `json:"role"`
	Message string          `json:"message"`
	Slot    int             `json:"slot"`
	PID     int             `json:"child_pid"`
	How     string          `json:"how"`
	Killed  string          `json:"killed_because"`
	Signal  string          `json:"signal"`
	Users   int             `json:"users"`
	Stats   json.RawMessage `json:"stats"`
}

// server is a running tradechatd.
type server struct {
	t       *testing.T
	cmd     *exec.Cmd
	data    string
	program string // empty: this test binary
	shm     string // path of its segment, once it is ready
	address string
	stdout  chan string
	log     chan logLine
	waited  chan struct{} // closed once the master was reaped

	mu    sync.Mutex
	notes strings.Builder // all of stderr, for the report of a failure
	pids  map[int]int     // of the latest process of each slot that accepted
}

// newServer prepares a server on a folder of its own.
func newServer(t *testing.T) *server {
	s := &server{t: t, data: filepath.Join(t.TempDir(), "data"), pids: map[int]int{}}
	t.Cleanup(func() {
		if path := s.segmentNow(); path != "" {
			os.Remove(path)
		}
	})
	return s
}

// segmentNow is the path of the segment that the data folder names, empty if it names none.
func (s *server) segmentNow() string {
	name, err := os.ReadFile(filepath.Join(s.data, "segment"))
	if err != nil {
		return ""
	}
	return filepath.Join(shmstore.Folder, strings.TrimSpace(string(name)))
}

// successor is another run of the same server.
func (s *server) successor() *server {
	return &server{t: s.t, data: s.data, shm: s.shm, pids: map[int]int{}}
}

func (s *server) start(args ...string) *server {
	s.t.Helper()
	return s.launch(actServer, nil, args...)
}

func (s *server) launch(act string, adjust func(*exec.Cmd), args ...string) *server {
	s.t.Helper()
	args = append([]string{"--listen=127.0.0.1:0", "--workers=2", "--log-format=json", "--log-level=debug", "--stats-every=0",
		"--kdf-iterations=4096", "--journal-file=2", "--data=" + s.data}, args...)
	s.cmd = exec.Command(cmp.Or(s.program, "/proc/self/exe"), args...)
	s.cmd.Env = append(os.Environ(), actVariable+"="+act, quickRaceExit)
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	s.stdout, s.log, s.waited = make(chan string, 100), make(chan logLine, 10000), make(chan struct{})
	s.cmd.Stdout = s.pipe(func(line string) { s.stdout <- line }, func() { close(s.stdout) })
	s.cmd.Stderr = s.pipe(s.onLog, func() { close(s.log) })
	if adjust != nil {
		adjust(s.cmd)
	}
	check(s.t, s.cmd.Start())
	s.cmd.Stdout.(*os.File).Close()
	s.cmd.Stderr.(*os.File).Close()
	go func() {
		_ = s.cmd.Wait()
		close(s.waited)
	}()
	s.t.Cleanup(s.cleanUp)
	return s
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// pipe is a pipe's write end whose lines go to each.
func (s *server) pipe(each func(string), end func()) *os.File {
	s.t.Helper()
	read, write, err := os.Pipe()
	check(s.t, err)
	go func() {
		defer read.Close()
		defer end()
		lines := bufio.NewScanner(read)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			each(lines.Text())
		}
	}()
	return write
}

func (s *server) onLog(text string) {
	var line logLine
	_ = json.Unmarshal([]byte(text), &line)
	s.mu.Lock()
	s.notes.WriteString(text + "\n")
	if line.Message == "worker accepts" {
		s.pids[line.Slot] = line.PID
	}
	s.mu.Unlock()
	s.log <- line
}

func (s *server) cleanUp() {
	_ = s.cmd.Process.Kill()
	<-s.waited
	if s.t.Failed() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.t.Logf("stderr of %d:\n%s", s.cmd.Process.Pid, s.notes.String())
	}
}

func (s *server) stderr() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.notes.String()
}

// pid is the process of a slot that accepted last, as far as the log has been read.
func (s *server) pid(slot int) int {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	pid, known := s.pids[slot]
	if !known {
		s.t.Fatalf("no process of slot %d is known", slot)
	}
	return pid
}

// line is the next line on stdout; io.EOF is an empty one.
func (s *server) line() string {
	s.t.Helper()
	select {
	case line := <-s.stdout:
		return line
	case <-time.After(patience):
		s.t.Fatal("nothing on stdout")
		return ""
	}
}

// ready waits for the ready line, and for the log to have come as far.
func (s *server) ready() *server {
	s.t.Helper()
	s.readyLine()
	s.awaitMessage("ready")
	return s
}

func (s *server) readyLine() {
	s.t.Helper()
	line := s.line()
	address, found := strings.CutPrefix(line, "ready ")
	if _, _, err := net.SplitHostPort(address); !found || err != nil {
		s.t.Fatalf("stdout begins with %q, want ready HOST:PORT", line)
	}
	s.address, s.shm = address, s.segmentNow()
}

// await takes log lines until one is as wanted.
func (s *server) await(what string, wanted func(logLine) bool) logLine {
	s.t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case line, open := <-s.log:
			if !open {
				s.t.Fatalf("the log ended before: %s", what)
			}
			if wanted(line) {
				return line
			}
		case <-deadline:
			s.t.Fatalf("not logged: %s", what)
		}
	}
}

func (s *server) awaitMessage(message string) logLine {
	s.t.Helper()
	return s.await(message, func(l logLine) bool { return l.Message == message })
}

func (s *server) signal(sig syscall.Signal) {
	s.t.Helper()
	check(s.t, s.cmd.Process.Signal(sig))
}

// exit waits for the master's end and returns its exit code, -1 if a signal killed it.
func (s *server) exit() int {
	s.t.Helper()
	select {
	case <-s.waited:
		return s.cmd.ProcessState.ExitCode()
	case <-time.After(patience):
		s.t.Fatal("the server does not end")
		return -1
	}
}

// refused checks that the start failed with the exit code, said why on stderr, and left nothing.
func (s *server) refused(code int, why ...string) {
	s.t.Helper()
	if got := s.exit(); got != code {
		s.t.Errorf("exit code %d, want %d", got, code)
	}
	for range s.log { // to its end
	}
	last := s.stderr()
	if i := strings.LastIndex(last, "tradechatd: "); i >= 0 {
		last = last[i:]
	}
	for _, part := range why {
		if !strings.Contains(last, part) {
			s.t.Errorf("message %q lacks %q", last, part)
		}
	}
	if line := s.line(); line != "" {
		s.t.Errorf("stdout has %q", line)
	}
}

// stopped checks that a signal's end was a good one.
func (s *server) stopped() {
	s.t.Helper()
	if line := s.line(); !strings.HasPrefix(line, "audit ok: ") {
		s.t.Errorf("stdout has %q, want the audit line", line)
	}
	if code := s.exit(); code != 0 {
		s.t.Errorf("exit code %d", code)
	}
	if line := s.line(); line != "" {
		s.t.Errorf("stdout goes on with %q", line)
	}
	s.gone()
}

// gone checks that the run left nothing but the data folder.
func (s *server) gone() {
	s.t.Helper()
	for _, path := range []string{s.shm, filepath.Join(s.data, "admin.sock"), filepath.Join(s.data, "segment")} {
		if path == "" {
			continue
		}
		if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
			s.t.Errorf("%s is left (%v)", path, err)
		}
	}
}

// admin asks one thing on the admin socket.
func (s *server) admin(op libproto.Opcode, body libproto.Body) libproto.Frame {
	s.t.Helper()
	return s.ask("unix", filepath.Join(s.data, "admin.sock"), op, body)
}

// ask sends one request on a new connection and returns the answer.
func (s *server) ask(network, address string, op libproto.Opcode, body libproto.Body) libproto.Frame {
	s.t.Helper()
	conn, err := net.DialTimeout(network, address, patience)
	check(s.t, err)
	defer conn.Close()
	check(s.t, conn.SetDeadline(time.Now().Add(patience)))
	_, err = conn.Write(libproto.AppendFrame(nil, libproto.Header{Op: op, ReqID: 1}, body))
	check(s.t, err)
	in, decoder := []byte(nil), libproto.Decoder{BodyLenMax: 1 << 17}
	for {
		frame, n, err := decoder.Next(in)
		check(s.t, err)
		if n > 0 {
			return frame
		}
		part := make([]byte, 1<<16)
		n, err = conn.Read(part)
		if err == io.EOF {
			s.t.Fatalf("%v: closed without an answer", op)
		}
		check(s.t, err)
		in = append(in, part[:n]...)
	}
}

func (s *server) stats() serverstats.Report {
	s.t.Helper()
	var response libproto.ServerStatsResponse
	check(s.t, response.Decode(s.admin(libproto.OpServerStats, libproto.Empty{}).Body))
	var report serverstats.Report
	check(s.t, json.Unmarshal(response.JSON, &report))
	return report
}

// addUser adds a user with money.
func (s *server) addUser(name string, deposit uint64) {
	s.t.Helper()
	frame := s.admin(libproto.OpUserAdd, libproto.UserAddRequest{Username: []byte(name), OpeningDeposit: deposit})
	if frame.Status != libproto.StatusOK {
		s.t.Fatalf("USER_ADD %s: %v", name, frame.Status)
	}
}

// hello opens a connection for one HELLO: a worker serves.
func (s *server) hello() {
	s.t.Helper()
	frame := s.ask("tcp", s.address, libproto.OpHello, libproto.HelloRequest{VersionMin: 1, VersionMax: 1})
	if frame.Status != libproto.StatusOK {
		s.t.Fatalf("HELLO: %v", frame.Status)
	}
}

// watchEnds returns a function that waits until all those processes have ended and says how long that took from now on.
func watchEnds(t *testing.T, pids ...int) func() time.Duration {
	t.Helper()
	var fds []int
	for _, pid := range pids {
		fd, err := unix.PidfdOpen(pid, 0)
		check(t, err)
		t.Cleanup(func() { unix.Close(fd) })
		fds = append(fds, fd)
	}
	begin := time.Now()
	return func() time.Duration {
		for i, fd := range fds {
			if !readable(t, fd) {
				t.Fatal("process " + strconv.Itoa(pids[i]) + " does not end")
			}
		}
		return time.Since(begin)
	}
}

func readable(t *testing.T, fd int) bool {
	t.Helper()
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(patience.Milliseconds()))
		if err != unix.EINTR {
			check(t, err)
			return n == 1
		}
	}
}
