package plots

import (
	"testing"

	"gonum.org/v1/plot"
)

func labels(ticks []plot.Tick) (text string) {
	for _, tick := range ticks {
		if tick.Label != "" {
			text += tick.Label + " "
		}
	}
	return text
}

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		ticks []plot.Tick
		want  string
	}{
		{linearTicks(0, 1), "0 0.2 0.4 0.6 0.8 1 "},
		{linearTicks(0, 0.4), "0 0.1 0.2 0.3 0.4 "},
		{linearTicks(0, 159_000), "0 50k 100k 150k "},
		{linearTicks(0, 40), "0 10 20 30 40 "},
		{logTicks(0.5, 20), "0.5 1 2 5 10 20 "},
		{logTicks(0.1, 1000), "0.1 1 10 100 1k "},
		{nineTicks(1, 20_000), "0 % 50 % 90 % 99 % 99.9 % 99.99 % "},
	} {
		if got := labels(c.ticks); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

func TestLogRangeIsWhole(t *testing.T) {
	for _, c := range []struct{ least, most, from, to float64 }{
		{1.5, 35, 1, 50}, {2, 5, 2, 5}, {0.07, 0.9, 0.05, 1}, {10, 1000, 10, 1000}, {0.001, 0.0011, 0.001, 0.002}, {999, 1001, 500, 2000},
	} {
		from, to := logRange(c.least, c.most)
		if near := func(a, b float64) bool { return a/b < 1+rounding && b/a < 1+rounding }; !near(from, c.from) || !near(to, c.to) {
			t.Errorf("%v … %v: %v … %v, want %v … %v", c.least, c.most, from, to, c.from, c.to)
		}
	}
}

func TestBarsOfAPlaceDoNotMeetThoseOfTheNext(t *testing.T) {
	for n := 1; n < 6; n++ {
		first, width := barAt(0, n)
		last, _ := barAt(n-1, n)
		if first-width/2 < -0.5 || last+width/2 > 0.5 || first+last > 1e-12 || first+last < -1e-12 {
			t.Errorf("%d series: %v … %v, each %v wide", n, first, last, width)
		}
	}
}

func TestALineEndsWhereNothingWasMeasured(t *testing.T) {
	tbl := &Table{Name: "t", Header: []string{"x", "y"}, Rows: [][]string{{"0", "1"}, {"1", "2"}, {"2", "0"}, {"3", "4"}}}
	p := Panel{X: "x", Log: true}
	runs, err := p.points(tbl, Series{Y: "y", Rows: Rows{0, 4}})
	if err != nil || len(runs) != 2 || len(runs[0]) != 2 || len(runs[1]) != 1 || runs[1][0].X != 3 {
		t.Errorf("%v, %v", runs, err)
	}
	p.Log = false
	if runs, err = p.points(tbl, Series{Y: "y", Rows: Rows{0, 4}}); err != nil || len(runs) != 1 || len(runs[0]) != 4 {
		t.Errorf("a linear axis shows 0: %v, %v", runs, err)
	}
}
