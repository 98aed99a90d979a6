package heritage

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"tradechat.internal/server/internal/config"
	"tradechat.internal/server/internal/role"
)

func TestMain(m *testing.M) {
	if Inherited() {
		os.Exit(childMain())
	}
	os.Exit(m.Run())
}

// childReport is what the child of TestRoundTrip saw; it goes to the test through descriptor 2.
type childReport struct {
	Heritage    Heritage
	Argv0       string
	StillSet    bool
	Settings    []string
	ListenPort  int
	SegmentText string
	Error       string
}

// childMain is the child: send itself the signals that are not for it, load, write slot+1 to each eventfd, report, say ready, answer
// each order with a word, and stay until the master is gone.
func childMain() int {
	IgnoreSignals()
	for _, s := range Signals {
		_ = unix.Kill(os.Getpid(), s.(unix.Signal))
	}
	report, err := inspect()
	if err != nil {
		report.Error = err.Error()
	}
	encoded, _ := json.Marshal(report)
	fmt.Fprintf(os.Stderr, "%s\n", encoded)
	if err != nil {
		return 3
	}
	h := report.Heritage
	answer := func() { _ = h.Say(Word{VerdictDoubt, ReasonTableFull, "asked to end"}) }
	if err := errors.Join(h.Ready(), h.Obey(answer)); err != nil {
		return 4
	}
	return 0
}

func inspect() (childReport, error) {
	h, err := Load()
	if err != nil {
		return childReport{}, err
	}
	report := childReport{Heritage: h, Argv0: os.Args[0], StillSet: Inherited()}
	for _, entry := range os.Environ() {
		if strings.HasPrefix(entry, config.EnvPrefix) {
			report.Settings = append(report.Settings, entry)
		}
	}
	for slot, fd := range h.EventFDs {
		if _, err := unix.Write(fd, binary.NativeEndian.AppendUint64(nil, uint64(slot+1))); err != nil {
			return report, err
		}
	}
	address, err := unix.Getsockname(h.ListenerFD)
	if err != nil {
		return report, err
	}
	report.ListenPort = address.(*unix.SockaddrInet4).Port
	text := make([]byte, 64)
	n, err := unix.Pread(h.SegmentFD, text, 0)
	report.SegmentText = string(text[:n])
	return report, err
}

// parent holds the master's ends of what a child gets.
type parent struct {
	d    Descriptors
	port int
	line *os.File
	out  *os.File // read end
}

