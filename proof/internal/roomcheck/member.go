package roomcheck

import "fmt"

// span is a range of numbers that were announced as not coming, in any of some lives.
type span struct {
	first, last       uint64
	lifeMin, lifeMost int
}

// walk goes through one member's events.
type walk struct {
	*checker
	member   *Member
	life     int    // of the latest message
	next     uint64 // expected
	resets   int    // told since the latest message
	begins   map[int]uint64
	ended    map[int]bool // lives whose end was told
	got      map[place]bool
	highest  map[int]uint64 // the last message that came of a life
	announce []span         // those since the latest message are open: their lifeMost is lifeOpen
}

// lifeOpen is the lifeMost of a span behind which no message has come yet.
const lifeOpen = -1

func (c *checker) walk(m *Member) *walk {
	return &walk{
		checker: c, member: m,
		begins: make(map[int]uint64), ended: make(map[int]bool), got: make(map[place]bool), highest: make(map[int]uint64),
	}
}

func (w *walk) run() {
	for i := range w.member.Events {
		switch e := &w.member.Events[i]; e.Kind {
		case Joined:
			w.next = e.Last + 1
			w.begins[w.life] = w.next
		case Gap:
			w.onGap(e)
		case Reset:
			w.resets++
			w.next = e.Last + 1
		case Message:
			w.onMessage(e)
		}
	}
	w.settleGaps(len(w.history.Births))
}

func (w *walk) onGap(e *Event) {
	w.result.Gaps++
	w.result.Announced += int(e.Last - e.First + 1)
	if e.First > w.next {
		w.hole(w.next, e.First-1, "before a gap that was told")
	}
	w.next = max(w.next, e.Last+1)
	w.announce = append(w.announce, span{first: e.First, last: e.Last, lifeMin: w.life, lifeMost: lifeOpen})
}

// settleGaps ends the lives that gaps since the latest message can be of.
func (w *walk) settleGaps(life int) {
	for i := len(w.announce) - 1; i >= 0 && w.announce[i].lifeMost == lifeOpen; i-- {
		w.announce[i].lifeMost = life
	}
}

func (w *walk) onMessage(e *Event) {
	w.result.Delivered++
	at := place{w.member.Room, w.history.life(e.Time), e.First}
	w.settleGaps(max(at.life, w.life))
	switch {
	case at.life > w.life:
		w.newLife(at)
	case at.life < w.life:
		w.fail(&w.result.OutOfOrder, "%s: message %d %q of life %d came in life %d", w.where(), e.First, e.Text, at.life, w.life)
		return
	case w.resets > 0:
		w.fail(&w.result.Restarts, "%s: told that the room was begun anew, and it was not: message %d is of the same life %d",
			w.where(), e.First, w.life)
	}
	w.resets = 0
	w.count(at, e)
	w.sight(at, e.Text)
}

// newLife takes up the count of a life whose first message has come.
func (w *walk) newLife(at place) {
	if w.resets > 0 {
		w.result.Resets++
		w.ended[w.life] = true
	} else {
		w.fail(&w.result.Restarts,
			"%s: message %d is of life %d, the ones before it of life %d, and nobody told that the room was begun anew", w.where(), at.seq, at.life, w.life)
		w.next = at.seq
	}
	w.life = at.life
	w.begins[at.life] = w.next
}

func (w *walk) count(at place, e *Event) {
	switch {
	case w.got[at]:
		w.fail(&w.result.Twice, "%s: message %d %q came twice", w.where(), at.seq, e.Text)
		return
	case at.seq < w.next:
		w.fail(&w.result.OutOfOrder, "%s: message %d %q came when %d was the next", w.where(), at.seq, e.Text, w.next)
		return
	case at.seq > w.next:
		w.hole(w.next, at.seq-1, fmt.Sprintf("before message %d", at.seq))
	}
	w.got[at] = true
	w.highest[at.life] = at.seq
	w.next = at.seq + 1
}

func (w *walk) hole(first, last uint64, when string) {
	w.fail(&w.result.Holes, "%s, life %d: messages %d … %d are missing %s, and nobody told of a gap", w.where(), w.life, first, last, when)
}

func (w *walk) where() string { return fmt.Sprintf("%s, room %d", w.member.Name, w.member.Room) }

// due reports whether a message had to reach the member, and excused whether it was told that it does not.
func (w *walk) due(at place) bool {
	begin, in := w.begins[at.life]
	return in && at.room == w.member.Room && at.seq >= begin
}

func (w *walk) excused(at place) bool {
	if w.ended[at.life] && at.seq > w.highest[at.life] {
		return true
	}
	for _, s := range w.announce {
		if s.first <= at.seq && at.seq <= s.last && s.lifeMin <= at.life && at.life <= s.lifeMost {
			return true
		}
	}
	return false
}
