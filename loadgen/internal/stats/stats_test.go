package stats

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tradechat.internal/libproto"

	"tradechat.internal/loadgen/internal/mix"
)

// The rows of a timeline, in order and without holes, sum up to the totals, whatever the threads' pace.
func TestRowsSumUpToTotals(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		threads := rapid.IntRange(1, 3).Draw(t, "threads")
		timeline := NewTimeline(threads, time.Second, true)
		var work sync.WaitGroup
		for i := range threads {
			seconds := rapid.IntRange(1, 7).Draw(t, "seconds")
			seed := rapid.Uint64().Draw(t, "seed")
			work.Go(func() { simulate(timeline.Thread(i), seconds, seed) })
		}
		var rows []Row
		timeline.Run(func(r Row) { rows = append(rows, r) })
		work.Wait()
		checkRows(t, rows, timeline.Totals())
	})
}

func simulate(thread *Thread, seconds int, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 0))
	const start = int64(5 * time.Hour)
	thread.Start(start)
	for now := start; now < start+int64(seconds)*int64(time.Second); now += random.Int64N(int64(3 * time.Second / 2)) {
		thread.Tick(now)
		thread.Succeeded(mix.Op(random.IntN(mix.OpCount)), random.Int64N(int64(time.Second)), 1)
		thread.Skip(2)
		thread.SentLate()
		thread.Failed(mix.Op(random.IntN(mix.OpCount)), ErrorKind(random.IntN(ErrorKindCount)))
		thread.Delivered()
		thread.Reconnected()
	}
	thread.End()
}

func checkRows(t *rapid.T, rows []Row, totals Totals) {
	var ok, failed, deliveries, reconnects, late, skipped uint64
	var errors [ErrorKindCount]uint64
	for number, row := range rows {
		if row.Number != number {
			t.Fatalf("row %d is of interval %d", number, row.Number)
		}
		ok += row.OK
		failed += row.Failed
		deliveries += row.Deliveries
		reconnects += row.Reconnects
		late += row.LateSends
		skipped += row.Skipped
		addAll(errors[:], row.Errors[:])
	}
	if ok != totals.OK() || failed != totals.Failed() || errors != totals.Errors || deliveries != totals.Deliveries ||
		reconnects != totals.Reconnects {
		t.Fatalf("rows say %d ok, %d failed %v, %d deliveries, %d reconnects; totals %d, %d %v, %d, %d", ok, failed, errors,
			deliveries, reconnects, totals.OK(), totals.Failed(), totals.Errors, totals.Deliveries, totals.Reconnects)
	}
	if late != totals.LateSends || skipped != totals.Skipped {
		t.Fatalf("rows say %d late, %d skipped; totals %d, %d", late, skipped, totals.LateSends, totals.Skipped)
	}
	all, sinceSent := totals.Latency(), totals.SinceSent()
	if all.Count() != ok || sinceSent.Count() != ok {
		t.Fatalf("%d and %d latencies of %d answers", all.Count(), sinceSent.Count(), ok)
	}
}

// Quantiles are within the histograms' three digits of the exact ones; the maximum is exact.
func TestQuantilesAreTrue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Int64Range(0, int64(time.Minute)), 1, 500).Draw(t, "latencies")
		l := NewLatency(totalDigits)
		for _, v := range values {
			l.Record(v)
		}
		slices.Sort(values)
		got := l.Quantiles()
		exact := microseconds(values[(len(values)+1)/2-1])
		if slack := exact/1000 + microseconds(int64(latencyLeast)); got.P50 < exact-slack || got.P50 > exact+slack {
			t.Fatalf("p50 = %v µs, want %v ± %v", got.P50, exact, slack)
		}
		if want := microseconds(values[len(values)-1]); got.Max != want {
			t.Fatalf("max = %v µs, want %v", got.Max, want)
		}
		if got.P50 > got.P95 || got.P95 > got.P99 || got.P99 > got.P999 || got.P999 > got.Max {
			t.Fatalf("quantiles are not ascending: %+v", got)
		}
	})
}

