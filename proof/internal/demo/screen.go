package demo

import (
	"fmt"
	"io"
	"strings"

	"tradechat.internal/liblog/program"
)

// screen is where the demo is shown. On a terminal headings are bold and verdicts coloured, unless NO_COLOR is set or TERM is dumb.
type screen struct {
	stdout, stderr io.Writer
	styled         bool
}

func newScreen(stdout, stderr io.Writer) screen {
	return screen{stdout: stdout, stderr: stderr, styled: program.Colours(stdout)}
}

// Styles (ECMA-48, SGR).
const (
	bold  = "1"
	dim   = "2"
	red   = "31;1"
	green = "32"
)

func (s screen) style(code, text string) string {
	if !s.styled {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (s screen) heading(format string, args ...any) {
	fmt.Fprintf(s.stdout, "\n%s\n", s.style(bold, "── "+fmt.Sprintf(format, args...)+" ──"))
}

// command shows what was run, so that it can be run by hand.
func (s screen) command(name string, args []string) {
	fmt.Fprintln(s.stdout, s.style(dim, "$ "+name+" "+strings.Join(args, " ")))
}

func (s screen) line(format string, args ...any) { fmt.Fprintf(s.stdout, format+"\n", args...) }

// interrupt is a line in the middle of somebody else's progress, which may stand unfinished on the terminal's last line.
func (s screen) interrupt(format string, args ...any) {
	if s.styled {
		fmt.Fprint(s.stdout, "\r\x1b[K")
	}
	s.line("%s", s.style(bold, fmt.Sprintf(format, args...)))
}

func (s screen) verdict(v verdict) {
	word := s.style(green, "ok    ")
	if !v.held {
		word = s.style(red, "FAILED")
	}
	text := word + "  " + v.what
	if v.detail != "" {
		text += s.style(dim, ": "+v.detail)
	}
	s.line("%s", text)
}
