// Package logwriter is the process that brings the log to disk. The files are ledger/journal's; here is who calls it when.
//
//	workers, master ── commit ──▶ ring (shared memory)        the log, in the order of its seqs
//	                   nudge  ──▶ journalIdle (futex)
//	journal   ReadLog ──▶ Append: private fold, hash, write ──▶ Sync ──▶ PublishDurable ──▶ eventfds of those who wait
//	                       ▲ a record that does not fit is not written       └ SnapshotDue: a copy of the fold, written aside
//
// # Start
//
// The master starts it before any worker. It recovers the folder and then looks at the segment: it fills an empty
// one (cold), compares what a crash left (warm), or goes on behind a journal that died (respawn). What it finds it says in
// its verdict; only then is anybody served.
//
// # Group commit
//
// While a group is written and synced the next one gathers in the ring: the busier the server, the larger the groups. With
// --durability async and none nobody waits for it: a small group is followed by a pause of gatherFor, in which the next
// grows. With async it is synced every syncEvery; with none never while the server runs.
//
// # Failure
//
// Whatever goes wrong with the disk, or does not fit the fold, is final: FailJournal makes the segment read-only, and the
// process stays, idle, so that nobody starts it again and hopes. Its sudden death is no failure: the log is in
// shared memory, and the next one goes on from what is on disk.
//
// # Reading back
//
// What was written is read again beside the loop, slowly (scrub.go). Before a clean stop lets the segment go, all that the next start will read
// is read and compared. Damage then stands in the segment as the journal's failure, so that the master keeps it.
//
// # Threads
//
// One goroutine does all of this. Others turn SIGTERM and the end of the master into flags and wake it; while it
// recovers, one beats the heart.
package logwriter
