package realtest

import (
	"errors"
	"slices"
	"testing"
	"time"
)

func TestOptions(t *testing.T) {
	for _, c := range []struct {
		change func(*Options)
		good   bool
	}{
		{func(*Options) {}, true},
		{func(o *Options) { o.Only = []string{"locks", "kill"} }, true},
		{func(o *Options) { o.Only = []string{"locks", "nonsense"} }, false},
		{func(o *Options) { o.Duration = DurationMin - 1 }, false},
		{func(o *Options) { o.Duration = DurationMax + 1 }, false},
		{func(o *Options) { o.Out = "" }, false},
	} {
		o := DefaultOptions()
		c.change(&o)
		if err := o.Validate(); (err == nil) != c.good || (err != nil && !errors.Is(err, ErrOption)) {
			t.Errorf("%+v: %v, want good: %v", o, err, c.good)
		}
	}
}

func TestOnlyKeepsTheOrderOfTheTests(t *testing.T) {
	var names []string
	for _, test := range (Options{Only: []string{"kill", "mixed"}}).chosen() {
		names = append(names, test.Name)
	}
	if !slices.Equal(names, []string{"mixed", "kill"}) {
		t.Errorf("%v", names)
	}
	if all := (Options{}).chosen(); len(all) != len(Tests()) {
		t.Errorf("%d tests of %d", len(all), len(Tests()))
	}
}

// Each case has the whole measured time, which its rounds share, and what is compared has at least two rounds.
func TestPlansShareTheTime(t *testing.T) {
	o := DefaultOptions()
	for _, test := range Tests() {
		p := o.plan(test)
		all := p.length * time.Duration(p.rounds)
		if all > o.Duration || all < o.Duration*9/10 {
			t.Errorf("%s: %d rounds of a case, %v each, are %v, want %v", test.Name, p.rounds, p.length,
				all, o.Duration)
		}
		if p.interval < intervalMin || p.interval > intervalMax {
			t.Errorf("%s: an interval of %v", test.Name, p.interval)
		}
		if quick := (Options{Quick: true}).plan(test); quick.rounds != 1 || quick.length < runMin || quick.length > durationQuickKill {
			t.Errorf("%s: quick: %+v", test.Name, quick)
		}
	}
}

// Figures need the cases of a group to follow each other, at the places 0, 1, 2 …
func TestCasesOfAGroupStandTogether(t *testing.T) {
	for _, test := range Tests() {
		place, group, names := 0, "", map[string]bool{}
		for i, c := range test.Cases {
			if i == 0 || c.Group != group {
				place, group = 0, c.Group
			}
			if c.Place != place || c.Label == "" || c.Workers < 1 || names[c.name()] {
				t.Errorf("%s: case %d is %+v, want place %d and a name of its own", test.Name, i, c, place)
			}
			names[c.name()] = true
			place++
		}
	}
}
