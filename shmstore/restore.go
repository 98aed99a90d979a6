package shmstore

import (
	"errors"
	"fmt"

	"tradechat.internal/ledger"
)

// A segment is a fold of the log, and the journal holds the log: so a segment that was lost is made
// anew from disk (Restore), and one that a crash left is believed only if disk says the same of it
// (CheckAgainst). Both need the segment to themselves.

var (
	// ErrDoubt says that a segment which a crash left is not what the journal says.
	ErrDoubt = errors.New("segment and journal differ")

	// ErrDiskBehind says that the segment counts records as durable which the journal does not have.
	ErrDiskBehind = errors.New("the journal lacks records that were acknowledged")
)

// Restore fills an empty segment with a fold and the last records of the log up to the fold's head; as many as the
// ring takes are used. Errors: ErrTableFull if the tables are too small for it, ErrDamaged if the segment is not empty
// or the records do not lead up to the fold's head.
func (seg *Segment) Restore(f *ledger.Fold, tail []ledger.Record) error {
	if seg.Head() != 0 || seg.UserCount() != 0 || seg.RoomCount() != 0 {
		return fmt.Errorf("%s: %w: it is not empty: it has %d records", seg.path, ErrDamaged, seg.Head())
	}
	if err := seg.fits(f); err != nil {
		return err
	}
	if ends := len(tail) != 0 && tail[len(tail)-1].Seq == f.Head; !ends && f.Head != 0 {
		return fmt.Errorf("%w: %d records that do not end with %d", ErrDamaged, len(tail), f.Head)
	}
	seg.restoreUsers(f)
	for room := 1; room < len(f.Rooms); room++ {
		seg.rooms[room].name, seg.rooms[room].seq = f.Rooms[room].Name, f.Rooms[room].Seq
	}
	seg.restoreLog(f, tail)
	seg.control.roomCount.Store(uint32(max(len(f.Rooms), 1) - 1))
	seg.control.userCount.Store(uint32(max(len(f.Users), 1) - 1))
	return nil
}

// fits tells whether the tables hold what the fold has.
func (seg *Segment) fits(f *ledger.Fold) error {
	if users := len(f.Users) - 1; users > int(seg.shape.UsersMax) {
		return fmt.Errorf("%w: the journal has %d users, there is room for %d", ErrTableFull, users, seg.shape.UsersMax)
	}
	if rooms := len(f.Rooms) - 1; rooms > int(seg.shape.RoomsMax) {
		return fmt.Errorf("%w: the journal has %d rooms, there is room for %d", ErrTableFull, rooms, seg.shape.RoomsMax)
	}
	return nil
}

func (seg *Segment) restoreUsers(f *ledger.Fold) {
	for user := 1; user < len(f.Users); user++ {
		row, from := &seg.users[user], &f.Users[user]
		row.name, row.seq, row.keysSeq = from.Name, from.Seq, from.KeysSeq
		row.keys[row.active.Load()&1] = from.Keys
		seg.indexUser(uint32(user))
		account, a := &seg.accounts[user], f.Accounts[user]
		account.balance, account.deposited, account.withdrawn, account.lastSeq = a.Balance, a.Deposited, a.Withdrawn, a.LastSeq
	}
}

// restoreLog puts the newest records into the ring. The places of the next records stay free.
func (seg *Segment) restoreLog(f *ledger.Fold, tail []ledger.Record) {
	tail = tail[max(0, len(tail)-int(seg.shape.LogRecords)+recordsPerCommitMax):]
	for i := range tail {
		*seg.recordSlot(tail[i].Seq) = tail[i]
	}
	c := seg.control
	c.supply, c.timeNs, c.floor, c.bootHead = f.Supply, f.TimeNs, f.Head, f.Head
	c.logFirst = f.Head + 1 - uint64(len(tail))
	c.durable.Store(f.Head) // they come from disk; who cannot read this layout sees by it that they are
	c.head.Store(f.Head)
}

