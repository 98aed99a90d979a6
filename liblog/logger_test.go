package liblog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// named is an opcode or status for these tests: a number with a name, as on the wire.
type named uint16

func (n named) String() string { return fmt.Sprintf("NAME_%d", uint16(n)) }

// parse reads the lines as JSON objects.
func parse(t *testing.T, out *bytes.Buffer) (lines []map[string]any) {
	t.Helper()
	for line := range strings.Lines(out.String()) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatalf("line %q: %v", line, err)
		}
		lines = append(lines, fields)
	}
	return lines
}

func TestFieldNames(t *testing.T) {
	var out bytes.Buffer
	log := New(Options{Writer: &out, Role: "worker"}).WithSlot(2)
	e := log.Limited(LevelWarn, "checksum-fail").Err(errors.New("sum is 1, not 2"))
	Request(e, 88, 7, named(0x202), named(2)).Msg("frame refused")
	lines := parse(t, &out)
	if len(lines) != 1 {
		t.Fatalf("%d lines, want 1:\n%s", len(lines), out.String())
	}
	want := map[string]any{
		"level": "warn", "message": "frame refused", "error": "sum is 1, not 2",
		"pid": float64(os.Getpid()), "role": "worker", "slot": 2.0,
		"event": "checksum-fail", "conn": 88.0, "req_id": 7.0, "opcode": "NAME_514", "status": "NAME_2",
	}
	for name, value := range want {
		if lines[0][name] != value {
			t.Errorf("field %s = %v, want %v", name, lines[0][name], value)
		}
	}
	at, err := time.Parse("2006-01-02T15:04:05.000000Z", lines[0]["time"].(string))
	if err != nil || time.Since(at) > time.Minute {
		t.Errorf("time = %v, %v; want now in UTC with microseconds", lines[0]["time"], err)
	}
	if len(lines[0]) != len(want)+1 {
		t.Errorf("fields %v, want those of %v and time", lines[0], want)
	}
}

func TestFieldConstants(t *testing.T) {
	for got, want := range map[string]string{
		FieldTime: "time", FieldLevel: "level", FieldMessage: "message", FieldError: "error",
		FieldPID: "pid", FieldRole: "role", FieldSlot: "slot", FieldConn: "conn", FieldReqID: "req_id",
		FieldOpcode: "opcode", FieldStatus: "status", FieldEvent: "event", FieldSuppressed: "suppressed", FieldDropped: "dropped",
	} {
		if got != want {
			t.Errorf("a field is named %q, want %q", got, want)
		}
	}
}

func TestAProcessWithoutRoleOrSlotHasNoSuchFields(t *testing.T) {
	var out bytes.Buffer
	New(Options{Writer: &out}).Info().Msg("x")
	line := parse(t, &out)[0]
	for _, name := range []string{FieldRole, FieldSlot} {
		if value, ok := line[name]; ok {
			t.Errorf("field %s = %v, want none", name, value)
		}
	}
}

func TestTextOfPeersIsEscaped(t *testing.T) {
	var out bytes.Buffer
	New(Options{Writer: &out}).Info().Str("name", "a\"\n{\x00\xff}").Msg("two\nlines")
	if lines := parse(t, &out); len(lines) != 1 || lines[0]["message"] != "two\nlines" {
		t.Errorf("lines %v, want one whose message has two lines", lines)
	}
}

func TestLevelsBelowTheLeastAreNotWritten(t *testing.T) {
	for least := LevelTrace; least <= LevelOff; least++ {
		var out bytes.Buffer
		log := New(Options{Writer: &out, Level: least})
		for l := LevelTrace; l < LevelOff; l++ {
			log.WithLevel(l.zerolog()).Msg(l.String())
			log.Limited(l, "key-"+l.String()).Msg(l.String())
		}
		want := 2 * int(LevelOff-least)
		if got := len(parse(t, &out)); got != want {
			t.Errorf("level %v: %d lines, want %d", least, got, want)
		}
	}
}

func TestConsoleFormatOnATerminalOnly(t *testing.T) {
	master, terminal := openTerminal(t)
	for _, c := range []struct {
		name   string
		format Format
		want   bool // console
	}{
		{"auto", FormatAuto, true},
		{"console", FormatConsole, true},
		{"json", FormatJSON, false},
	} {
		New(Options{Writer: terminal, Format: c.format, Role: "worker"}).Info().Msg("hello")
		line := readLine(t, master)
		if json.Valid(line) == c.want || !bytes.Contains(line, []byte("hello")) {
			t.Errorf("terminal, %s: %q, want console form: %v", c.name, line, c.want)
		}
	}
	file, err := os.CreateTemp(t.TempDir(), "log")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	New(Options{Writer: file}).Info().Msg("hello")
	if text, err := os.ReadFile(file.Name()); err != nil || !json.Valid(text) {
		t.Errorf("file, auto: %q, %v; want JSON", text, err)
	}
}

func TestConsoleFormatWithoutATerminalHasNoColour(t *testing.T) {
	var out bytes.Buffer
	New(Options{Writer: &out, Format: FormatConsole}).Error().Str("k", "v").Msg("hello")
	if text := out.String(); strings.Contains(text, "\x1b[") || !strings.Contains(text, "k=v") {
		t.Errorf("console line %q, want k=v without colour", text)
	}
}

// openTerminal makes a pseudo-terminal (pty(7)).
func openTerminal(t *testing.T) (master, terminal *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	t.Cleanup(func() { _ = master.Close() })
	fd := int(master.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("pseudo-terminal %d cannot be opened here: %v", n, err)
	}
	t.Cleanup(func() { _ = terminal.Close() })
	return master, terminal
}

func readLine(t *testing.T, f *os.File) []byte {
	t.Helper()
	var line []byte
	for !bytes.HasSuffix(line, []byte("\n")) {
		buf := make([]byte, 4096)
		n, err := f.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		line = append(line, buf[:n]...)
	}
	return bytes.TrimSpace(line)
}

func TestConcurrentEventsAreWholeLines(t *testing.T) {
	const writers, events = 8, 200
	var out bytes.Buffer
	log := New(Options{Writer: &out, Repeat: RepeatLimit{Events: writers * events}})
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			mine := log.WithSlot(i)
			for n := range events {
				mine.Limited(LevelInfo, "tick").Int("n", n).Msg("x")
			}
		})
	}
	wg.Wait()
	if got := len(parse(t, &out)); got != writers*events {
		t.Errorf("%d lines, want %d", got, writers*events)
	}
}

func TestAtTakesALevel(t *testing.T) {
	var out bytes.Buffer
	log := New(Options{Writer: &out, Level: LevelWarn})
	for level := LevelTrace; level < LevelOff; level++ {
		log.At(level).Msg("at " + level.String())
	}
	lines := parse(t, &out)
	if len(lines) != 2 || lines[0]["level"] != "warn" || lines[1]["level"] != "error" || lines[1]["message"] != "at error" {
		t.Errorf("lines %v, want one of warn and one of error", lines)
	}
	if New(Options{Writer: &out, Level: LevelOff}).At(LevelError) != nil {
		t.Error("a log that is off starts an event")
	}
}
