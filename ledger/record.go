package ledger

import "bytes"

// RecordBytes is the size of every record, in memory and on disk.
const RecordBytes = 128

// NameBytesMax is the length of the longest user or room name.
const NameBytesMax = 32

// AmountMax is the largest amount, balance and supply, in minor units.
const AmountMax = 1<<63 - 1

// Flags say how a posting came about.
type Flags uint32

// FlagLate marks a posting whose req_id was below the highest that its session had had applied: a retry of a request
// that had failed before. Postings without it have ascending req_ids within their session.
const FlagLate Flags = 1

// Record is a posting: a deposit, a withdrawal or a transfer. Of the other kinds only the fields up to Subject hold;
// AsName gives the rest.
type Record struct {
	Seq         uint64
	TimeNs      uint64 // Unix epoch, UTC; see ClockSlack
	SupplyAfter uint64 // sum of all balances
	Kind        Kind
	Slot        uint8 // of the process that wrote it
	Leg         uint16
	Subject     uint32 // the user, or the room, that the record is about

	Peer           uint32 // transfer: the receiver
	SessionRow     uint32
	Amount         uint64
	SubjectBalance int64 // after
	PeerBalance    int64 // after
	SubjectPrev    uint64
	PeerPrev       uint64
	SubjectTotal   uint64 // deposit, withdrawal: the account's sum of them, after
	SessionID      uint64 // 0: the admin's
	ReqID          uint64
	Legs           uint32 // of the batch; 1 for a single request
	Flags          Flags
	BatchHead      uint64      // the head when the batch was first asked for; none of its legs is older
	Fingerprint    Fingerprint // of the whole request; 0: the admin's, or a version 1 journal's
}

// NameRecord is the same 128 bytes for the kinds that name a user or a room.
type NameRecord struct {
	Seq         uint64
	TimeNs      uint64
	SupplyAfter uint64
	Kind        Kind
	Slot        uint8
	Leg         uint16
	Subject     uint32

	Name Name
	Keys Keys
}

// LegOpening is the Leg of the record of a user whose opening deposit is the next record. The two were committed at once.
const LegOpening = 1

// OpensWithDeposit tells whether the next record is the opening deposit of the user that r creates.
func (r *Record) OpensWithDeposit() bool { return r.Kind == KindUserCreate && r.Leg == LegOpening }

// Name is a user's or a room's name, zero-padded.
type Name [NameBytesMax]byte

// Keys are the server's half of a user's login keys.
type Keys struct {
	Stored [32]byte
	Server [32]byte
}

// PadName makes a Name of at most NameBytesMax bytes.
func PadName(name []byte) (padded Name) {
	copy(padded[:], name)
	return padded
}

// Text is the name without its padding, in n's own memory.
func (n *Name) Text() []byte {
	if end := bytes.IndexByte(n[:], 0); end >= 0 {
		return n[:end]
	}
	return n[:]
}

// wellFormed tells whether a name record is one, whatever it is about.
func (r *NameRecord) wellFormed() bool {
	text := r.Name.Text()
	return ValidName(text) && (r.Leg == 0 || r.asRecord().OpensWithDeposit()) && r.Name == PadName(text)
}

// ValidName tells whether name is 1 to NameBytesMax of A-Z a-z 0-9 _ . -
func ValidName(name []byte) bool {
	for _, c := range name {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		digit := c >= '0' && c <= '9'
		if !letter && !digit && c != '_' && c != '.' && c != '-' {
			return false
		}
	}
	return len(name) >= 1 && len(name) <= NameBytesMax
}
