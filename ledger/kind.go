package ledger

import "strings"

// Kind is what a record did. The numbers are part of the layout and of the file format.
type Kind uint8

const (
	KindNone Kind = iota
	KindDeposit
	KindWithdraw
	KindTransfer
	KindUserCreate
	KindUserKeys
	KindRoomCreate
	kindsEnd
)

// Body is what a record's last 96 bytes are.
type Body uint8

const (
	BodyNone    Body = iota
	BodyPosting      // Record's
	BodyUser         // NameRecord's; the subject is a user
	BodyRoom         // likewise, a room
)

// Sum says which of its sums a posting raises at the subject's account; SubjectTotal has it.
type Sum uint8

const (
	SumNone Sum = iota
	SumDeposits
	SumWithdrawals
)

// KindInfo is all that is to be known of a kind. A new kind is a row of the table, and what applies it: Fold in this package, and apply in
// shmstore, which are two on purpose, since each is held against the other.
type KindInfo struct {
	Name    string
	Body    Body
	Subject int8   // what the amount is to the subject's balance: +1, −1, or 0 if it moves no money
	Peer    int8   // likewise for the peer; 0: there is none
	Sum     Sum    // of the subject's that the amount adds to
	Creates bool   // it makes the user or the room that is its subject
	Text    string // how it prints, see Print
}

// kinds is the one table of the kinds, by Kind. A number that is not in it has no Body.
var kinds = [1 << 8]KindInfo{
	KindNone:       {Name: "none"},
	KindDeposit:    {Name: "deposit", Body: BodyPosting, Subject: +1, Sum: SumDeposits, Text: "%u  %a  leaves %s"},
	KindWithdraw:   {Name: "withdraw", Body: BodyPosting, Subject: -1, Sum: SumWithdrawals, Text: "%u  %a  leaves %s"},
	KindTransfer:   {Name: "transfer", Body: BodyPosting, Subject: -1, Peer: +1, Text: "%u → %p  %a  leaves %s and %b"},
	KindUserCreate: {Name: "user-create", Body: BodyUser, Creates: true, Text: "%u"},
	KindUserKeys:   {Name: "user-keys", Body: BodyUser, Text: "%u"},
	KindRoomCreate: {Name: "room-create", Body: BodyRoom, Creates: true, Text: "%n"},
}

// Print writes a kind's text with its verbs replaced by what value says of them: %u the subject, %p the peer, %a the amount, %s the subject's
// balance after, %b the peer's, %n the name.
func Print(text string, value func(verb byte) string) string {
	var b strings.Builder
	for at := strings.IndexByte(text, '%'); at >= 0 && at+1 < len(text); at = strings.IndexByte(text, '%') {
		b.WriteString(text[:at])
		b.WriteString(value(text[at+1]))
		text = text[at+2:]
	}
	b.WriteString(text)
	return b.String()
}

// Kinds are all kinds that this version knows, ascending.
func Kinds() (all []Kind) {
	for k := KindNone + 1; k < kindsEnd; k++ {
		all = append(all, k)
	}
	return all
}

// Info is the kind's row of the table.
func (k Kind) Info() *KindInfo { return &kinds[k] }

// Newer tells whether a kind is one that this version does not know.
func (k Kind) Newer() bool { return k >= kindsEnd }

func (k Kind) String() string {
	if k.Newer() {
		return "unknown"
	}
	return kinds[k].Name
}

// Flows is what a record adds to and takes from the supply: what its subject gets or gives and no peer gives or gets.
func (r *Record) Flows() (in, out uint64) {
	switch k := &kinds[r.Kind]; k.Subject + k.Peer {
	case +1:
		return r.Amount, 0
	case -1:
		return 0, r.Amount
	}
	return 0, 0
}

// IsPosting tells whether a record moves money.
func (r *Record) IsPosting() bool { return kinds[r.Kind].Body == BodyPosting }

// HasPeer tells whether a posting moves money of a second account.
func (r *Record) HasPeer() bool { return kinds[r.Kind].Peer != 0 }

// Names tells whether a posting is in user's chain.
func (r *Record) Names(user uint32) bool {
	return r.IsPosting() && (r.Subject == user || r.HasPeer() && r.Peer == user)
}

// PrevOf is the record before r in user's chain; 0 at its end, and in a damaged log
// where the chain does not lead back.
func (r *Record) PrevOf(user uint32) uint64 {
	prev := r.PeerPrev
	if r.Subject == user {
		prev = r.SubjectPrev
	}
	if prev >= r.Seq {
		return 0
	}
	return prev
}

// DeltaOf is what a posting added to user's balance, negative where it took.
func (r *Record) DeltaOf(user uint32) int64 {
	k := &kinds[r.Kind]
	if r.Subject == user {
		return int64(k.Subject) * int64(r.Amount)
	}
	return int64(k.Peer) * int64(r.Amount)
}

// BalanceOf is user's balance right after a posting that names user.
func (r *Record) BalanceOf(user uint32) int64 {
	if r.HasPeer() && r.Subject != user {
		return r.PeerBalance
	}
	return r.SubjectBalance
}
