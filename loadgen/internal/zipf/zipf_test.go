package zipf

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
)

// What is drawn follows 1/k^skew: the count of each rank is within five standard deviations.
func TestDrawFollowsTheSkew(t *testing.T) {
	const draws = 200_000
	for _, test := range []struct {
		n    int
		skew float64
	}{{1, 1}, {2, 0}, {7, 0}, {100, 0.5}, {100, 0.99}, {1000, 1}, {50, 2}, {10, SkewMax}} {
		table, err := New(test.n, test.skew)
		if err != nil {
			t.Fatal(err)
		}
		counts, source := make([]float64, test.n), rand.NewPCG(1, 2)
		for range draws {
			counts[table.Draw(source.Uint64())]++
		}
		total := 0.0
		for k := range counts {
			total += math.Pow(float64(k+1), -test.skew)
		}
		for k, got := range counts {
			share := math.Pow(float64(k+1), -test.skew) / total
			if slack := 1 + 5*math.Sqrt(draws*share*(1-share)); math.Abs(got-draws*share) > slack {
				t.Errorf("%d ranks, skew %v: rank %d drawn %v times, want %v ± %v", test.n, test.skew, k, got, draws*share, slack)
			}
		}
	}
}

func TestExtremesAreRanks(t *testing.T) {
	table, err := New(3, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, drawn := range []uint64{0, 1, math.MaxUint32, 1 << 32, 1 << 63, math.MaxUint64} {
		if rank := table.Draw(drawn); rank > 2 {
			t.Errorf("Draw(%#x) = %d", drawn, rank)
		}
	}
}

func TestBadSkew(t *testing.T) {
	for _, skew := range []float64{-0.1, SkewMax + 0.1, math.NaN(), math.Inf(1)} {
		if _, err := New(3, skew); !errors.Is(err, ErrSkew) {
			t.Errorf("New(3, %v) = %v", skew, err)
		}
	}
}

func TestDrawDoesNotAllocate(t *testing.T) {
	table, _ := New(1000, 1)
	if n := testing.AllocsPerRun(100, func() { table.Draw(1 << 60) }); n != 0 {
		t.Errorf("%v allocations a draw", n)
	}
}
