package txlog

// Fold is what the records 1 … Head add up to. Tables are indexed by id; element 0 is nobody.
type Fold struct {
	Head     uint64
	TimeNs   uint64 // of record Head
	Supply   uint64
	Users    []User
	Accounts []Account
	Rooms    []Room
}

// Account is one user's money at some record.
type Account struct {
	Balance   int64
	LastSeq   uint64 // the newest record that names the account; 0: none
	Deposited uint64 // sum of its deposits
	Withdrawn uint64 // sum of its withdrawals
}

// User is one user's names and keys at some record.
type User struct {
	Name    Name
	Keys    Keys
	Seq     uint64 // the record that created it
	KeysSeq uint64 // the record that set its keys
}

// Room is one room at some record.
type Room struct {
	Name Name
	Seq  uint64 // the record that created it
}
