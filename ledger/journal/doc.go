// Package journal keeps the transaction log on disk: journal files that are hash-chained block by block, snapshots of
// what they add up to, and the mark of what was acknowledged. It knows neither shared memory nor processes.
//
//	DATA/journal/
//	  00000000000000000001.jnl    ┌────────┬───────┬───────┬──────────────┐
//	                              │ header │ block │ block │ …            │   exactly whole blocks
//	  00000000000000524289.jnl    ├────────┼───────┼───────┼──────────────┤
//	                              │ header │ block │ block │ zeros        │   the newest: preallocated
//	  mark                        └────────┴───────┴───────┴──────────────┘   highest seq that was synced
//	  snapshot-00000000000000500000                                           the fold at a block's end
//
//	block   header: magic · first seq · count · SHA-256 of the block before    64 bytes
//	        records                                                            128 bytes each
//	        trailer: CRC-32C of all before · count                             8 bytes
//
// docs/journal.md has every byte. Integers are little-endian: a record lies in the file as it lies in memory.
//
// # Writing
//
// One Writer a folder. Append folds records, each checked against all before it, and writes them as one block; Sync makes what
// was appended durable and then moves the mark. What Append refuses was not written. A file is made under
// another name, gets its header, is synced and then renamed; when it is full it is synced and cut to what is used
// before the next one is begun. A start never appends to an old file.
//
// # Failure
//
// The first write or sync that fails is the last: the Writer is dead. After a failed fsync(2) Linux has marked the dirty
// pages clean, so that a second call succeeds without anything having been written: to sync again and hope would be to
// lie. The same holds for a file that is no longer where it was made.
//
// # Reading
//
// Recover, Audit and Scan walk the same blocks. In every file but the newest anything that is not a whole block is damage.
// In the newest one, what follows the last whole block is either zeros, or a write that was cut short: it is cut, unless
// the mark says that a record which should be there was once acknowledged; then it is damage too. A snapshot is the
// fold of the records up to its seq, and names the hash of the block that it stands on. The chain names the snapshot in turn, by its
// sum (seal.go): Recover believes no other one.
//
// # Invariants
//
//  1. Records are in the files in the order of their seqs, without holes, each file and block beginning where the one
//     before it ends.
//  2. A block is written only when every record in it fits the fold of all before it.
//  3. mark ≤ what fdatasync(2) has returned for.
//  4. A snapshot exists only if the block it stands on is synced.
//  5. What is damaged is never changed: only a torn end is cut. SetAside moves it.
//  6. All files and snapshots of a folder have one identity, and all files one binding to realm and iterations, version 1's excepted.
package journal
