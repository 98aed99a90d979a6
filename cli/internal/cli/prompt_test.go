package cli

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"tradechat.internal/liblog/program"
	"tradechat.internal/libproto"
	"tradechat.internal/testkit/peertest"
)

// openTerminal makes a pseudo-terminal (pts(4)): the keyboard end, and the end that a program has.
func openTerminal(t *testing.T) (keyboard, terminal *os.File) {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no pseudo-terminals here: ", err)
	}
	t.Cleanup(func() { keyboard.Close() })
	fd := int(keyboard.Fd())
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { terminal.Close() })
	return keyboard, terminal
}

// typist types a line each time it is prompted, as it stands on stderr.
type typist struct {
	t        *testing.T
	keyboard *os.File
	lines    []string
	said     bytes.Buffer
}

func (p *typist) Write(text []byte) (int, error) {
	if bytes.HasSuffix(text, []byte(": ")) && len(p.lines) > 0 {
		if _, err := p.keyboard.WriteString(p.lines[0] + "\n"); err != nil {
			p.t.Error(err)
		}
		p.lines = p.lines[1:]
	}
	return p.said.Write(text)
}

func (b *bed) runTyping(ctx context.Context, lines []string, args ...string) outcome {
	b.t.Helper()
	keyboard, terminal := openTerminal(b.t)
	typing := &typist{t: b.t, keyboard: keyboard, lines: lines}
	var out bytes.Buffer
	code := Run(ctx, args, Streams{In: terminal, Out: &out, Err: typing, Getenv: func(name string) string { return b.env[name] }})
	return outcome{code, out.String(), typing.said.String()}
}

func TestPrompt(t *testing.T) {
	b := newBed(t)
	b.env["TRADECHAT_PASSWORD"] = ""
	b.peer.Answer(libproto.OpBalance, libproto.BalanceResponse{Balance: 5})
	got := b.runTyping(t.Context(), []string{password}, "balance")
	if want := (outcome{program.ExitOK, "0.05\n", "Password for alice: \n"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	b.env["TRADECHAT_USER"] = ""
	got = b.runTyping(t.Context(), []string{"secret", "secret"}, "register", "bob")
	if want := (outcome{program.ExitOK, "bob is registered as user 2\n", "Password for bob: \nThe same again: \n"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	for _, tt := range []struct {
		lines []string
		says  string
	}{
		{[]string{"secret", "Secret"}, "the two passwords differ"},
		{[]string{""}, "no password"},
		{[]string{strings.Repeat("x", 1025)}, "longer than 1024 bytes"},
	} {
		got := b.runTyping(t.Context(), tt.lines, "register", "carol")
		if got.code != program.ExitUsage || !strings.Contains(got.err, tt.says) {
			t.Errorf("%q: %+v, want code %d and %q", tt.lines, got, program.ExitUsage, tt.says)
		}
	}
}

// TestPromptInterrupted: the terminal echoes again afterwards.
func TestPromptInterrupted(t *testing.T) {
	b := newBed(t)
	b.env["TRADECHAT_PASSWORD"] = ""
	keyboard, terminal := openTerminal(t)
	echoes := func() bool {
		mode, err := unix.IoctlGetTermios(int(terminal.Fd()), unix.TCGETS)
		if err != nil {
			t.Fatal(err)
		}
		return mode.Lflag&unix.ECHO != 0
	}
	ctx, interrupt := context.WithTimeout(t.Context(), peertest.Patience)
	defer interrupt()
	go func() {
		for echoes() && ctx.Err() == nil {
			// until the prompt has turned it off
		}
		interrupt()
	}()
	var errs bytes.Buffer
	code := Run(ctx, []string{"balance"}, Streams{In: terminal, Err: &errs, Getenv: func(name string) string { return b.env[name] }})
	if code != program.ExitInterrupted || !strings.Contains(errs.String(), "interrupted") {
		t.Errorf("code %d, %s", code, errs.String())
	}
	if !echoes() {
		t.Error("the terminal was left without echo")
	}
	keyboard.WriteString("\n") // ends the read that stayed behind
}
