// Package ledger is the transaction log's records and what they add up to. It knows neither shared memory nor
// files: shmstore keeps the newest records in a ring, ledger/journal keeps all of them on disk, and both fold them
// with the Fold of this package.
//
// # A record
//
// 128 bytes, the same in shared memory and on disk, little-endian (amd64's order). The first 32 are common to all
// kinds; the rest is a posting (Record) or a name with keys (NameRecord):
//
//	offset  posting                                     name
//	0       seq · time · supply after                   the same
//	24      kind u8 · slot u8 · leg u16 · subject u32   the same
//	32      peer u32 · session row u32                  name, 32 bytes, zero-padded
//	40      amount
//	48      subject's balance after · peer's            64: stored key, 32 bytes
//	64      subject's previous record · peer's          96: server key, 32 bytes
//	80      subject's total of deposits or withdrawals
//	88      session id · req_id
//	104     legs u32 · flags u32 · batch head · 8 zeros
//
// # Kinds
//
// kind.go has one table of the kinds of records. Fold, the repair and the verification of the shared memory, histories and the log command
// read it. A kind that is not in it was written by a newer version: ErrNewer, and not ErrMisfit.
//
// # Invariants
//
//  1. Seqs count 1, 2, 3 … without holes; times never decrease.
//  2. A record names everything that its application sets: applying it twice is the same as once.
//  3. supply after = supply before + deposits − withdrawals = the sum of all balances.
//  4. The previous seqs of a record chain all records that name an account, down to 0.
package ledger
