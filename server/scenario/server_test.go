package scenario

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"tradechat.internal/server/internal/config"
)

// server is a tradechatd that said that it is ready.
type server struct {
	*process
	world     *world
	address   string
	workers   []workerProcess // by slot, as last remembered
	logWriter workerProcess   // likewise
}

// launchRequest is how a script wants a server started.
type launchRequest struct {
	under string // shell command that comes first, in the same process
	alone bool   // in a mount namespace of its own
	flags []string
}

func cmdServer(ts *testscript.TestScript, w *world, args []string) {
	in := &words{ts, args}
	switch verb := in.next("start, refuse, stop, signal, killed, forgets, ends, logs or left"); verb {
	case "start":
		w.start(ts, parseLaunch(in))
	case "refuse":
		w.refuse(ts, in.next("exit code"), parseLaunch(in))
	case "stop":
		in.end()
		w.stop(ts)
	case "signal":
		ts.Check(w.running(ts).signal(in.next("signal")))
		in.end()
	case "killed":
		in.end()
		ts.Check(w.kill(ts))
	case "forgets":
		in.end()
		ts.Check(os.Remove(w.segmentPath()))
	case "ends":
		w.ends(ts, in.next("exit code or signal"), in.within())
		in.end()
	case "logs":
		ts.Check(w.running(ts).logs(in.next("pattern")))
		in.end()
	case "left":
		w.left(ts, in.next("nothing or segment"))
		in.end()
	default:
		ts.Fatalf("server %s: no such verb", verb)
	}
}

func parseLaunch(in *words) (r launchRequest) {
	r.alone = in.skip("alone")
	if in.skip("under") {
		r.under = in.next("shell command")
	}
	r.flags = in.rest
	return r
}

// launch starts a tradechatd of this world. Its flags may be overridden by those of the script, which come last.
func (w *world) launch(r launchRequest) (*process, error) {
	args := append([]string{
		"--listen=127.0.0.1:0", "--workers=2", "--data=" + w.data, "--registration=open",
		"--kdf-iterations=4096", "--journal-file=2", "--log-format=json", "--stats-every=0",
	}, r.flags...)
	program := filepath.Join(binFolder, "tradechatd")
	cmd := exec.Command(program, args...)
	if r.under != "" {
		cmd = exec.Command("/bin/sh", append([]string{"-c", r.under + ` && exec "$0" "$@"`, program}, args...)...)
	}
	cmd.Dir = w.work
	cmd.Env = withoutSettings(os.Environ())
	if r.alone {
		cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	}
	return launch(cmd)
}

// withoutSettings drops what would configure a server behind the script's back.
func withoutSettings(environ []string) (kept []string) {
	for _, entry := range environ {
		if !strings.HasPrefix(entry, config.EnvPrefix) {
			kept = append(kept, entry)
		}
	}
	return kept
}

// start waits for the ready line. Users and rooms are those of earlier runs on the same folder, with the same ids.
func (w *world) start(ts *testscript.TestScript, r launchRequest) {
	if w.server != nil && w.server.alive() {
		ts.Fatalf("the server runs already")
	}
	ts.Check(w.startServer(r))
	ts.Setenv("SERVER", w.server.address)
	ts.Setenv("SEGMENT", w.segmentPath())
	ts.Setenv("TRADECHAT_SERVER", w.server.address)
}

func (w *world) startServer(r launchRequest) error {
	if w.server != nil {
		w.server.destroy()
	}
	p, err := w.launch(r)
	if err != nil {
		return err
	}
	w.server = &server{process: p, world: w, logWriter: workerProcess{fd: -1}}
	if err := await("ready line", func() bool { return strings.Contains(p.stdout.String(), "\n") || !p.alive() }); err != nil {
		return err
	}
	line, _, _ := strings.Cut(p.stdout.String(), "\n")
	address, found := strings.CutPrefix(line, "ready ")
	if _, _, err := net.SplitHostPort(address); !found || err != nil {
		return fmt.Errorf("stdout begins with %q, not with ready HOST:PORT; stderr:\n%s", line, p.stderr.whole())
	}
	w.server.address = address
	w.learnSegment()
	return w.server.remember()
}

// refuse starts a server that must give up.
func (w *world) refuse(ts *testscript.TestScript, code string, r launchRequest) {
	p, err := w.launch(r)
	ts.Check(err)
	how, err := p.end(0)
	if err != nil {
		_ = p.cmd.Process.Kill()
		ts.Fatalf("%v; stdout:\n%s\nstderr:\n%s", err, p.stdout.String(), p.stderr.String())
	}
	p.show(ts)
	if how != code {
		ts.Fatalf("the server ended with %s, not with %s", how, code)
	}
}

// show makes what the process wrote the subject of the next stdout and stderr commands.
func (p *process) show(ts *testscript.TestScript) {
	fmt.Fprint(ts.Stdout(), p.stdout.whole())
	fmt.Fprint(ts.Stderr(), p.stderr.whole())
}

