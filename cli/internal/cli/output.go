package cli

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// print writes r to stdout in one write.
func (a *app) print(r result) error {
	var out bytes.Buffer
	if a.json {
		if err := encodeJSON(&out, r); err != nil {
			return err
		}
	} else {
		r.writeText(&out)
	}
	if _, err := a.std.Out.Write(out.Bytes()); err != nil {
		if _, acted := r.(deed); acted {
			return unwritten{err: err, done: r}
		}
		return err
	}
	return nil
}

// deed is the result of a command that has changed something at the server.
type deed interface{ changedSomething() }

// act marks a result as a deed.
type act struct{}

func (act) changedSomething() {}

// unwritten is the error of a deed that stdout could not be told of: the person or program that reads stderr is.
type unwritten struct {
	err  error
	done result
}

func (u unwritten) Error() string { return "it was done, but " + u.err.Error() }
func (u unwritten) Unwrap() error { return u.err }

func (u unwritten) hint() string {
	var text bytes.Buffer
	u.done.writeText(&text)
	return "do not repeat it: " + strings.TrimSuffix(text.String(), "\n")
}

// The joiners that emoji and several scripts need.
const (
	zeroWidthNonJoiner = '\u200c'
	zeroWidthJoiner    = '\u200d'
)

// printable makes text of unknown origin safe for a terminal: control characters, escapes and invisible direction marks
// become visible, as in \x1b or \u202e.
func printable(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case unicode.IsGraphic(r) || r == zeroWidthJoiner || r == zeroWidthNonJoiner:
			b.WriteRune(r)
		default:
			quoted := strconv.QuoteRune(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
		s = s[size:]
	}
	return b.String()
}

// count writes a number of things: "1 user", "2 users".
func count[N int | int64 | uint32 | uint64](n N, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// utc is how times appear in JSON; encoding/json writes them as RFC 3339 with nanoseconds.
func utc(t time.Time) time.Time { return t.UTC() }

// column is one column of a table.
type column struct {
	title string
	right bool // numbers stand to the right
}

// table is rows under titles; a table without titles has rows only.
type table struct {
	columns []column
	rows    [][]string
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

// write lays the table out, each line preceded by indent.
func (t *table) write(w io.Writer, indent string) {
	widths := make([]int, len(t.columns))
	titles := make([]string, len(t.columns))
	titled := false
	for i, c := range t.columns {
		titles[i] = c.title
		titled = titled || c.title != ""
	}
	lines := t.rows
	if titled {
		lines = append([][]string{titles}, t.rows...)
	}
	for _, line := range lines {
		for i, cell := range line {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, line := range lines {
		fmt.Fprintln(w, strings.TrimRight(indent+t.layOut(line, widths), " "))
	}
}

func (t *table) layOut(line []string, widths []int) string {
	cells := make([]string, len(line))
	for i, cell := range line {
		pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
		if t.columns[i].right {
			cells[i] = pad + cell
		} else {
			cells[i] = cell + pad
		}
	}
	return strings.Join(cells, "  ")
}
