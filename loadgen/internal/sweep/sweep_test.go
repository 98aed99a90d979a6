package sweep

import (
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestSet(t *testing.T) {
	for text, want := range map[string]Range{
		"auto":            {Auto: true},
		"1000:5000:1000":  {From: 1000, To: 5000, Step: 1000},
		"1:1:1":           {From: 1, To: 1, Step: 1},
		" 1e3 : 2e3 : 50": {From: 1000, To: 2000, Step: 50},
	} {
		var r Range
		if err := r.Set(text); err != nil || r != want || r.None() {
			t.Errorf("Set(%q) = %+v, %v", text, r, err)
		}
		var back Range
		if written, err := r.MarshalText(); err != nil || back.UnmarshalText(written) != nil || back != r {
			t.Errorf("%q is written as %q and read as %+v", text, written, back)
		}
	}
}

func TestSetRefuses(t *testing.T) {
	r := Range{Auto: true}
	for _, text := range []string{"", "1000", "1:2", "1:2:3:4", "a:2:1", "0:5:1", "1:5:0", "5:1:1", "-1:5:1", "1:NaN:1", "1:1e9:1", "1:10000:1"} {
		if err := r.Set(text); !errors.Is(err, ErrSyntax) || r != (Range{Auto: true}) {
			t.Errorf("Set(%q) = %+v, %v", text, r, err)
		}
	}
}

// tried goes through a sweep of a server that holds rates up to a limit.
func tried(r Range, limit float64) (rates []float64, best float64) {
	s := NewSearch(r)
	for rate, ok := s.Next(); ok; rate, ok = s.Next() {
		rates = append(rates, rate)
		s.Tried(rate <= limit)
	}
	return rates, s.Best()
}

func TestRangeIsGoneThroughWhole(t *testing.T) {
	rates, best := tried(Range{From: 100, To: 500, Step: 100}, 300)
	if !slices.Equal(rates, []float64{100, 200, 300, 400, 500}) || best != 300 {
		t.Errorf("%v, best %v", rates, best)
	}
	if rates, best = tried(Range{From: 100, To: 150, Step: 100}, 50); !slices.Equal(rates, []float64{100}) || best != 0 {
		t.Errorf("%v, best %v", rates, best)
	}
}

// Whatever a server holds, a search finds it to 5 %, in few steps.
func TestSearchFindsTheKnee(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.Float64Range(20, RateMax/3).Draw(t, "limit")
		rates, best := tried(Range{Auto: true}, limit)
		if best > limit || best*autoWithin < limit || len(rates) > 40 {
			t.Fatalf("limit %v: best %v after %v", limit, best, rates)
		}
	})
}

func TestSearchEnds(t *testing.T) {
	if rates, best := tried(Range{Auto: true}, 0); best != 0 || rates[len(rates)-1] < autoLeast {
		t.Errorf("nothing is held: best %v after %v", best, rates)
	}
	if rates, best := tried(Range{Auto: true}, 1e12); best > RateMax || best < RateMax/2 {
		t.Errorf("everything is held: best %v after %v", best, rates)
	}
}

// One bad step does not end the search.
func TestABadStepIsTriedAgain(t *testing.T) {
	s := NewSearch(Range{Auto: true})
	first, _ := s.Next()
	s.Tried(false)
	if again, ok := s.Next(); !ok || again != first {
		t.Errorf("after a bad step of %v: %v, %v", first, again, ok)
	}
	s.Tried(true)
	if next, ok := s.Next(); !ok || next != 2*first {
		t.Errorf("after the second, good one: %v, %v", next, ok)
	}
}
