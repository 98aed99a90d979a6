package load

import (
	"math"
	"strings"
	"testing"
)

func TestIntervalsAreReadByName(t *testing.T) {
	const text = "connections,second,ok,failed,p50_us,p95_us,p99_us,p999_us,max_us,more\n" +
		"100,0,500,0,1.5,2,3,4,5,x\n" +
		"99,0.1,400,7,1,2,3,4,60.5,y\n"
	list, err := intervals(text)
	if err != nil || len(list) != 2 {
		t.Fatalf("%+v, %v", list, err)
	}
	want := Interval{Second: 0.1, OK: 400, Failed: 7, Connections: 99, LatencyUs: Quantiles{P50: 1, P95: 2, P99: 3, P999: 4,
		Max: 60.5}}
	if list[1] != want {
		t.Errorf("%+v, want %+v", list[1], want)
	}
}

func TestIntervalsThatLackSomething(t *testing.T) {
	for _, c := range []struct{ text, says string }{
		{"", "0 rows"},
		{"second,ok\n1,2\n", "no column"},
		{"connections,second,ok,failed,p50_us,p95_us,p99_us,p999_us,max_us\n1,2,3,4,5,6,7,8,nine\n", "nine"},
		{"a,b\n1\n", "wrong number"},
	} {
		if _, err := intervals(c.text); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%q: %v, want %q", c.text, err, c.says)
		}
	}
}

func TestPercentilesAreReadWithoutTheEndAtInfinity(t *testing.T) {
	const text = "       Value     Percentile TotalCount 1/(1-Percentile)\n\n" +
		"       0.500 0.000000000000        10           1.00\n" +
		"       1.250 0.500000000000        50           2.00\n" +
		"       9.000 0.990000000000        99         100.00\n" +
		"      12.000 1.000000000000       100            inf\n" +
		"#[Mean    =        1.200, StdDeviation   =        0.9]\n"
	list := percentiles(text)
	if len(list) != 3 || list[1].Quantile != 0.5 || list[1].Ms != 1.25 || list[1].Count != 50 || list[1].OneIn != 2 ||
		list[2].Ms != 9 {
		t.Errorf("%+v", list)
	}
}

// Two distributions: half of the requests of either take up to 1 and 3 ms.
func TestPoolIsTheDistributionOfAllTogether(t *testing.T) {
	quick := []Percentile{{Quantile: 0.5, Ms: 1, Count: 50, OneIn: 2}, {Quantile: 0.9, Ms: 2, Count: 90, OneIn: 10}}
	slow := []Percentile{{Quantile: 0.5, Ms: 3, Count: 150, OneIn: 2}, {Quantile: 0.9, Ms: 5, Count: 270, OneIn: 10}}
	pooled := Pool(quick, slow)
	want := map[float64]float64{1: 50, 2: 90, 3: 90 + 150, 5: 90 + 270} // up to so many milliseconds so many of 400
	if len(pooled) != len(want) {
		t.Fatalf("%+v", pooled)
	}
	for _, p := range pooled {
		if p.Count != want[p.Ms] || math.Abs(p.Quantile-want[p.Ms]/400) > 1e-9 || math.Abs(p.OneIn-1/(1-p.Quantile)) > 1e-9 {
			t.Errorf("%+v, want %v of 400", p, want[p.Ms])
		}
	}
	if alone := Pool(quick); len(alone) != 2 || alone[1] != quick[1] {
		t.Errorf("one distribution alone is changed: %+v", alone)
	}
	if none := Pool(nil, nil); len(none) != 0 {
		t.Errorf("nothing pools to %+v", none)
	}
}

func TestBetweenTwoPointsThereIsALine(t *testing.T) {
	d := []Percentile{{Ms: 1, Count: 100}, {Ms: 3, Count: 200}}
	for value, want := range map[float64]float64{0.5: 0, 1: 100, 2: 150, 3: 200, 9: 200} {
		if got := countUpTo(d, value); got != want {
			t.Errorf("up to %v ms: %v, want %v", value, got, want)
		}
	}
}

func TestSlowerIsTheShareBeyond(t *testing.T) {
	d := []Percentile{{Quantile: 0.5, Ms: 1}, {Quantile: 0.75, Ms: 40}, {Quantile: 0.875, Ms: 60}}
	for limit, want := range map[float64]float64{0.5: 1, 1: 0.5, 50: 0.25, 60: 0.125, 99: 0.125} {
		if got := Slower(d, limit); got != want {
			t.Errorf("slower than %v ms: %v, want %v", limit, got, want)
		}
	}
	if got := Slower(nil, 1); got != 0 {
		t.Errorf("of nothing %v is slower", got)
	}
}