func TestLatencyOutsideBounds(t *testing.T) {
	l := NewLatency(totalDigits)
	l.Record(-5)
	l.Record(int64(time.Hour))
	if q := l.Quantiles(); l.Count() != 2 || q.Max != microseconds(int64(time.Hour)) {
		t.Errorf("count %d, %+v", l.Count(), q)
	}
	l.Reset()
	if q := l.Quantiles(); l.Count() != 0 || q != (Quantiles{}) {
		t.Errorf("after Reset: count %d, %+v", l.Count(), q)
	}
}

func TestKindOf(t *testing.T) {
	want := map[libproto.Status]ErrorKind{
		libproto.StatusTimeout:      Timeout,
		libproto.StatusServerBusy:   Busy,
		libproto.StatusChecksumFail: Checksum,
		libproto.StatusUnauthorized: Auth,
	}
	for status := libproto.StatusOK + 1; status < libproto.StatusCount; status++ {
		kind, named := want[status]
		if !named {
			kind = Other
		}
		if got := KindOf(status); got != kind {
			t.Errorf("KindOf(%v) = %v, want %v", status, got, kind)
		}
	}
}

func TestCountingDoesNotAllocate(t *testing.T) {
	timeline := NewTimeline(1, time.Second, true)
	thread := timeline.Thread(0)
	now := int64(1)
	thread.Start(now)
	if n := testing.AllocsPerRun(1000, func() {
		now += int64(time.Millisecond)
		thread.Tick(now)
		thread.Succeeded(mix.Transfer, now, now)
		thread.Skip(1)
		thread.SentLate()
		thread.Failed(mix.Transfer, Busy)
		thread.Delivered()
	}); n != 0 {
		t.Errorf("%v allocations a request", n)
	}
}

// What is written is what HdrHistogram's plotters read: value in milliseconds, percentile, count, 1/(1-percentile).
func TestDistributionIsWritten(t *testing.T) {
	l := NewLatency(totalDigits)
	for i := range 1000 {
		l.Record(int64(i+1) * int64(time.Millisecond))
	}
	var text strings.Builder
	if err := l.WriteDistribution(&text); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(text.String(), "\n")
	if got := strings.Fields(lines[0]); !slices.Equal(got, []string{"Value", "Percentile", "TotalCount", "1/(1-Percentile)"}) || lines[1] != "" {
		t.Errorf("head %q", lines[:2])
	}
	percentile, count := 0.0, 0
	for _, line := range lines[2:] {
		if strings.HasPrefix(line, "#") || line == "" {
			continue
		}
		fields := strings.Fields(line)
		if len(fields) != 4 {
			t.Fatalf("line %q", line)
		}
		value, _ := strconv.ParseFloat(fields[0], 64)
		p, err := strconv.ParseFloat(fields[1], 64)
		if err != nil || p < percentile || value < 1000*p-1 || value > 1000*p+10 {
			t.Errorf("line %q after percentile %v", line, percentile)
		}
		percentile = p
		count, _ = strconv.Atoi(fields[2])
	}
	if percentile != 1 || count != 1000 || !strings.Contains(text.String(), "#[Mean ") || !strings.Contains(text.String(), "Total count    =         1000]") {
		t.Errorf("ends at percentile %v, count %d:\n%s", percentile, count, text.String())
	}
}

func TestThreadClock(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before := ReadClock()
	for sum, end := 0, time.Now().Add(20*time.Millisecond); time.Now().Before(end); sum++ {
	}
	used := ReadClock().Since(before)
	if used.Wall < 20*time.Millisecond || used.Used <= 0 || used.Used > used.Wall+20*time.Millisecond || used.Waiting < 0 {
		t.Errorf("%+v", used)
	}
}
