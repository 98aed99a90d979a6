package program

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

type full struct{}

func (full) Write([]byte) (int, error) { return 0, unix.ENOSPC }

func TestOutputRemembers(t *testing.T) {
	var b bytes.Buffer
	good := NewOutput(&b)
	fmt.Fprint(good, "hello")
	if b.String() != "hello" || good.Err() != nil {
		t.Errorf("%q, %v", b.String(), good.Err())
	}
	bad := NewOutput(full{})
	fmt.Fprint(bad, "hello")
	if err := bad.Err(); !errors.Is(err, ErrOutput) || !errors.Is(err, unix.ENOSPC) || ReaderLeft(err) {
		t.Errorf("got %v, want ErrOutput and ENOSPC", err)
	}
}

func TestReaderLeft(t *testing.T) {
	SurviveClosedPipes()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	reader.Close()
	out := NewOutput(writer)
	fmt.Fprint(out, "hello")
	if !ReaderLeft(out.Err()) {
		t.Errorf("got %v, want EPIPE", out.Err())
	}
}

// TestExitTable: docs/operations.md holds the table of the code.
func TestExitTable(t *testing.T) {
	page, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), "\n"+ExitTable()) {
		t.Errorf("docs/operations.md lacks this table:\n%s", ExitTable())
	}
	if got, want := ExitHelp(ExitUsage, ExitOK), "Exit codes:\n  0    done, and everything held\n  2    wrong usage"; !strings.HasPrefix(got, want) {
		t.Errorf("ExitHelp = %q", got)
	}
}

// TestTerminals: a terminal takes cursor moves unless TERM says that it does not, and colours unless NO_COLOR is set.
func TestTerminals(t *testing.T) {
	terminal := openTerminal(t)
	file, err := os.Create(t.TempDir() + "/file")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, c := range []struct {
		term, noColour    string
		redraws, coloured bool
	}{
		{"xterm", "", true, true},
		{"xterm", "1", true, false},
		{"dumb", "", false, false},
		{"", "", false, false},
	} {
		t.Setenv("TERM", c.term)
		t.Setenv("NO_COLOR", c.noColour)
		if got := Redraws(terminal); got != c.redraws {
			t.Errorf("TERM=%s: Redraws is %v", c.term, got)
		}
		if got := Colours(NewOutput(terminal)); got != c.coloured {
			t.Errorf("TERM=%s NO_COLOR=%s: Colours is %v", c.term, c.noColour, got)
		}
		if Redraws(file) || Colours(file) || IsTerminal(&bytes.Buffer{}) {
			t.Errorf("TERM=%s: a file is taken for a terminal", c.term)
		}
	}
}

// openTerminal makes a pseudo-terminal (pty(7)).
func openTerminal(t *testing.T) *os.File {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	t.Cleanup(func() { master.Close() })
	fd := int(master.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	terminal, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("pseudo-terminal %d cannot be opened here: %v", n, err)
	}
	t.Cleanup(func() { terminal.Close() })
	return terminal
}
