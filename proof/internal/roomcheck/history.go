package roomcheck

import "slices"

// Kind is what a member was told.
type Kind uint8

const (
	Joined  Kind = iota // the room, behind message Last
	Message             // number First, Text, at Time
	Gap                 // First … Last will not come
	Reset               // the room has begun anew, and goes on behind Last
)

// Event is one thing that a member was told of a room.
type Event struct {
	Kind        Kind
	First, Last uint64
	Time        int64 // of the server, nanoseconds since the Unix epoch; messages only
	Text        string
}

// Member is what one member was told of one room, in order.
type Member struct {
	Name   string
	Room   uint32
	Events []Event
}

// Sent is a message that somebody sent, or tried to. Texts are unique in a history.
type Sent struct {
	Room  uint32
	Text  string
	Acked bool
	Seq   uint64 // if acknowledged
	Time  int64
}

// History is a run's.
type History struct {
	Members []Member
	Sent    []Sent
	Births  []int64 // when each life but the first began: nanoseconds since the Unix epoch, ascending
}

// life is the one that a moment lies in.
func (h *History) life(at int64) int {
	n, _ := slices.BinarySearch(h.Births, at+1)
	return n
}

// place is where a message stands.
type place struct {
	room uint32
	life int
	seq  uint64
}