// CheckAgainst compares a segment that nobody changes with what disk holds: a fold, and the last records that led to it.
// What the ring has beyond them is folded on top; the result must be the segment's own tables. Records that were on disk once and are not
// any more are no harm while the ring has them: they are written again. f is not changed.
// Errors: ErrDoubt, ErrDiskBehind.
func (seg *Segment) CheckAgainst(f *ledger.Fold, onDisk []ledger.Record) error {
	head := seg.Head()
	switch {
	case f.Head > head:
		return fmt.Errorf("%s: %w: it ends with record %d, the journal with %d", seg.path, ErrDoubt, head, f.Head)
	case seg.Durable() > f.Head && seg.journaled() && f.Head+1 < seg.OldestRecord():
		return fmt.Errorf("%s: %w: it counts records up to %d as durable, the journal ends with %d",
			seg.path, ErrDiskBehind, seg.Durable(), f.Head)
	case f.Head+1 < seg.OldestRecord():
		return fmt.Errorf("%s: %w: its log begins with record %d, the journal ends with %d",
			seg.path, ErrDoubt, seg.OldestRecord(), f.Head)
	}
	for i := range onDisk {
		if rec := &onDisk[i]; rec.Seq >= seg.OldestRecord() && *seg.recordSlot(rec.Seq) != *rec {
			return fmt.Errorf("%s: %w: record %d is not the journal's", seg.path, ErrDoubt, rec.Seq)
		}
	}
	ahead := f.Clone()
	for seq := f.Head + 1; seq <= head; seq++ {
		if err := ahead.Apply(seg.recordSlot(seq)); err != nil {
			return fmt.Errorf("%s: %w: %w", seg.path, ErrDoubt, err)
		}
	}
	return seg.compareTables(ahead)
}

// journaled tells whether a journal has ever followed the log.
func (seg *Segment) journaled() bool {
	return JournalState(seg.control.journal.Load()) != JournalAbsent
}

// compareTables tells whether the tables are what f says.
func (seg *Segment) compareTables(f *ledger.Fold) error {
	if users, rooms := len(f.Users)-1, len(f.Rooms)-1; users != int(seg.UserCount()) || rooms != int(seg.RoomCount()) {
		return fmt.Errorf("%s: %w: it has %d users and %d rooms, the journal says %d and %d",
			seg.path, ErrDoubt, seg.UserCount(), seg.RoomCount(), users, rooms)
	}
	if seg.control.supply != f.Supply {
		return fmt.Errorf("%s: %w: supply %d, the journal says %d", seg.path, ErrDoubt, seg.control.supply, f.Supply)
	}
	for user := 1; user < len(f.Users); user++ {
		row := &seg.users[user]
		is := ledger.User{Name: row.name, Keys: row.keys[row.active.Load()&1], Seq: row.seq, KeysSeq: row.keysSeq}
		if is != f.Users[user] {
			return fmt.Errorf("%s: %w: user %d %q is not the journal's %q", seg.path, ErrDoubt, user, is.Name.Text(), f.Users[user].Name.Text())
		}
		a := &seg.accounts[user]
		has := ledger.Account{Balance: a.balance, LastSeq: a.lastSeq, Deposited: a.deposited, Withdrawn: a.withdrawn}
		if has != f.Accounts[user] {
			return fmt.Errorf("%s: %w: user %d has %+v, the journal says %+v", seg.path, ErrDoubt, user, has, f.Accounts[user])
		}
	}
	for room := 1; room < len(f.Rooms); room++ {
		if is := (ledger.Room{Name: seg.rooms[room].name, Seq: seg.rooms[room].seq}); is != f.Rooms[room] {
			return fmt.Errorf("%s: %w: room %d %q is not the journal's %q", seg.path, ErrDoubt, room, is.Name.Text(), f.Rooms[room].Name.Text())
		}
	}
	return nil
}

// Continues tells whether a journal that ends with record head can go on behind one that died, while the segment is in use.
// Errors: ErrDiskBehind, ErrDoubt.
func (seg *Segment) Continues(head uint64) error {
	switch {
	case head < seg.Durable() && seg.journaled():
		return fmt.Errorf("%s: %w: it counts records up to %d as durable, the journal ends with %d", seg.path, ErrDiskBehind, seg.Durable(), head)
	case head > seg.Head() || head+1 < seg.OldestRecord():
		return fmt.Errorf("%s: %w: its log holds records %d … %d, the journal ends with %d", seg.path, ErrDoubt, seg.OldestRecord(), seg.Head(), head)
	}
	return nil
}
