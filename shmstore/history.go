package shmstore

import (
	"sync/atomic"

	"tradechat.internal/ledger"
)

// Every record holds, for each account that it names, the seq of the record before
// it that names the account. From a row's lastSeq these form a chain into the past,
// which ends at 0 or where the ring has been overwritten.

// HistoryKind says what a transaction was to the user whose history it is.
type HistoryKind uint8

const (
	HistoryDeposit     HistoryKind = 1
	HistoryWithdraw    HistoryKind = 2
	HistoryTransferOut HistoryKind = 3
	HistoryTransferIn  HistoryKind = 4
)

// HistoryRow is one transaction from one user's side.
type HistoryRow struct {
	Seq          uint64
	TimeNs       uint64
	Kind         HistoryKind
	Peer         uint32 // 0 for deposits and withdrawals
	Delta        int64
	BalanceAfter int64
}

// History appends a user's transactions with a seq below before (0: all), newest
// first, until dst is full, the chain ends or the log no longer reaches. Errors:
// ErrNoUser; ErrTooFar if before is no transaction of the user's and lies too far back.
func (st *Store) History(user uint32, before uint64, dst []HistoryRow) ([]HistoryRow, error) {
	if !st.seg.userExists(user) {
		return dst, ErrNoUser
	}
	var rec ledger.Record
	seq := st.seg.chainStart(user, before, &rec)
	for steps := 0; len(dst) < cap(dst) && st.seg.loadRecord(seq, &rec); steps++ {
		if steps == chainStepsMax {
			return dst, ErrTooFar
		}
		if before == 0 || seq < before {
			dst = append(dst, seenBy(&rec, user))
		}
		seq = rec.PrevOf(user)
	}
	return dst, nil
}

// chainStart is a record of user's chain from which to walk to those below before:
// before itself if it is one of the user's, else the newest.
func (seg *Segment) chainStart(user uint32, before uint64, rec *ledger.Record) uint64 {
	if before != 0 && seg.loadRecord(before, rec) && rec.Names(user) {
		return before
	}
	return atomic.LoadUint64(&seg.accounts[user].lastSeq)
}

// seenBy is r from user's side.
func seenBy(r *ledger.Record, user uint32) HistoryRow {
	row := HistoryRow{Seq: r.Seq, TimeNs: r.TimeNs, BalanceAfter: r.BalanceOf(user), Delta: r.DeltaOf(user)}
	switch info := r.Kind.Info(); {
	case info.Peer != 0 && r.Subject == user:
		row.Kind, row.Peer = HistoryTransferOut, r.Peer
	case info.Peer != 0:
		row.Kind, row.Peer = HistoryTransferIn, r.Subject
	case info.Subject > 0:
		row.Kind = HistoryDeposit
	default:
		row.Kind = HistoryWithdraw
	}
	return row
}
