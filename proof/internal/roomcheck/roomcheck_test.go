package roomcheck

import (
	"fmt"
	"testing"
)

// birth is when life 1 begins: message n of life 0 is of time n, of life 1 of birth + n.
const birth = 1000

func text(life int, seq uint64) string { return fmt.Sprintf("life %d, message %d", life, seq) }

func message(life int, seq uint64) Event {
	return Event{Kind: Message, First: seq, Time: int64(life*birth) + int64(seq), Text: text(life, seq)}
}

func messages(life int, first, last uint64) (events []Event) {
	for seq := first; seq <= last; seq++ {
		events = append(events, message(life, seq))
	}
	return events
}

func acked(life int, seq uint64) Sent {
	return Sent{Room: 1, Text: text(life, seq), Acked: true, Seq: seq, Time: int64(life*birth) + int64(seq)}
}

// honest: of ten messages in life 0 the first member has got all, the second has missed 4 and 5; of life 0's end and of the first
// two messages of life 1, both were told.
func honest() *History {
	h := &History{Births: []int64{birth}, Members: []Member{{Name: "ann", Room: 1}, {Name: "bob", Room: 1}}}
	all := append([]Event{{Kind: Joined}}, messages(0, 1, 10)...)
	all = append(append(all, Event{Kind: Reset, Last: 2}), messages(1, 3, 6)...)
	some := append([]Event{{Kind: Joined}}, messages(0, 1, 3)...)
	some = append(append(some, Event{Kind: Gap, First: 4, Last: 5}), messages(0, 6, 8)...)
	some = append(append(some, Event{Kind: Reset, Last: 2}), messages(1, 3, 6)...)
	h.Members[0].Events, h.Members[1].Events = all, some
	for seq := uint64(1); seq <= 10; seq++ {
		h.Sent = append(h.Sent, acked(0, seq))
	}
	for seq := uint64(1); seq <= 6; seq++ {
		h.Sent = append(h.Sent, acked(1, seq))
	}
	return h
}

// findings are the kinds of problems that a result has.
func findings(r Result) (kinds []string) {
	for _, f := range []struct {
		name string
		Finding
	}{
		{"holes", r.Holes}, {"twice", r.Twice}, {"order", r.OutOfOrder}, {"restarts", r.Restarts}, {"lost", r.Lost}, {"differ", r.Differ},
		{"invented", r.Invented},
	} {
		if !f.OK() {
			kinds = append(kinds, fmt.Sprintf("%s %d", f.name, f.Failed))
		}
	}
	return kinds
}

func TestAnHonestHistoryHolds(t *testing.T) {
	r := Check(honest())
	if kinds := findings(r); kinds != nil || r.Delivered != 24 || r.Acked != 16 || r.Gaps != 1 || r.Announced != 2 || r.Resets != 2 {
		t.Errorf("%v in %+v", kinds, r)
	}
}

func without(events []Event, i int) []Event {
	return append(append([]Event(nil), events[:i]...), events[i+1:]...)
}

func with(events []Event, i int, e Event) []Event {
	return append(append(append([]Event(nil), events[:i]...), e), events[i:]...)
}

func TestLiesAreFound(t *testing.T) {
	for name, c := range map[string]struct {
		lie  func(h *History, events *[]Event) // events are bob's
		want []string
	}{
		"a message is missing": {func(_ *History, e *[]Event) { *e = without(*e, 2) }, []string{"holes 1", "lost 1"}},
		"a message is missing before a gap": {
			func(_ *History, e *[]Event) { *e = without(*e, 3) }, []string{"holes 1", "lost 1"}},
		"nobody told of a gap":           {func(_ *History, e *[]Event) { *e = without(*e, 4) }, []string{"holes 1", "lost 2"}},
		"a gap that tells of too little": {func(_ *History, e *[]Event) { (*e)[4].Last = 4 }, []string{"holes 1", "lost 1"}},
		"a message comes twice":          {func(_ *History, e *[]Event) { *e = with(*e, 3, (*e)[2]) }, []string{"twice 1"}},
		"two messages are exchanged": {
			func(_ *History, e *[]Event) { (*e)[1], (*e)[2] = (*e)[2], (*e)[1] }, []string{"holes 1", "order 1", "lost 1"}},
		"a message of the life before": {func(_ *History, e *[]Event) { *e = with(*e, 10, message(0, 9)) }, []string{"order 1"}},
		"nobody told of a new life": {
			func(_ *History, e *[]Event) { *e = without(*e, 8) }, []string{"restarts 1", "lost 2"}},
		"a new life that was none": {
			func(_ *History, e *[]Event) { *e = with(*e, 2, Event{Kind: Reset, Last: 1}) }, []string{"restarts 1"}},
		"the last message does not come": {func(_ *History, e *[]Event) { *e = (*e)[:len(*e)-1] }, []string{"lost 1"}},
		"another message at a place": {
			func(h *History, e *[]Event) {
				(*e)[1].Text = "another"
				h.Sent = append(h.Sent, Sent{Room: 1, Text: "another"})
			}, []string{"differ 2"}},
		"a message that nobody sent": {
			func(h *History, e *[]Event) { h.Sent = h.Sent[:len(h.Sent)-1] }, []string{"invented 2"}},
		"acknowledged at another place": {func(h *History, _ *[]Event) { h.Sent[0].Seq = 2 }, []string{"differ 2"}},
		"acknowledged, and a copy came elsewhere": {
			func(h *History, e *[]Event) {
				*e = append(*e, Event{Kind: Message, First: 7, Time: birth + 7, Text: text(0, 1)})
			},
			[]string{"differ 2"}},
	} {
		h := honest()
		c.lie(h, &h.Members[1].Events)
		if got := findings(Check(h)); fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: found %v, want %v", name, got, c.want)
		}
	}
}

func TestWhatWasNotAcknowledgedMayBeMissing(t *testing.T) {
	h := honest()
	h.Members[0].Events, h.Members[1].Events = h.Members[0].Events[:15], h.Members[1].Events[:12]
	h.Sent[15].Acked = false
	if kinds := findings(Check(h)); kinds != nil {
		t.Errorf("%v", kinds)
	}
}
