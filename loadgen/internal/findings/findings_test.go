package findings

import (
	"slices"
	"testing"
)

func TestAllAreCountedAndTheFirstAreKept(t *testing.T) {
	var a, b Log
	for i := range ExamplesMax - 1 {
		a.Add("a%d", i)
	}
	b.AddMany(7, "b%d", 0)
	b.Add("b%d", 1)
	a.Merge(&b)
	if a.Count() != ExamplesMax-1+8 || len(a.Examples()) != ExamplesMax || a.Examples()[ExamplesMax-1] != "b0" {
		t.Errorf("count %d, examples %q", a.Count(), a.Examples())
	}
	a.Add("one too many")
	if slices.Contains(a.Examples(), "one too many") || a.Count() != ExamplesMax+8 {
		t.Errorf("count %d, examples %q", a.Count(), a.Examples())
	}
}
