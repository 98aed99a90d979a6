package sample

import (
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestOf(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   Spread
	}{
		{nil, Spread{}},
		{[]float64{3}, Spread{3, 3, 3, 1}},
		{[]float64{4, 1}, Spread{2.5, 1, 4, 2}},
		{[]float64{9, 1, 2}, Spread{2, 1, 9, 3}},
		{[]float64{4, 3, 2, 1}, Spread{2.5, 1, 4, 4}},
	} {
		if got := Of(c.values); got != c.want {
			t.Errorf("Of(%v) = %+v, want %+v", c.values, got, c.want)
		}
	}
}

func TestOfKeepsItsInput(t *testing.T) {
	values := []float64{3, 1, 2}
	Of(values)
	if !slices.Equal(values, []float64{3, 1, 2}) {
		t.Errorf("the values are now %v", values)
	}
}

// Half of the values are on either side of the median, whatever their order.
func TestMedianIsInTheMiddle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(-1e9, 1e9), 1, 30).Draw(t, "values")
		s := Of(values)
		below, above := 0, 0
		for _, v := range values {
			if v <= s.Median {
				below++
			}
			if v >= s.Median {
				above++
			}
			if v < s.Min || v > s.Max {
				t.Fatalf("%v outside %+v", v, s)
			}
		}
		if 2*below < len(values) || 2*above < len(values) || s.Count != len(values) {
			t.Fatalf("%+v: %d of %v at or below the median, %d at or above", s, below, values, above)
		}
	})
}

func TestPairedRatios(t *testing.T) {
	got, err := PairedRatios([]float64{6, 9}, []float64{3, 6})
	if err != nil || !slices.Equal(got, []float64{2, 1.5}) {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range [][2][]float64{{{1}, {1, 2}}, {{1, 2}, {1, 0}}, {{1}, {-1}}} {
		if got, err := PairedRatios(bad[0], bad[1]); !errors.Is(err, ErrUnpaired) {
			t.Errorf("PairedRatios(%v, %v) = %v, %v", bad[0], bad[1], got, err)
		}
	}
}

// A machine that slows down by the same factor for both sides of a pair changes no ratio.
func TestPairedRatiosCancelDrift(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 10).Draw(t, "pairs")
		a, b := make([]float64, n), make([]float64, n)
		for i := range n {
			drift := rapid.Float64Range(0.5, 2).Draw(t, "drift")
			a[i], b[i] = 12*drift, 10*drift
		}
		ratios, err := PairedRatios(a, b)
		if err != nil {
			t.Fatal(err)
		}
		if s := Of(ratios); s.Min < 1.1999999 || s.Max > 1.2000001 {
			t.Fatalf("%+v", s)
		}
	})
}
