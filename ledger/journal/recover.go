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
	LastHash Hash   // of the last block or seal
	Mark     uint64 // records up to it were acknowledged once
	Snapshot uint64 // seq of the snapshot from which the fold was made; 0: from the first record
	Replayed uint64 // records that were folded
	Cut      int64  // bytes of a torn write, which NewWriter cuts off

	contents  contents
	end       walked
	newest    uint64 // seq of the newest snapshot; 0: there is none
	unsealed  []seal // of the snapshots that were compared, and that the journal does not name yet
	lastBlock Hash
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

// recovery reads a folder. It begins with the newest snapshot, and believes that only if the journal names its sum (a seal). If it does not,
// which a crash right after the snapshot can leave, the reading begins anew with an older one, and compares the newer ones with the fold.
type recovery struct {
	Recovered
	options  RecoverOptions
	all      []Snapshot // ascending
	from     Snapshot   // what the fold begins with; Seq 0: nothing
	compare  []Snapshot // ascending, those whose block has not been met
	stands   bool       // the block that from stands on has been met
	sealed   seals
	keepFrom uint64
}

func (r *recovery) read() error {
	for _, path := range r.contents.snapshots {
		s, fold, err := readSnapshot(path)
		if err != nil {
			return err
		}
		r.all, r.newest, r.Fold = append(r.all, s), s.Seq, fold
	}
	if len(r.contents.files) == 0 {
		if err := r.contents.checkEmpty(); !errors.Is(err, ErrNone) {
			return err
		}
		return nil // NewWriter begins a journal
	}
	for base := len(r.all); ; base-- {
		trusted, err := r.readFrom(base)
		if err != nil {
			return err
		}
		if trusted {
			return r.finish()
		}
	}
}

// readFrom reads all that is behind the snapshot base, counted from 1; 0 is the first record. trusted is false if the journal does not
// name that snapshot.
func (r *recovery) readFrom(base int) (trusted bool, err error) {
	r.Tail, r.Replayed, r.from, r.stands, r.sealed = r.Tail[:0], 0, Snapshot{}, false, make(seals)
	switch {
	case base == 0:
		r.Fold = ledger.NewFold()
	case base == len(r.all):
		r.from = r.all[base-1] // whose fold was read last
	default:
		if r.from, r.Fold, err = readSnapshot(r.all[base-1].Path); err != nil {
			return false, err
		}
	}
	r.Recovered.Snapshot, r.compare = r.from.Seq, r.all
	at, err := r.start()
	if err != nil {
		return false, err
	}
	if r.end, err = walkBlocks(r.contents, at, r.Mark, r.add); err != nil {
		return false, err
	}
	if base == 0 {
		return true, nil
	}
	return r.sealed.check(&r.from)
}

// start is the file from which to read: the one with the record that the snapshot stands on, or earlier for the sake of the last
// records.
func (r *recovery) start() (position, error) {
	files := r.contents.files
	last := files[len(files)-1].first
	r.keepFrom = max(last, uint64(r.options.TailRecords)+1) - uint64(r.options.TailRecords)
	want, at := min(max(r.from.Seq, 1), r.keepFrom), 0
	for at+1 < len(files) && files[at+1].first <= want {
		at++
	}
	if files[at].first > max(r.from.Seq, 1) {
		return position{}, damage(files[at].path, 0, r.from.Seq+1,
			"the first file begins with record %d, and no snapshot that the journal names stands for those before it", files[at].first)
	}
	return position{file: at, next: files[at].first, any: true}, r.contents.checkJoints(at)
}

// add folds a block, or what of it the snapshot does not hold.
func (r *recovery) add(b *block) error {
	if b.seal.seq != 0 {
		r.sealed[b.seal.seq] = b.seal.sum
		return nil
	}
	replayed, err := b.fold(r.Fold)
	r.Replayed += replayed
	if err != nil {
		return err
	}
	for ; len(r.compare) != 0 && r.compare[0].Seq <= b.last(); r.compare = r.compare[1:] {
		if err := r.checkSnapshot(&r.compare[0], b); err != nil {
			return err
		}
	}
	r.lastBlock = b.hash
	if b.last() >= r.keepFrom {
		r.keep(b.records)
	}
	return nil
}

// checkSnapshot compares a snapshot with the block that it stands on, and one that is newer than that which the fold began with with the
// fold too.
func (r *recovery) checkSnapshot(s *Snapshot, b *block) error {
	if s.Seq < b.first { // before all that is read
		return nil
	}
	if s.Seq != b.last() || s.Hash != b.hash {
		return damage(s.Path, snapshotHashAt, s.Seq, "the snapshot stands on another block than the journal has")
	}
	if s.Seq == r.from.Seq {
		r.stands = true
	}
	if s.Seq <= r.from.Seq {
		return nil
	}
	_, fold, err := readSnapshot(s.Path)
	if err != nil {
		return err
	}
	if differs := r.Fold.Differs(fold); differs != "" {
		return damage(s.Path, snapshotHeaderBytes, s.Seq, "the snapshot is not what the records add up to: %s "+
			"→ remove it: an older one, or the records, are read instead", differs)
	}
	return nil
}

// keep adds to the tail, in memory of twice its size: when that is full, the last records move to its begin.
func (r *recovery) keep(records []ledger.Record) {
	if cap(r.Tail) == 0 {
		r.Tail = make([]ledger.Record, 0, 2*r.options.TailRecords+BlockRecordsMax)
	}
	if len(r.Tail)+len(records) > cap(r.Tail) {
		r.Tail = append(r.Tail[:0], r.Tail[len(r.Tail)-r.options.TailRecords:]...)
	}
	r.Tail = append(r.Tail, records...)
}

// finish judges what was read as a whole.
func (r *recovery) finish() error {
	newest := r.contents.files[len(r.contents.files)-1]
	path := newest.path
	switch {
	case r.end.next <= r.newest:
		return damage(path, r.end.offset, r.end.next, "the journal ends before its snapshot of record %d", r.newest)
	case r.end.next <= r.Mark:
		return damage(path, r.end.offset, r.end.next, "the journal ends here, but records up to %d were acknowledged", r.Mark)
	case r.from.Seq != 0 && !r.stands:
		return damage(r.from.Path, snapshotHashAt, r.from.Seq, "the snapshot stands on another block than the journal has")
	}
	for i := range r.all {
		s := &r.all[i]
		if s.id != r.end.id {
			return damage(s.Path, fileIDAt, s.Seq, "the snapshot is of another journal")
		}
		if sealed, err := r.sealed.check(s); err != nil {
			return err
		} else if !sealed && s.Seq > r.from.Seq {
			r.unsealed = append(r.unsealed, seal{s.Seq, s.Sum})
		}
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
