// Package progress shows how far a run is: on a terminal a view that is written over, elsewhere a line for each step and
// each interval.
package progress

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"tradechat.internal/liblog/program"
	"tradechat.internal/loadgen/internal/report"
	"tradechat.internal/loadgen/internal/stats"
)

const (
	// redrawEvery is the least time between two pictures of a step.
	redrawEvery = 100 * time.Millisecond

	// columnsDefault is for a terminal that does not tell how wide it is.
	columnsDefault = 80

	barLen = 30
)

// Display is safe for concurrent use.
type Display struct {
	mu      sync.Mutex
	out     io.Writer
	columns func() int // of the terminal; nil: it is none
	lines   int        // that the view on the terminal has
	drawn   time.Time
	counted counts // since the stage began
	stage   string
}

// counts are what the view sums up over a stage.
type counts struct {
	errors                    [stats.ErrorKindCount]uint64
	reconnects, late, skipped uint64
}

// Stage is what an interval is part of.
type Stage struct {
	Name        string
	Total       time.Duration // how long it takes
	Rate        float64       // of an open loop; 0: it is closed
	Live        int           // connections that are there now
	Connections int
}

// New shows progress on a file: in place if it is a terminal that takes cursor moves.
func New(file *os.File) *Display {
	if !program.Redraws(file) {
		return NewPlain(file)
	}
	return &Display{out: file, columns: func() int {
		if size, err := unix.IoctlGetWinsize(int(file.Fd()), unix.TIOCGWINSZ); err == nil && size.Col > 0 {
			return int(size.Col)
		}
		return columnsDefault
	}}
}

// NewPlain shows progress in lines.
func NewPlain(out io.Writer) *Display { return &Display{out: out} }

// Step tells how far a step of the preparation is. Elsewhere than on a terminal its end alone is told.
func (d *Display) Step(name string, done, total int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if now := time.Now(); done == total || d.columns != nil && now.Sub(d.drawn) >= redrawEvery {
		d.drawn = now
		d.write(fmt.Sprintf("%s %s/%s", name, report.Grouped(uint64(done)), report.Grouped(uint64(total))))
	}
}

// Interval tells of one interval of a stage. What comes after the stage is not told.
func (d *Display) Interval(r *stats.Row, s Stage) {
	if r.Begin >= s.Total {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.columns == nil {
		d.write(line(r, s))
		return
	}
	if d.stage != s.Name {
		d.stage, d.counted = s.Name, counts{}
	}
	d.counted.add(r)
	d.write(d.view(r, s)...)
}

// Tell says something that stays.
func (d *Display) Tell(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wipe()
	fmt.Fprintf(d.out, format+"\n", args...)
}

// Close leaves the terminal's last line empty.
func (d *Display) Close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wipe()
}

func (c *counts) add(r *stats.Row) {
	for kind, n := range r.Errors {
		c.errors[kind] += n
	}
	c.reconnects += r.Reconnects
	c.late += r.LateSends
	c.skipped += r.Skipped
}

// line is an interval where nothing can be written over.
func line(r *stats.Row, s Stage) string {
	text := fmt.Sprintf("%3s/%s s  %s ok/s  %s failed/s  p50 %s  p99 %s  max %s µs", seconds(r.Begin+r.Length), seconds(s.Total),
		perSecond(r, r.OK), perSecond(r, r.Failed), report.Whole(r.Latency.P50), report.Whole(r.Latency.P99), report.Whole(r.Latency.Max))
	if s.Name != "" {
		text = s.Name + "  " + text
	}
	if s.Rate > 0 {
		text += fmt.Sprintf("  since sent p99 %s µs  %s late  %s skipped", report.Whole(r.SinceSent.P99), report.Grouped(r.LateSends),
			report.Grouped(r.Skipped))
	}
	if r.Deliveries > 0 {
		text += fmt.Sprintf("  %s deliveries/s", perSecond(r, r.Deliveries))
	}
	text += fmt.Sprintf("  %d/%d connections", s.Live, s.Connections)
	if r.Reconnects > 0 {
		text += fmt.Sprintf("  %d reconnects", r.Reconnects)
	}
	return text
}

// view is the same on a terminal.
func (d *Display) view(r *stats.Row, s Stage) []string {
	end := min(r.Begin+r.Length, s.Total)
	full := int(float64(barLen) * float64(end) / float64(s.Total))
	head := fmt.Sprintf("[%s%s] %s/%s s  %d/%d connections", strings.Repeat("#", full), strings.Repeat(".", barLen-full), seconds(end),
		seconds(s.Total), s.Live, s.Connections)
	if s.Name != "" {
		head = s.Name + "  " + head
	}
	rates := fmt.Sprintf("  %s ok/s", perSecond(r, r.OK))
	if s.Rate > 0 {
		rates += fmt.Sprintf(" of %s", report.Grouped(uint64(s.Rate+0.5)))
	}
	rates += fmt.Sprintf("  %s failed/s", perSecond(r, r.Failed))
	if r.Deliveries > 0 {
		rates += fmt.Sprintf("  %s deliveries/s", perSecond(r, r.Deliveries))
	}
	latency := fmt.Sprintf("  latency µs  p50 %s  p95 %s  p99 %s  p99.9 %s  max %s", report.Whole(r.Latency.P50), report.Whole(r.Latency.P95),
		report.Whole(r.Latency.P99), report.Whole(r.Latency.P999), report.Whole(r.Latency.Max))
	lines := []string{head, rates, latency}
	c := &d.counted
	if s.Rate > 0 {
		lines = append(lines, fmt.Sprintf("  since sent  p50 %s  p99 %s    sent late %s  skipped %s", report.Whole(r.SinceSent.P50),
			report.Whole(r.SinceSent.P99), report.Grouped(c.late), report.Grouped(c.skipped)))
	}
	errors := "  errors     "
	for kind, n := range c.errors {
		errors += fmt.Sprintf(" %v %s ", stats.ErrorKind(kind), report.Grouped(n))
	}
	return append(lines, errors+fmt.Sprintf(" reconnects %s", report.Grouped(c.reconnects)))
}

// write puts lines where the ones before were.
func (d *Display) write(lines ...string) {
	if d.columns == nil {
		fmt.Fprintln(d.out, lines[0])
		return
	}
	d.wipe()
	columns := d.columns()
	for i := range lines {
		lines[i] = cut(lines[i], columns-1) // a line that is broken cannot be written over
	}
	fmt.Fprint(d.out, strings.Join(lines, "\n"))
	d.lines = len(lines)
}

// wipe empties the view, and leaves the cursor where it began.
func (d *Display) wipe() {
	if d.lines > 1 {
		fmt.Fprintf(d.out, "\x1b[%dA", d.lines-1)
	}
	if d.lines > 0 {
		fmt.Fprint(d.out, "\r\x1b[J")
	}
	d.lines = 0
}

func cut(text string, columns int) string {
	if utf8.RuneCountInString(text) <= columns {
		return text
	}
	return string([]rune(text)[:max(columns, 0)])
}

func perSecond(r *stats.Row, n uint64) string { return report.Whole(r.PerSecond(n)) }

func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) }
