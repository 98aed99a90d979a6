package arrival

import (
	"errors"
	"math"
	"slices"
	"testing"
	"time"
)

const begin = int64(7 * time.Hour)

// all are the arrivals of a part, and how many each of its connections has.
func all(t *testing.T, kind Kind, part Part, rate float64, d time.Duration) (due []int64, turns []int) {
	t.Helper()
	s := New(kind, part, rate, 1, begin, begin+int64(d))
	turns = make([]int, part.size())
	for at, ok := s.Due(); ok; at, ok = s.Due() {
		if len(due) > 0 && at < due[len(due)-1] {
			t.Fatalf("arrival %d is due at %d, after %d", len(due), at, due[len(due)-1])
		}
		due = append(due, at)
		turns[s.Next()]++
	}
	return due, turns
}

// However many threads share them, constant arrivals are one row of even gaps, and every connection has its turn.
func TestConstantPartsFitTogether(t *testing.T) {
	const connections, rate = 10, 1000
	for _, threads := range []int{1, 3, 4, 10} {
		var together []int64
		for i := range threads {
			due, turns := all(t, Constant, Part{First: i, Stride: threads, Connections: connections}, rate, time.Second)
			together = append(together, due...)
			if slices.Min(turns) != rate/connections || slices.Max(turns) != rate/connections {
				t.Errorf("%d threads: turns %v", threads, turns)
			}
		}
		slices.Sort(together)
		if len(together) != rate {
			t.Fatalf("%d threads: %d arrivals in a second", threads, len(together))
		}
		for k, at := range together {
			if want := begin + int64(k)*int64(time.Millisecond); math.Abs(float64(at-want)) > 1 {
				t.Fatalf("%d threads: arrival %d is due %d ns after the begin, want %d", threads, k, at-begin, want-begin)
			}
		}
	}
}

// Gaps of a Poisson process: their mean is 1/rate and so is their standard deviation; each connection gets its share.
func TestPoissonGaps(t *testing.T) {
	const connections, rate = 12, 40_000
	for _, threads := range []int{1, 5} {
		count := 0
		for i := range threads {
			part := Part{First: i, Stride: threads, Connections: connections}
			due, turns := all(t, Poisson, part, rate, 2*time.Second)
			count += len(due)
			checkGaps(t, due, rate*float64(part.size())/connections)
			want := float64(len(due)) / float64(len(turns))
			for conn, n := range turns {
				if math.Abs(float64(n)-want) > 5*math.Sqrt(want) {
					t.Errorf("connection %d of part %d has %d arrivals, want about %v", conn, i, n, want)
				}
			}
		}
		if want := float64(rate * 2); math.Abs(float64(count)-want) > 5*math.Sqrt(want) {
			t.Errorf("%d threads: %d arrivals, want about %v", threads, count, want)
		}
	}
}

func checkGaps(t *testing.T, due []int64, rate float64) {
	t.Helper()
	var sum, squares float64
	for i := 1; i < len(due); i++ {
		gap := float64(due[i]-due[i-1]) / float64(time.Second)
		sum += gap
		squares += gap * gap
	}
	n := float64(len(due) - 1)
	mean := sum / n
	deviation := math.Sqrt(squares/n - mean*mean)
	if slack := 6 / math.Sqrt(n); math.Abs(mean*rate-1) > slack || math.Abs(deviation*rate-1) > 2*slack {
		t.Errorf("mean gap %v, deviation %v, want both %v", mean, deviation, 1/rate)
	}
}

func TestPoissonFollowsTheSeed(t *testing.T) {
	part := Part{Stride: 1, Connections: 3}
	a, b, c := New(Poisson, part, 10, 1, 0, 1e9), New(Poisson, part, 10, 1, 0, 1e9), New(Poisson, part, 10, 2, 0, 1e9)
	same := 0
	for range 100 {
		x, _ := a.Due()
		y, _ := b.Due()
		z, _ := c.Due()
		if x != y || a.Next() != b.Next() {
			t.Fatal("the same seed draws something else")
		}
		if c.Next(); x == z {
			same++
		}
	}
	if same == 100 {
		t.Error("another seed draws the same")
	}
}

func TestScheduleDoesNotAllocate(t *testing.T) {
	for _, kind := range []Kind{Constant, Poisson} {
		s := New(kind, Part{Stride: 2, Connections: 9}, 1e6, 1, 0, 1<<60)
		if n := testing.AllocsPerRun(1000, func() { s.Next() }); n != 0 {
			t.Errorf("%s: %v allocations an arrival", kind, n)
		}
	}
}

func TestParseKind(t *testing.T) {
	for text, want := range map[string]Kind{"constant": Constant, "poisson": Poisson, "": "", "uniform": ""} {
		got, err := ParseKind(text)
		if got != want || (want == "") != errors.Is(err, ErrKind) {
			t.Errorf("ParseKind(%q) = %q, %v", text, got, err)
		}
	}
}