func newParent(t *testing.T, slots int) *parent {
	t.Helper()
	listener, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	check(t, err)
	socket, err := listener.File()
	check(t, err)
	null, err := os.Open(os.DevNull)
	check(t, err)
	segment, err := os.Create(filepath.Join(t.TempDir(), "segment"))
	check(t, err)
	_, err = segment.WriteString("the segment")
	check(t, err)
	lock, err := os.Open(t.TempDir())
	check(t, err)
	line, childLine, err := NewLine()
	check(t, err)
	outRead, outWrite, err := os.Pipe()
	check(t, err)
	p := &parent{line: line, out: outRead, port: listener.Addr().(*net.TCPAddr).Port}
	p.d = Descriptors{Null: int(null.Fd()), Stderr: int(outWrite.Fd()), Listener: int(socket.Fd()),
		Segment: int(segment.Fd()), Line: childLine, Lock: int(lock.Fd())}
	for range slots {
		fd, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
		check(t, err)
		p.d.Events = append(p.d.Events, fd)
	}
	t.Cleanup(func() {
		for _, c := range []io.Closer{outWrite, listener, socket, null, segment, lock, line, outRead} {
			c.Close()
		}
		for _, fd := range append(p.d.Events, childLine) {
			unix.Close(fd)
		}
	})
	return p
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// spawn starts the child and reads its report.
func (p *parent) spawn(t *testing.T, h Heritage, environ []string) (pid int, report childReport) {
	t.Helper()
	pid, err := h.Spawn(p.d, append(environ, "GORACE=atexit_sleep_ms=0"))
	check(t, err)
	check(t, json.NewDecoder(p.out).Decode(&report))
	return pid, report
}

func reap(t *testing.T, pid int) unix.WaitStatus {
	t.Helper()
	var status unix.WaitStatus
	for {
		_, err := unix.Wait4(pid, &status, 0, nil)
		if err != unix.EINTR {
			check(t, err)
			return status
		}
	}
}

func testConfig(t *testing.T, workers int) config.Config {
	c := config.Defaults()
	c.Workers, c.Data = workers, t.TempDir()
	return c
}

func TestRoundTrip(t *testing.T) {
	for _, workers := range []int{1, 3, config.WorkersMax} {
		t.Run(fmt.Sprint(workers), func(t *testing.T) {
			p := newParent(t, workers+1)
			h := Heritage{Role: role.Worker, Slot: workers - 1, Address: "127.0.0.1:1", Config: testConfig(t, workers)}
			environ := append(os.Environ(), "TRADECHAT_PASSWORD=secret", Variable+"=older")
			pid, got := p.spawn(t, h, environ)
			if got.Error != "" {
				t.Fatal(got.Error)
			}
			if !reflect.DeepEqual(got.Heritage, h) {
				t.Errorf("the child has %+v, was given %+v", got.Heritage, h)
			}
			if want := fmt.Sprintf("tradechatd: worker %d", h.Slot); got.Argv0 != want {
				t.Errorf("argv[0] is %q, want %q", got.Argv0, want)
			}
			if got.StillSet || len(got.Settings) > 0 {
				t.Errorf("left in the environment: heritage %v, settings %v", got.StillSet, got.Settings)
			}
			if got.ListenPort != p.port || got.SegmentText != "the segment" {
				t.Errorf("listener on port %d, segment %q; want %d", got.ListenPort, got.SegmentText, p.port)
			}
			p.checkEvents(t)
			p.checkLine(t)
			check(t, p.line.Close())
			if status := reap(t, pid); !status.Exited() || status.ExitStatus() != 0 {
				t.Errorf("the orphan ended with %#x, want exit code 0", status)
			}
		})
	}
}

// checkEvents checks that the child's descriptor for slot i is the master's for slot i.
func (p *parent) checkEvents(t *testing.T) {
	t.Helper()
	for slot, fd := range p.d.Events {
		var count [8]byte
		_, err := unix.Read(fd, count[:])
		check(t, err)
		if n := binary.NativeEndian.Uint64(count[:]); n != uint64(slot+1) {
			t.Errorf("eventfd of slot %d counts %d", slot, n)
		}
	}
}

// checkLine hears that the child is ready, and what it says when it is asked to end.
func (p *parent) checkLine(t *testing.T) {
	t.Helper()
	check(t, p.line.SetDeadline(time.Now().Add(30*time.Second)))
	if w, err := Hear(p.line); err != nil || w != (Word{Verdict: VerdictReady}) {
		t.Errorf("first word %+v, %v", w, err)
	}
	check(t, AskToEnd(p.line))
	if w, err := Hear(p.line); err != nil || w != (Word{VerdictDoubt, ReasonTableFull, "asked to end"}) {
		t.Errorf("second word %+v, %v", w, err)
	}
}

// TestWords: what a child says comes out as it went in, the text cut to its limit; what is no word is refused.
func TestWords(t *testing.T) {
	long := strings.Repeat("x", textBytesMax+1)
	for _, w := range []Word{{Verdict: VerdictReady}, {VerdictRefused, ReasonDiskBehind, "disk is behind"}, {VerdictDoubt, ReasonOther, long}} {
		want := w
		want.Text = w.Text[:min(len(w.Text), textBytesMax)]
		if got, err := decodeWord(w.encode()); err != nil || got != want {
			t.Errorf("%+v became %+v, %v", w, got, err)
		}
	}
	for _, packet := range [][]byte{nil, {1}, {0, 0}, {4, 0}, {1, 3}} {
		if w, err := decodeWord(packet); !errors.Is(err, errWord) {
			t.Errorf("% x is %+v, %v", packet, w, err)
		}
	}
}

// TestOrphanWithAnUnheardWord: the master dies before it has read what the child said.
func TestOrphanWithAnUnheardWord(t *testing.T) {
	line, child, err := NewLine()
	check(t, err)
	defer unix.Close(child)
	h := Heritage{LineFD: child}
	check(t, h.Ready())
	check(t, line.Close())
	if err := h.Obey(func() { t.Error("asked to end") }); err != nil {
		t.Error(err)
	}
}

func TestChildRefusesWrongDescriptors(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(d *Descriptors)
	}{
		{"listener is a file", func(d *Descriptors) { d.Listener = d.Lock }},
		{"segment is a socket", func(d *Descriptors) { d.Segment = d.Listener }},
		{"line is a file", func(d *Descriptors) { d.Line = d.Lock }},
		{"an eventfd is missing", func(d *Descriptors) { d.Events = d.Events[:1] }},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newParent(t, 3)
			c.spoil(&p.d)
			pid, got := p.spawn(t, Heritage{Role: role.Worker, Config: testConfig(t, 2)}, os.Environ())
			if !strings.Contains(got.Error, ErrHeritage.Error()) || !strings.Contains(got.Error, "descriptor") {
				t.Errorf("error %q does not name the descriptor", got.Error)
			}
			if status := reap(t, pid); status.ExitStatus() != 3 {
				t.Errorf("ended with %#x, want exit code 3", status)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	good := Heritage{Role: role.Worker, Slot: 1, Config: testConfig(t, 2)}
	spoilt := func(spoil func(h *Heritage)) string {
		h := good
		spoil(&h)
		encoded, err := json.Marshal(h)
		check(t, err)
		return string(encoded)
	}
	if _, err := parse(spoilt(func(*Heritage) {})); err != nil {
		t.Fatal(err)
	}
	for name, described := range map[string]string{
		"empty":          "",
		"not JSON":       "x",
		"unknown field":  `{"Future":1}`,
		"no role":        spoilt(func(h *Heritage) { h.Role = "" }),
		"slot too high":  spoilt(func(h *Heritage) { h.Slot = 2 }),
		"negative slot":  spoilt(func(h *Heritage) { h.Slot = -1 }),
		"invalid config": spoilt(func(h *Heritage) { h.Config.UsersMax = 0 }),
	} {
		if h, err := parse(described); !errors.Is(err, ErrHeritage) {
			t.Errorf("%s: got %+v, %v; want ErrHeritage", name, h, err)
		}
	}
}

func TestLoadWithoutHeritage(t *testing.T) {
	if _, err := Load(); !errors.Is(err, ErrHeritage) {
		t.Fatalf("got %v, want ErrHeritage", err)
	}
}
