package chaos

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"tradechat.internal/testkit/figure"
)

// finished is a drill that has been judged, but for one check.
func finished(o Options) *drill {
	t := new(target)
	return &drill{options: o, bank: new(bank), chat: new(chat), target: t, nemesis: newNemesis(o, nil, t, nil, nil)}
}

func TestACertificateSaysWhatDidNotHold(t *testing.T) {
	o := DefaultOptions()
	o.Kills, o.Seed = 0, 5
	c := new(Certificate)
	c.check("this holds", true, "3 things", "no problem")
	c.check("that does not", false, "4 things", "", "the second of them")
	c.describe(finished(o), figure.Environment{}, errors.New("no root"))
	var text, encoded bytes.Buffer
	if err := errors.Join(c.Text(&text), c.JSON(&encoded)); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		"  OK      this holds: 3 things\n  FAILED  that does not: 4 things\n            the second of them\n",
		"       –  full-disk       NOT done here: no root\n", "NOT everything held. Again: tradechat-proof chaos --kills 0 --seed 5 ",
	} {
		if !strings.Contains(text.String(), part) {
			t.Errorf("no %q in:\n%s", part, &text)
		}
	}
	if strings.Contains(text.String(), "no problem") || !json.Valid(encoded.Bytes()) || !errors.Is(c.Err(), ErrFailed) {
		t.Errorf("%v, %s", c.Err(), &encoded)
	}
}

func TestTooFewKillsDoNotHold(t *testing.T) {
	o := DefaultOptions()
	d := finished(o)
	d.nemesis.kills.Store(int64(o.Kills) - 1)
	c := new(Certificate)
	if c.describe(d, figure.Environment{}, nil); c.Err() == nil {
		t.Errorf("%+v", c)
	}
	d.nemesis.kills.Add(1)
	c = new(Certificate)
	if c.describe(d, figure.Environment{}, nil); c.Err() != nil {
		t.Errorf("%+v", c)
	}
}

func TestOptions(t *testing.T) {
	if err := DefaultOptions().Validate(); err != nil {
		t.Error(err)
	}
	for n := ClientsMin; n <= ClientsMax; n++ {
		o := Options{Clients: n}
		if made := o.groups()*groupAccounts + o.chatters(); made < n || made > n+2 {
			t.Fatalf("of %d clients %d are made", n, made)
		}
	}
}

// The seed decides which faults are done, and all that were asked for have their turn.
func TestTheNemesisChoosesByItsSeed(t *testing.T) {
	o := DefaultOptions()
	o.Faults = []string{faultKillWorker, faultReboot, faultDrop, faultFullDisk}
	draw := func(seed uint64) (names []string) {
		n := newNemesis(o, rand.New(rand.NewPCG(seed, 0)), new(target), nil, nil)
		for range 300 {
			names = append(names, n.choose().name)
		}
		return names
	}
	first, again, other := strings.Join(draw(1), " "), strings.Join(draw(1), " "), strings.Join(draw(2), " ")
	if first != again || first == other {
		t.Error("the seed does not decide")
	}
	for _, name := range []string{faultKillWorker, faultReboot, faultDrop} {
		if !strings.Contains(first, name) {
			t.Errorf("%s is never done", name)
		}
	}
	if strings.Contains(first, faultFullDisk) || strings.Contains(first, faultCut) {
		t.Error("the disk is filled though there is none, or something is done that was not asked for")
	}
}