// stop is the usual end: interrupted, it must end well and leave nothing. Its sessions do what well-behaved clients do:
// they hang up once they have read what there was, and are gone.
func (w *world) stop(ts *testscript.TestScript) {
	s := w.running(ts)
	ts.Check(s.signal("INT"))
	sessions := slices.AppendSeq(w.crowd, maps.Values(w.sessions))
	ts.Check(together(sessions, (*session).finish))
	clear(w.sessions)
	w.crowd = nil
	w.ends(ts, "0", 0)
	if last := lastLine(s.stdout.String()); !strings.HasPrefix(last, "audit ok: ") {
		ts.Fatalf("the last line on stdout is %q, not the audit's", last)
	}
	w.left(ts, "nothing")
}

// kill ends all processes of the server at once, as the kernel does when memory runs out: the master, stopped first so
// that it repairs nothing any more, the journal and the workers. Its connections are gone.
func (w *world) kill(ts *testscript.TestScript) error {
	s := w.running(ts)
	if err := s.killEverything(); err != nil {
		return err
	}
	for _, session := range w.sessions {
		session.hangUp()
	}
	clear(w.sessions)
	return nil
}

func (s *server) killEverything() error {
	if err := s.signal("STOP"); err != nil {
		return err
	}
	children := s.children()
	for _, child := range children {
		child.kill()
	}
	_ = s.cmd.Process.Kill()
	<-s.ended
	for _, child := range children {
		if !child.gone(patience) {
			return fmt.Errorf("%w: end of a killed process", errPatience)
		}
		child.close()
	}
	return nil
}

func lastLine(text string) string {
	text = strings.TrimSuffix(text, "\n")
	return text[strings.LastIndexByte(text, '\n')+1:]
}

func (w *world) ends(ts *testscript.TestScript, want string, within time.Duration) {
	s := w.running(ts)
	how, err := s.end(within)
	ts.Check(err)
	s.showWithoutWorkers(ts)
	if how != want {
		ts.Fatalf("the server ended with %s, not with %s", how, want)
	}
	if strings.Contains(s.stderr.String(), "DATA RACE") {
		ts.Fatalf("the race detector found something")
	}
}

// showWithoutWorkers is show for a master whose workers may live, and hold its stderr, a little longer.
func (s *server) showWithoutWorkers(ts *testscript.TestScript) {
	fmt.Fprint(ts.Stdout(), s.stdout.whole())
	fmt.Fprint(ts.Stderr(), s.stderr.String())
}

// left checks what there is of the segment and the admin socket.
func (w *world) left(ts *testscript.TestScript, what string) {
	exists := func(path string) bool {
		_, err := os.Lstat(path)
		return !errors.Is(err, fs.ErrNotExist)
	}
	w.learnSegment()
	segment, socket := w.segment != "" && exists(w.segmentPath()), exists(filepath.Join(w.data, "admin.sock"))
	switch {
	case what == "nothing" && (segment || socket):
		ts.Fatalf("left: segment %v, admin socket %v", segment, socket)
	case what == "segment" && !segment:
		ts.Fatalf("%s is not there", w.segmentPath())
	case what != "nothing" && what != "segment":
		ts.Fatalf("server left %s: nothing or segment", what)
	}
}

// destroy ends every process of the server, however far it has come: first its children are noted, since a stopped one
// would never see that the master is gone.
func (s *server) destroy() {
	children := s.children()
	_ = s.cmd.Process.Kill()
	<-s.ended
	for _, child := range children {
		child.kill()
		child.close()
	}
	for _, w := range append(s.workers, s.logWriter) {
		w.fd.kill()
		w.fd.close()
	}
	s.workers, s.logWriter = nil, workerProcess{fd: -1}
}

// children are the processes that the master has now.
func (s *server) children() (fds []pidfd) {
	if !s.alive() {
		return nil
	}
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", s.cmd.Process.Pid))
	for _, list := range lists {
		text, _ := os.ReadFile(list)
		for _, word := range strings.Fields(string(text)) {
			var pid int
			if _, err := fmt.Sscan(word, &pid); err != nil {
				continue
			}
			if fd, err := openPidfd(pid); err == nil {
				fds = append(fds, fd)
			}
		}
	}
	return fds
}

// mountNamespaces reports whether a process may have a /dev/shm of its own.
var mountNamespaces = sync.OnceValue(func() bool {
	cmd := exec.Command("/bin/sh", "-c", "mount -t tmpfs -o size=1m tmpfs /dev/shm")
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	return cmd.Run() == nil
})

// cmdExits runs a program that must end with a certain exit code.
func cmdExits(ts *testscript.TestScript, neg bool, args []string) {
	in := &words{ts, args}
	want := in.next("exit code")
	program := in.next("program")
	err := ts.Exec(program, in.rest...)
	code := 0
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if (fmt.Sprint(code) == want) == neg {
		ts.Fatalf("exit code %d", code)
	}
}

// cmdPoke overwrites bytes of a file.
func cmdPoke(ts *testscript.TestScript, _ bool, args []string) {
	in := &words{ts, args}
	path, offset, data := ts.MkAbs(in.next("file")), in.number("offset"), unhex(ts, in.next("hex bytes"))
	in.end()
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	ts.Check(err)
	_, err = file.WriteAt(data, int64(offset))
	ts.Check(errors.Join(err, file.Close()))
}
