package journal

import (
	"errors"
	"fmt"
	"os"

	"tradechat.internal/ledger"
)

// RecoverOptions says how to recover.
type RecoverOptions struct {
	TailRecords int // how many of the last records to return
}

// Recovered is what a folder holds, and what a Writer goes on from.
type Recovered struct {
	Fold     *ledger.Fold
	Tail     []ledger.Record // the last records, ascending, up to Fold.Head
	ID       ID
	LastHash Hash   // of the last block
	Mark     uint64 // records up to it were acknowledged once
	Snapshot uint64 // seq of the snapshot from which the fold was made; 0: from the first record
	Replayed uint64 // records that were folded
	Cut      int64  // bytes of a torn write, which NewWriter cuts off

	contents contents
	end      walked
}

// Recover reads a journal's folder, which need not exist: newest snapshot, blocks behind it, and the last
// records. It changes nothing: a torn end, and drafts that a crash left, are NewWriter's to remove. No other process may use the
// folder. Anything else that is wrong is an error that wraps ErrDamaged.
func Recover(dir string, o RecoverOptions) (*Recovered, error) {
	c, err := list(dir)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	mark, err := readMark(dir)
	if err != nil {
		return nil, err
	}
	r := &recovery{options: o, Recovered: Recovered{Fold: ledger.NewFold(), Mark: mark, contents: c}}
	if err := r.read(); err != nil {
		return nil, err
	}
	return &r.Recovered, nil
}

type recovery struct {
	Recovered
	options  RecoverOptions
	older    []Snapshot // ascending, those before the newest whose block has not been met
	snapshot Snapshot   // the newest: the fold begins with it
	stands   bool       // the block that it stands on has been met
	keepFrom uint64
}

func (r *recovery) read() (err error) {
	for i, path := range r.contents.snapshots {
		s, fold, err := readSnapshot(path)
		if err != nil {
			return err
		}
		if i < len(r.contents.snapshots)-1 {
			r.older = append(r.older, s)
			continue
		}
		r.snapshot, r.Fold, r.Recovered.Snapshot = s, fold, s.Seq
	}
	if len(r.contents.files) == 0 {
		if err := r.contents.checkEmpty(); !errors.Is(err, ErrNone) {
			return err
		}
		return nil // NewWriter begins a journal
	}
	from, err := r.start()
	if err != nil {
		return err
	}
	if r.end, err = walkBlocks(r.contents, from, r.Mark, r.add); err != nil {
		return err
	}
	return r.checkEnd()
}

// start is the file from which to read: behind the snapshot, or earlier for the sake of the last records.
func (r *recovery) start() (position, error) {
	files := r.contents.files
	last := files[len(files)-1].first
	r.keepFrom = max(last, uint64(r.options.TailRecords)+1) - uint64(r.options.TailRecords)
	want, at := min(r.snapshot.Seq+1, r.keepFrom), 0
	for at+1 < len(files) && files[at+1].first <= want {
		at++
	}
	if files[at].first > r.snapshot.Seq+1 {
		return position{}, damage(files[at].path, 0, r.snapshot.Seq+1, "the first file begins with record %d, and no snapshot stands for those before it", files[at].first)
	}
	return position{file: at, next: files[at].first, any: true}, r.contents.checkJoints(at)
}

// add folds a block, or what of it the snapshot does not hold.
func (r *recovery) add(b *block) error {
	for ; len(r.older) != 0 && r.older[0].Seq <= b.last(); r.older = r.older[1:] {
		if s := r.older[0]; s.Seq >= b.first && (s.Seq != b.last() || s.Hash != b.hash) {
			return damage(s.Path, snapshotHashAt, s.Seq, "the snapshot stands on another block than the journal has")
		}
	}
	if b.first <= r.snapshot.Seq && b.last() >= r.snapshot.Seq {
		if err := r.stand(b.hash, b.last()); err != nil {
			return err
		}
	}
	if b.first == r.snapshot.Seq+1 && !r.stands && r.snapshot.Seq != 0 {
		if err := r.stand(b.prev, r.snapshot.Seq); err != nil {
			return err
		}
	}
	replayed, err := b.fold(r.Fold)
	r.Replayed += replayed
	if err != nil {
		return err
	}
	if b.last() >= r.keepFrom {
		r.keep(b.records)
	}
	return nil
}

// keep adds to the tail, in memory of twice its size: when that is full, the last records move to its begin.
func (r *recovery) keep(records []ledger.Record) {
	if r.Tail == nil {
		r.Tail = make([]ledger.Record, 0, 2*r.options.TailRecords+BlockRecordsMax)
	}
	if len(r.Tail)+len(records) > cap(r.Tail) {
		r.Tail = append(r.Tail[:0], r.Tail[len(r.Tail)-r.options.TailRecords:]...)
	}
	r.Tail = append(r.Tail, records...)
}

// stand compares the block that the snapshot stands on.
func (r *recovery) stand(hash Hash, last uint64) error {
	r.stands = true
	if hash != r.snapshot.Hash || last != r.snapshot.Seq {
		return damage(r.snapshot.Path, snapshotHashAt, r.snapshot.Seq, "the snapshot stands on another block than the journal has")
	}
	return nil
}

func (r *recovery) checkEnd() error {
	newest := r.contents.files[len(r.contents.files)-1]
	path := newest.path
	switch {
	case r.end.next <= r.snapshot.Seq:
		return damage(path, r.end.offset, r.end.next, "the journal ends before its snapshot of record %d", r.snapshot.Seq)
	case r.end.next <= r.Mark:
		return damage(path, r.end.offset, r.end.next, "the journal ends here, but records up to %d were acknowledged", r.Mark)
	case r.snapshot.Seq != 0 && r.snapshot.id != r.end.id:
		return damage(r.snapshot.Path, 16, r.snapshot.Seq, "the snapshot is of another journal")
	case r.snapshot.Seq != 0 && !r.stands && r.end.prev != r.snapshot.Hash:
		return damage(r.snapshot.Path, snapshotHashAt, r.snapshot.Seq, "the snapshot stands on another block than the journal has")
	}
	if err := r.Fold.Conserved(); err != nil {
		return &DamageError{File: path, Offset: r.end.offset, Seq: r.Fold.Head, What: "the sums differ", Cause: err}
	}
	r.ID, r.LastHash, r.Cut = r.end.id, r.end.prev, r.end.torn
	r.Tail = r.Tail[max(0, len(r.Tail)-r.options.TailRecords):]
	return nil
}

// clean cuts the newest file behind its last block, and removes what a crash has left half made. All that is left is on disk then. A
// file without blocks stays: the next one, which begins with the same record, takes its name.
func (r *Recovered) clean(note func(format string, args ...any)) error {
	for _, path := range r.contents.leftovers {
		note("removed %s, which was never finished", path)
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	if r.end.path == "" {
		return nil
	}
	if r.Cut != 0 {
		note("%s: a write was cut short: %d bytes after record %d, which nobody was told of, are cut off at byte %d",
			r.end.path, r.Cut, r.Fold.Head, r.end.offset)
	}
	return truncate(r.end.path, r.end.offset)
}

func truncate(path string, size int64) error {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(file.Truncate(size), file.Sync(), file.Close())
}
