// Package arrival says when the requests of an open loop are due: at a rate of their own, whatever becomes of the answers.
//
//	constant   │ │ │ │ │ │ │ │ │ │    request k at begin + k / rate, on connection k mod connections
//	poisson    ││   │ │   │││  │  │   independent callers: gaps drawn from the exponential distribution, connections evenly
//
// The schedule of a whole run is dealt out to the threads by connection, and each thread makes its own part: constant
// ones fit between each other, and Poisson processes that are put together are one again.
package arrival

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"time"
)

// ErrKind is the error of a kind that has no such name.
var ErrKind = errors.New("unknown kind of arrivals")

// Kind is how arrivals are spaced.
type Kind string

const (
	Constant Kind = "constant"
	Poisson  Kind = "poisson"
)

// ParseKind reads the kind's name.
func ParseKind(text string) (Kind, error) {
	if kind := Kind(text); kind == Constant || kind == Poisson {
		return kind, nil
	}
	return "", fmt.Errorf("%w %q: %s or %s", ErrKind, text, Constant, Poisson)
}

// Part is a thread's share: the connections First, First+Stride … below Connections.
type Part struct {
	First, Stride, Connections int
}

// size is how many connections it has.
func (p Part) size() int { return (p.Connections - p.First + p.Stride - 1) / p.Stride }

// Schedule yields one part's arrivals, in their order. Times are nanoseconds of whatever clock begin and end are of.
type Schedule struct {
	part       Part
	kind       Kind
	begin, end int64
	perNs      float64 // constant: of all parts; poisson: of this part
	dice       rand.PCG
	at         float64 // poisson: nanoseconds since begin
	round      int     // constant: how often each connection had its turn
	conn       int     // whose turn the next arrival is, among the part's connections
	due        int64   // the next arrival
}

// New makes the schedule of a part: rate is that of all parts, a second, and at least 1/day.
func New(kind Kind, part Part, rate float64, seed uint64, begin, end int64) Schedule {
	s := Schedule{part: part, kind: kind, begin: begin, end: end, perNs: rate / float64(time.Second)}
	if kind == Poisson {
		s.perNs *= float64(part.size()) / float64(part.Connections)
		s.dice = *rand.NewPCG(seed, uint64(part.First)|1<<63) // connections draw from streams of their own, without that bit
		s.draw()
		return s
	}
	s.set()
	return s
}

// Due is when the next arrival is; ok is false when it is after the end, as are all others.
func (s *Schedule) Due() (ns int64, ok bool) { return s.due, s.due < s.end }

// Next takes the next arrival: the connection is counted among the part's own.
func (s *Schedule) Next() (conn int) {
	conn = s.conn
	if s.kind == Poisson {
		s.draw()
		return conn
	}
	if s.conn++; s.conn == s.part.size() {
		s.conn = 0
		s.round++
	}
	s.set()
	return conn
}

// set finds the next constant arrival.
func (s *Schedule) set() {
	k := float64(s.round)*float64(s.part.Connections) + float64(s.part.First+s.conn*s.part.Stride)
	s.due = s.begin + int64(math.Round(k/s.perNs))
}

// draw finds the next Poisson arrival.
func (s *Schedule) draw() {
	even := (float64(s.dice.Uint64()>>11) + 1) / (1 << 53) // in (0, 1]
	s.at -= math.Log(even) / s.perNs
	s.due = s.begin + int64(min(s.at, math.MaxInt64/2))
	conn, _ := bits.Mul64(s.dice.Uint64(), uint64(s.part.size()))
	s.conn = int(conn)
}
