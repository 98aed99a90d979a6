package chatcheck

import (
	"fmt"
	"sync/atomic"

	"tradechat.internal/loadgen/internal/findings"
)

// FaultKind is a way in which the chat can be wrong.
type FaultKind uint8

const (
	Missing FaultKind = iota
	Repeated
	Corrupt
	Disagreement
	AckDiffers
	NotDelivered
	NotSent
	NotMember
	GapOpen
	WentBack
	Unchecked

	faultKindCount = iota
)

var faultKinds = [faultKindCount]struct{ name, help string }{
	Missing:      {"missing", "a room_seq that a member was not given"},
	Repeated:     {"repeated", "a room_seq that a member was given again or too late, or a message with two room_seqs"},
	Corrupt:      {"corrupt", "a message of our users that is not as it was sent, or not from whom it says"},
	Disagreement: {"disagreement", "a room_seq at which members saw different messages"},
	AckDiffers:   {"ack_differs", "an ack that names another room_seq than the delivery"},
	NotDelivered: {"not_delivered", "a message that was acked and never came back to its sender"},
	NotSent:      {"not_sent", "a message that was delivered although it was refused or never sent"},
	NotMember:    {"not_member", "a message of a room that the connection is not in, or a replay that nobody asked for"},
	GapOpen:      {"gap_open", "a room_seq of an announced gap that ROOM_HISTORY did not bring back"},
	WentBack:     {"went_back", "a room whose room_seq went back"},
	Unchecked:    {"unchecked", "something that could no longer be compared: a member or a message was too late"},
}

func (k FaultKind) String() string { return faultKinds[k].name }

// Help says in a sentence what the kind means.
func (k FaultKind) Help() string { return faultKinds[k].help }

// FaultKinds lists all kinds.
func FaultKinds() []FaultKind {
	kinds := make([]FaultKind, faultKindCount)
	for i := range kinds {
		kinds[i] = FaultKind(i)
	}
	return kinds
}

// Faults collects what is wrong. Safe for concurrent use; the zero value is ready.
type Faults struct {
	findings.Log
	kinds [faultKindCount]atomic.Uint64
}

func (f *Faults) report(kind FaultKind, format string, args ...any) {
	f.reportMany(kind, 1, format, args...)
}

func (f *Faults) reportMany(kind FaultKind, count uint64, format string, args ...any) {
	f.kinds[kind].Add(count)
	f.AddMany(count, "%v: %s", kind, fmt.Sprintf(format, args...))
}

// Of is how often a kind was found.
func (f *Faults) Of(kind FaultKind) uint64 { return f.kinds[kind].Load() }
