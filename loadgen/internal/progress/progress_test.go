package progress

import (
	"strings"
	"testing"
	"time"

	"tradechat.internal/loadgen/internal/stats"
)

func TestPlainLines(t *testing.T) {
	var text strings.Builder
	d := NewPlain(&text)
	d.Step("deriving keys", 500, 1000)
	d.Step("deriving keys", 1000, 1000)
	row := stats.Row{OK: 12345, Failed: 6, Latency: stats.Quantiles{P50: 1, P99: 2.6, Max: 3}, Deliveries: 7000, Reconnects: 2}
	d.Second(row, 99, 100, 2*time.Second)
	row.Second = 2
	d.Second(row, 0, 100, 2*time.Second)
	d.Close()
	want := "deriving keys 1,000/1,000\n" +
		"  1/2 s  12,345 ok/s  6 failed/s  p50 1  p99 3  max 3 µs  7,000 deliveries/s  99/100 connections  2 reconnects\n"
	if text.String() != want {
		t.Errorf("got\n%swant\n%s", text.String(), want)
	}
}

// On a terminal one line is written over, and at the end it is empty.
func TestTerminalLine(t *testing.T) {
	var text strings.Builder
	d := &Display{out: &text, terminal: true}
	d.Step("a", 1, 2)
	d.Step("a", 2, 2)
	d.Step("b", 1, 1)
	d.Close()
	d.Close()
	const wipe = "\r\x1b[2K"
	if want := "a 1/2" + wipe + "a 2/2" + wipe + "b 1/1" + wipe; text.String() != want {
		t.Errorf("got %q, want %q", text.String(), want)
	}
}
