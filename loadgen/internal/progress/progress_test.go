package progress

import (
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"tradechat.internal/loadgen/internal/stats"
)

func row(number int) *stats.Row {
	return &stats.Row{
		Number: number, Begin: time.Duration(number) * time.Second / 2, Length: time.Second / 2, OK: 6172, Failed: 3,
		Errors: [stats.ErrorKindCount]uint64{3}, Latency: stats.Quantiles{P50: 1, P99: 2.6, Max: 3}, Deliveries: 3500, Reconnects: 2,
		LateSends: 4, Skipped: 5, SinceSent: stats.Quantiles{P50: 1, P99: 2},
	}
}

func TestPlainLines(t *testing.T) {
	var text strings.Builder
	d := NewPlain(&text)
	d.Step("deriving keys", 500, 1000)
	d.Step("deriving keys", 1000, 1000)
	d.Interval(row(0), Stage{Total: time.Second, Live: 99, Connections: 100})
	d.Interval(row(2), Stage{Total: time.Second, Live: 0, Connections: 100})
	d.Interval(row(1), Stage{Name: "step 2", Total: time.Second, Rate: 15000, Live: 100, Connections: 100})
	d.Tell("held %d", 7)
	d.Close()
	want := "deriving keys 1,000/1,000\n" +
		"0.5/1 s  12,344 ok/s  6 failed/s  p50 1  p99 3  max 3 µs  7,000 deliveries/s  99/100 connections  2 reconnects\n" +
		"step 2    1/1 s  12,344 ok/s  6 failed/s  p50 1  p99 3  max 3 µs  since sent p99 2 µs  4 late  5 skipped  7,000 deliveries/s" +
		"  100/100 connections  2 reconnects\nheld 7\n"
	if text.String() != want {
		t.Errorf("got\n%swant\n%s", text.String(), want)
	}
}

// On a terminal the view is written over, and at the end it is empty.
func TestTerminalView(t *testing.T) {
	var text strings.Builder
	d := &Display{out: &text, columns: func() int { return 60 }}
	d.Step("a", 2, 2)
	d.Interval(row(0), Stage{Total: time.Second, Rate: 15000, Live: 100, Connections: 100})
	d.Interval(row(1), Stage{Total: time.Second, Live: 100, Connections: 100})
	d.Tell("b")
	d.Close()
	const wipe = "\r\x1b[J"
	want := "a 2/2" + wipe +
		"[###############...............] 0.5/1 s  100/100 connectio\n" +
		"  12,344 ok/s of 15,000  6 failed/s  7,000 deliveries/s\n" +
		"  latency µs  p50 1  p95 0  p99 3  p99.9 0  max 3\n" +
		"  since sent  p50 1  p99 2    sent late 4  skipped 5\n" +
		"  errors      timeout 3  busy 0  checksum 0  auth 0  other " +
		"\x1b[4A" + wipe +
		"[##############################] 1/1 s  100/100 connections\n" +
		"  12,344 ok/s  6 failed/s  7,000 deliveries/s\n" +
		"  latency µs  p50 1  p95 0  p99 3  p99.9 0  max 3\n" +
		"  errors      timeout 6  busy 0  checksum 0  auth 0  other " +
		"\x1b[3A" + wipe + "b\n"
	if text.String() != want {
		t.Errorf("got\n%q, want\n%q", text.String(), want)
	}
}

// TestDumbTerminal: one that does not take cursor moves gets lines.
func TestDumbTerminal(t *testing.T) {
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no pseudo-terminals here: ", err)
	}
	defer master.Close()
	for term, inPlace := range map[string]bool{"dumb": false, "": false, "xterm": true} {
		t.Setenv("TERM", term)
		if d := New(master); (d.columns != nil) != inPlace {
			t.Errorf("TERM=%q: in place: %v, want %v", term, !inPlace, inPlace)
		}
	}
}
