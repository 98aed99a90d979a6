// Package progress shows how far a run is: on a terminal one line that is written over, elsewhere a line for each
// step and each second.
package progress

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"tradechat.internal/loadgen/internal/report"
	"tradechat.internal/loadgen/internal/stats"
)

// redrawEvery is the least time between two pictures of a step.
const redrawEvery = 100 * time.Millisecond

// Display is safe for concurrent use.
type Display struct {
	mu       sync.Mutex
	out      io.Writer
	terminal bool
	dirty    bool // the terminal's line is not empty
	drawn    time.Time
}

// New shows progress on a file: in place if it is a terminal.
func New(file *os.File) *Display {
	_, err := unix.IoctlGetTermios(int(file.Fd()), unix.TCGETS)
	return &Display{out: file, terminal: err == nil}
}

// NewPlain shows progress in lines.
func NewPlain(out io.Writer) *Display { return &Display{out: out} }

// Step tells how far a step of the preparation is. Elsewhere than on a terminal its end alone is told.
func (d *Display) Step(name string, done, total int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if now := time.Now(); done == total || d.terminal && now.Sub(d.drawn) >= redrawEvery {
		d.drawn = now
		d.write(fmt.Sprintf("%s %s/%s", name, report.Grouped(uint64(done)), report.Grouped(uint64(total))))
	}
}

// Second tells of one second of the load, of total. What comes after the load is not told.
func (d *Display) Second(r stats.Row, live, connections int, total time.Duration) {
	if time.Duration(r.Second)*stats.IntervalLength >= total {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	line := fmt.Sprintf("%3d/%.0f s  %s ok/s  %s failed/s  p50 %s  p99 %s  max %s µs", r.Second+1, total.Seconds(),
		report.Grouped(r.OK), report.Grouped(r.Failed), micros(r.Latency.P50), micros(r.Latency.P99), micros(r.Latency.Max))
	if r.Deliveries > 0 {
		line += fmt.Sprintf("  %s deliveries/s", report.Grouped(r.Deliveries))
	}
	line += fmt.Sprintf("  %d/%d connections", live, connections)
	if r.Reconnects > 0 {
		line += fmt.Sprintf("  %d reconnects", r.Reconnects)
	}
	d.write(line)
}

// Close leaves the terminal's line empty.
func (d *Display) Close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wipe()
}

func (d *Display) write(line string) {
	if !d.terminal {
		fmt.Fprintln(d.out, line)
		return
	}
	d.wipe()
	fmt.Fprint(d.out, line)
	d.dirty = true
}

func (d *Display) wipe() {
	if d.dirty {
		fmt.Fprint(d.out, "\r\x1b[2K")
		d.dirty = false
	}
}

func micros(us float64) string { return report.Grouped(uint64(us + 0.5)) }
