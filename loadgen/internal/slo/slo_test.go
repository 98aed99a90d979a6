package slo

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// sample has a latency of a millisecond a percent, 0.5 % errors and 1000 answers a second.
type sample struct{}

func (sample) Percentile(percent float64) time.Duration {
	return time.Duration(percent * float64(time.Millisecond))
}
func (sample) ErrorShare() float64 { return 0.005 }
func (sample) Rate() float64       { return 1000 }

func TestCheck(t *testing.T) {
	for text, want := range map[string]bool{
		"":                            true,
		"  ":                          true,
		"p50<51ms":                    true,
		"p50<50ms":                    false,
		"p50<=50ms":                   true,
		"p99.9<99950us":               true,
		"p999<99950us":                true,
		"p9999<99.985ms":              false,
		"max<100ms":                   false,
		"max<=100ms":                  true,
		"errors<0.5%":                 false,
		"errors<=0.5%":                true,
		"errors<1%":                   true,
		"errors<=0%":                  false,
		"rate>999":                    true,
		"rate>1000":                   false,
		"rate>=1e3":                   true,
		"p99<100ms,errors<1%,rate>1":  true,
		"p99<100ms,errors<0.1%":       false,
		" p99 < 100ms , errors <= 1%": true,
	} {
		o, err := Parse(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		results, met := o.Check(sample{})
		if met != want || o.Empty() != (len(results) == 0) || o.String() != text {
			t.Errorf("%q: met %v, %+v", text, met, results)
		}
	}
}

func TestResultsSayWhatWasMeasured(t *testing.T) {
	o, err := Parse("p99<2ms,errors<0.1%,rate>2")
	if err != nil {
		t.Fatal(err)
	}
	results, _ := o.Check(sample{})
	want := []Result{{"p99<2ms", "99ms", false}, {"errors<0.1%", "0.5%", false}, {"rate>2", "1000.0/s", true}}
	for i := range want {
		if results[i] != want[i] {
			t.Errorf("%+v, want %+v", results[i], want[i])
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{
		"p99", "p99=2ms", "p99<", "p99<2", "p99<-2ms", "p99<0s", "p99>2ms", "p0<1s", "p100<1s", "p<1s", "q99<1s", "pp<1s", "99<1s",
		"errors<0.1", "errors<x%", "errors<101%", "errors<-1%", "errors>1%", "errors<NaN%", "rate<5", "rate>x", "rate>-1", "rate>Inf",
		"p99<2ms,", ",", "p99<2ms;errors<1%", strings.Repeat("max<1s,", termsMax) + "max<1s",
	} {
		if o, err := Parse(text); !errors.Is(err, ErrSyntax) {
			t.Errorf("Parse(%q) = %+v, %v", text, o, err)
		}
	}
}
