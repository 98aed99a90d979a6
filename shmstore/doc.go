// Package shmstore is the shared memory of a chat server in which money moves:
// accounts, users, sessions, a transaction log, chat rooms and mailboxes in one
// segment of /dev/shm that several processes map and change.
//
// # Memory
//
// A segment is a file that is created O_EXCL, allocated whole and mapped
// MAP_SHARED. Everything in it is an offset or an index, never a pointer.
//
//	superblock   magic, layout version, layout hash, shape, offset of each region
//	control      registry lock | global lock | log lock, head, supply | counts
//	slots        one row a process: state, generation, heartbeat | announced locks, pending seq | armed
//	metrics      one row a slot: counters and latency histograms, one writer each
//	dirty        one bitmap over rooms a slot: which rooms it has to drain
//	accounts     one 64-byte row a user: lock, balance, last seq, totals
//	users        name and login keys; an open-addressing index by name
//	sessions     one 64-byte row a session, and beside it a packed array of their users
//	log          a power-of-two ring of 128-byte records
//	rooms        lock, name, ring head, members per slot; a member bitmap over sessions;
//	             a cursor for every (slot, room); a byte ring of messages
//	mailboxes    one byte ring a slot: direct messages and fences
//	addresses    login failures and connections by network address
//
// layout.go alone defines these structures; docs/shm-layout.md is printed from them.
//
// # Who writes
//
// A process binds one slot (Bind) and changes the segment through its Store, from
// one goroutine at a time. Worker i has slot i; behind them come the master's and the
// journal's. Only the master repairs (RepairSlot), and only a slot whose process it has reaped.
// The journal changes no row: it reads the log and says how far it is durable (durable.go).
//
// # Invariants
//
//  1. The log is the write-ahead log. head = seq is the commit point of record seq;
//     the account rows, user rows and room names are a fold of the records 1 … head.
//  2. A record names everything that its application sets, so applying it twice
//     is the same as once (rows are set where their last seq is lower).
//  3. A slot's pending seq is non-zero from before the commit point until the record
//     is applied. While it is, the slot holds the locks of the rows that it names.
//  4. Every lock is announced in the holder's slot before it is taken, and the
//     announcement is withdrawn after it is released and what it protected was made known.
//  5. A lock is never stolen. A wait that passes its deadline is ErrBusy; only
//     RepairSlot frees a lock, and only one that the dead slot and generation owns.
//  6. The sum of all balances is the supply of the head record, which is the sum of
//     all deposits less the sum of all withdrawals. Verify checks it.
//  7. A record is overwritten only when it is durable and no slot's pending seq is at or
//     below it. The places of the next two records are therefore garbage at any time: a
//     commit makes one record part of history, or two at once.
//  8. Ring bytes are overwritten only after the ring's first position has passed
//     them; a reader copies an entry and then checks that position again.
//  9. A session outlives its connection and its worker: detached, it keeps its rooms and its
//     last req_id until it is resumed, with a higher epoch that fences off whoever still
//     holds the old one, or its time is over.
//
// # Lock order
//
// registry → account with the lower number → the other account → log.
// A room's lock is taken with no other lock held, a mailbox's with none or its room's.
// With LockGlobal one lock stands for all account locks.
//
// # Memory order
//
// Words that two processes exchange (locks, head, ring states, dirty bits) are
// accessed with sync/atomic, but for the two stores of memoryorder.go, which end a
// commit and a lock's hold. What a lock protects is written plainly: the lock's own
// atomics order it. So are announcements and pending seqs: another process reads them
// only once their writer is dead or, for pending seqs, under the log lock, after which
// they were set; a killed thread stops between two instructions, so program order is
// what it left. Readers without a lock (ring entries, log records) copy plainly and then
// check atomically that nothing was overwritten. All of this relies on amd64, where
// stores become visible in program order and loads are not reordered; other processors
// are refused at compile time.
//
// # Disk
//
// The segment knows of the journal only the durable seq. Package journal is the files, package ledger
// the record and the fold that segment and files are compared by. Restore fills an empty segment from
// disk; CheckAgainst tells whether one that a crash left agrees with it.
package shmstore
