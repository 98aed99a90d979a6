package roomcheck

import "fmt"

// problemsMax is how many problems of a kind are described; all are counted.
const problemsMax = 5

// Finding is what was found of one kind of problem.
type Finding struct {
	Failed   int
	Problems []string // of the first ones
}

// OK says that none was found.
func (f Finding) OK() bool { return f.Failed == 0 }

// Result is what Check found, and how much there was to find it in.
type Result struct {
	Delivered int // messages, to all members together
	Acked     int
	Gaps      int // that were told
	Announced int // messages in them
	Resets    int // new lives that a member was told of

	Holes      Finding // numbers that are missing, and nobody said so
	Twice      Finding
	OutOfOrder Finding
	Restarts   Finding // new lives that nobody told of, and resets without one
	Lost       Finding // acknowledged messages that did not come, and nobody said so
	Differ     Finding // places where two members saw different messages, messages with two places or another than was acknowledged
	Invented   Finding // messages that nobody sent
}

// checker is one check under way.
type checker struct {
	history *History
	result  Result
	texts   map[place]string // what was seen at a place
	places  map[string]place // where a text was seen
	sent    map[string]bool
}

// Check goes through a history.
func Check(h *History) Result {
	c := &checker{history: h, texts: make(map[place]string), places: make(map[string]place), sent: make(map[string]bool)}
	for _, s := range h.Sent {
		c.sent[s.Text] = true
	}
	walks := make([]*walk, len(h.Members))
	for i := range h.Members {
		walks[i] = c.walk(&h.Members[i])
		walks[i].run()
	}
	for i := range h.Sent {
		if s := &h.Sent[i]; s.Acked {
			c.acknowledged(s, walks)
		}
	}
	return c.result
}

// sight notes what a member saw at a place.
func (c *checker) sight(at place, text string) {
	if !c.sent[text] {
		c.fail(&c.result.Invented, "room %d, life %d, message %d: nobody sent %q", at.room, at.life, at.seq, text)
	}
	if seen, known := c.texts[at]; known && seen != text {
		c.fail(&c.result.Differ, "room %d, life %d, message %d: %q to one member, %q to another", at.room, at.life, at.seq, seen, text)
	}
	if other, known := c.places[text]; known && other != at {
		c.fail(&c.result.Differ, "%q is message %d of life %d in room %d, and message %d of life %d in room %d",
			text, other.seq, other.life, other.room, at.seq, at.life, at.room)
	}
	c.texts[at], c.places[text] = text, at
}

// acknowledged checks that a message came to all who had to get it, where its sender was told that it stands.
func (c *checker) acknowledged(s *Sent, walks []*walk) {
	c.result.Acked++
	at := place{s.Room, c.history.life(s.Time), s.Seq}
	if seen, known := c.texts[at]; known && seen != s.Text {
		c.fail(&c.result.Differ, "room %d, life %d: %q was acknowledged as message %d, which is %q", at.room, at.life, s.Text, s.Seq, seen)
	}
	if other, known := c.places[s.Text]; known && other != at {
		c.fail(&c.result.Differ, "%q was acknowledged as message %d of life %d, and came as message %d of life %d",
			s.Text, s.Seq, at.life, other.seq, other.life)
	}
	for _, w := range walks {
		if w.due(at) && !w.got[at] && !w.excused(at) {
			c.fail(&c.result.Lost, "%s, life %d: message %d %q was acknowledged, did not come, and nobody said so",
				w.where(), at.life, s.Seq, s.Text)
		}
	}
}

func (c *checker) fail(f *Finding, format string, args ...any) {
	f.Failed++
	if len(f.Problems) < problemsMax {
		f.Problems = append(f.Problems, fmt.Sprintf(format, args...))
	}
}
