package liblog

import (
	"bytes"
	"fmt"
	"io"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// clock is the table's time, moved by the test.
type clock struct{ at time.Time }

func (c *clock) now() time.Time          { return c.at }
func (c *clock) advance(d time.Duration) { c.at = c.at.Add(d) }

func limitedLogger(w io.Writer, limit RepeatLimit) (*Logger, *clock) {
	log := New(Options{Writer: w, Repeat: limit})
	c := &clock{at: time.Unix(1_000_000, 0)}
	log.repeats.now = c.now
	return log, c
}

// suppressedOf is the count that each line carries, 0 for none.
func suppressedOf(t *testing.T, out *bytes.Buffer) (counts []int) {
	t.Helper()
	for _, line := range parse(t, out) {
		n, _ := line[FieldSuppressed].(float64)
		counts = append(counts, int(n))
	}
	return counts
}

func wantCounts(t *testing.T, out *bytes.Buffer, want ...int) {
	t.Helper()
	if got := suppressedOf(t, out); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("lines carry suppressed %v, want %v:\n%s", got, want, out)
	}
}

func TestRepeatsComeOutWithTheNextEvent(t *testing.T) {
	var out bytes.Buffer
	log, c := limitedLogger(&out, RepeatLimit{Events: 2, Window: time.Second})
	for range 125 {
		log.Limited(LevelWarn, "checksum-fail").Msg("x")
	}
	c.advance(time.Second)
	log.Limited(LevelWarn, "checksum-fail").Msg("x")
	log.Limited(LevelWarn, "checksum-fail").Msg("x")
	wantCounts(t, &out, 0, 0, 123, 0)
}

func TestRepeatsComeOutOfSweepOnceTheWindowIsOver(t *testing.T) {
	var out bytes.Buffer
	log, c := limitedLogger(&out, RepeatLimit{Events: 1, Window: time.Second})
	for range 4 {
		log.Limited(LevelWarn, "bad-magic").Msg("x")
	}
	log.Limited(LevelWarn, "quiet").Msg("x")
	c.advance(time.Second - 1)
	log.Sweep()
	wantCounts(t, &out, 0, 0)
	c.advance(1)
	log.Sweep()
	log.Sweep()
	wantCounts(t, &out, 0, 0, 3)
	last := parse(t, &out)[2]
	if last[FieldEvent] != "bad-magic" || last[FieldLevel] != "warn" {
		t.Errorf("Sweep wrote %v, want a warning of bad-magic", last)
	}
}

func TestCloseWritesEveryCount(t *testing.T) {
	var out bytes.Buffer
	log, _ := limitedLogger(&out, RepeatLimit{Events: 1, Window: time.Hour})
	for i := range 5 {
		log.Limited(LevelWarn, "b").Msg("x")
		if i < 3 {
			log.Limited(LevelWarn, "a").Msg("x")
		}
	}
	log.Close()
	wantCounts(t, &out, 0, 0, 2, 4)
}

func TestKeysAreCountedApartUpToTheLimit(t *testing.T) {
	var out bytes.Buffer
	log, _ := limitedLogger(&out, RepeatLimit{Events: 1, Window: time.Hour})
	const beyond = 10
	for i := range RepeatKeysMax + beyond {
		log.Limited(LevelInfo, fmt.Sprint("key-", i)).Msg("x")
	}
	if got := len(parse(t, &out)); got != RepeatKeysMax+1 {
		t.Errorf("%d lines, want one a key and one for all keys beyond the limit: %d", got, RepeatKeysMax+1)
	}
	out.Reset()
	log.Close()
	wantCounts(t, &out, beyond-1)
}

func TestALoggerWithSlotSharesTheCounts(t *testing.T) {
	var out bytes.Buffer
	log, _ := limitedLogger(&out, RepeatLimit{Events: 1, Window: time.Hour})
	log.Limited(LevelInfo, "k").Msg("x")
	log.WithSlot(1).Limited(LevelInfo, "k").Msg("x")
	log.Close()
	wantCounts(t, &out, 0, 1)
}

// Whatever happens when, every event is either written or counted in a line, and no window has more than its share.
func TestNoEventIsLostWithoutATrace(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var out bytes.Buffer
		limit := RepeatLimit{Events: rapid.IntRange(1, 4).Draw(rt, "events"), Window: 10 * time.Second}
		log, c := limitedLogger(&out, limit)
		events, written := 0, 0
		for range rapid.IntRange(1, 100).Draw(rt, "steps") {
			switch rapid.IntRange(0, 5).Draw(rt, "step") {
			case 0:
				log.Sweep()
			case 1:
				c.advance(time.Duration(rapid.IntRange(0, 12).Draw(rt, "seconds")) * time.Second)
			default:
				events++
				if e := log.Limited(LevelInfo, "k"); e != nil {
					written++
					e.Msg("x")
				}
			}
		}
		log.Close()
		suppressed := 0
		for _, n := range suppressedOf(t, &out) {
			suppressed += n
		}
		if written+suppressed != events {
			rt.Fatalf("%d written and %d suppressed of %d events", written, suppressed, events)
		}
		windows := int(c.at.Sub(time.Unix(1_000_000, 0))/limit.Window) + 1
		if written > windows*limit.Events {
			rt.Fatalf("%d written in %d windows of %d", written, windows, limit.Events)
		}
	})
}

func TestSuppressedAndDisabledEventsDoNotAllocate(t *testing.T) {
	log := New(Options{Writer: io.Discard, Repeat: RepeatLimit{Events: 1, Window: time.Hour}})
	log.Limited(LevelWarn, "k").Msg("x")
	if allocs := testing.AllocsPerRun(1000, func() {
		Request(log.Limited(LevelWarn, "k"), 1<<40, 1<<50, named(0x7777), named(0x202)).Msg("suppressed")
		Request(log.Debug(), 1<<40, 1<<50, named(0x7777), named(0x202)).Msg("disabled")
	}); allocs != 0 {
		t.Errorf("%v allocations, want 0", allocs)
	}
}

func BenchmarkSuppressed(b *testing.B) {
	log := New(Options{Writer: io.Discard, Repeat: RepeatLimit{Events: 1, Window: time.Hour}})
	b.ReportAllocs()
	for b.Loop() {
		Request(log.Limited(LevelWarn, "k"), 1, 2, named(3), named(4)).Msg("x")
	}
}

func BenchmarkWritten(b *testing.B) {
	log := New(Options{Writer: io.Discard, Role: "worker"}).WithSlot(1)
	b.ReportAllocs()
	for b.Loop() {
		Request(log.Info(), 1, 2, named(3), named(4)).Msg("x")
	}
}
