package journal

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"time"

	"tradechat.internal/ledger"
)

// Audit is what reading a whole journal has shown. Amounts are minor units.
type Audit struct {
	Dir         string          `json:"dir"`
	OK          bool            `json:"ok"`
	First       uint64          `json:"first_seq"` // of the first record that is there; 0: none
	Last        uint64          `json:"last_seq"`
	Base        uint64          `json:"base_seq"` // seq of the snapshot that the fold begins with; 0: it begins with record 1
	Mark        uint64          `json:"mark"`     // records up to it were acknowledged
	Records     uint64          `json:"records"`
	Blocks      uint64          `json:"blocks"`
	Files       int             `json:"files"`
	Bytes       int64           `json:"bytes"` // of whole blocks and headers
	TornBytes   int64           `json:"torn_bytes"`
	Users       int             `json:"users"`
	Rooms       int             `json:"rooms"`
	Supply      uint64          `json:"supply"`
	Deposits    ledger.Total    `json:"deposits"`
	Withdrawals ledger.Total    `json:"withdrawals"`
	Snapshots   []SnapshotCheck `json:"snapshots"`
	LastHash    string          `json:"last_hash"`
	Problem     *Problem        `json:"problem,omitempty"`
	Seconds     float64         `json:"seconds"`
}

// SnapshotCheck is a snapshot that was compared with the fold at its seq.
type SnapshotCheck struct {
	Seq uint64 `json:"seq"`
	OK  bool   `json:"ok"`
}

// Problem is the first thing that is wrong.
type Problem struct {
	File   string `json:"file"`
	Offset int64  `json:"offset"`
	Seq    uint64 `json:"seq,omitempty"`
	Text   string `json:"text"`
}

// AuditOptions says what to tell meanwhile.
type AuditOptions struct {
	Progress func(file, files int, seq uint64) // after each block; may be nil
}

// auditor folds the journal anew.
type auditor struct {
	*Audit
	options  AuditOptions
	contents contents
	fold     *ledger.Fold
	base     Snapshot
	sealed   seals
	met      []Snapshot // that were read, the base too
	file     string
	pending  []string // snapshots whose seq has not been met
}

// Check reads a whole journal, changes nothing, and compares everything: hash chain, checksums, every record against the fold
// of all before it, each snapshot against the fold at its seq, and the sums. It may run beside a Writer: a block that
// is being written ends it. What is wrong with the journal is in the Audit; an error is one of the file system's.
func Check(dir string, o AuditOptions) (*Audit, error) {
	began := time.Now()
	a := &auditor{Audit: &Audit{Dir: dir, Snapshots: []SnapshotCheck{}}, options: o, fold: ledger.NewFold(), sealed: make(seals)}
	err := a.run(dir)
	var d *DamageError
	if errors.As(err, &d) {
		a.Problem = &Problem{File: d.File, Offset: d.Offset, Seq: d.Seq, Text: d.Error()}
		err = nil
	}
	a.OK = err == nil && a.Problem == nil
	sums := a.fold.Sums()
	a.Users, a.Rooms, a.Supply = len(a.fold.Users)-1, len(a.fold.Rooms)-1, a.fold.Supply
	a.Deposits, a.Withdrawals = sums.Deposits, sums.Withdrawals
	a.Seconds = time.Since(began).Seconds()
	return a.Audit, err
}

func (a *auditor) run(dir string) (err error) {
	if _, err := os.Stat(dir); err != nil {
		return err
	}
	// The mark first: what it says is whole by the time that the files are listed and read.
	if a.Mark, err = readMark(dir); err != nil {
		return err
	}
	if a.contents, err = list(dir); err != nil {
		return err
	}
	if err := a.begin(); err != nil {
		return err
	}
	if len(a.contents.files) == 0 {
		if err := a.contents.checkEmpty(); !errors.Is(err, ErrNone) {
			return err
		}
		return nil
	}
	from := position{next: a.contents.files[0].first, any: true}
	end, err := walkBlocks(a.contents, from, a.Mark, a.add)
	if err != nil {
		return err
	}
	return a.end(end)
}

// begin chooses what the fold begins with.
func (a *auditor) begin() (err error) {
	a.pending = a.contents.snapshots
	if len(a.contents.files) == 0 || a.contents.files[0].first == 1 {
		return nil
	}
	first := a.contents.files[0]
	for len(a.pending) != 0 && snapshotSeq(a.pending[0]) < first.first {
		a.pending = a.pending[1:]
	}
	if len(a.pending) == 0 {
		return damage(first.path, 0, first.first-1, "the first file begins with record %d, and no snapshot stands for those before it", first.first)
	}
	a.base, a.fold, err = readSnapshot(a.pending[0])
	a.Base = a.base.Seq
	a.met = append(a.met, a.base)
	a.pending = a.pending[1:]
	return err
}

func (a *auditor) add(b *block) error {
	if a.First == 0 {
		a.First = b.first
	}
	if b.file != a.file {
		a.file = b.file
		a.Files++
		a.Bytes += fileHeaderBytes
	}
	if b.seal.seq != 0 {
		a.sealed[b.seal.seq] = b.seal.sum
		a.Bytes += sealBytes
		a.LastHash = hex.EncodeToString(b.hash[:])
		return nil
	}
	if _, err := b.fold(a.fold); err != nil {
		return err
	}
	a.Records += uint64(len(b.records))
	a.Blocks++
	a.Bytes += b.end() - b.offset
	a.Last, a.LastHash = b.last(), hex.EncodeToString(b.hash[:])
	if a.options.Progress != nil {
		a.options.Progress(a.Files, len(a.contents.files), a.Last)
	}
	return a.checkSnapshots(b)
}

// checkSnapshots compares those snapshots that stand for records up to the end of b.
func (a *auditor) checkSnapshots(b *block) error {
	if a.base.Seq >= b.first && a.base.Seq <= b.last() {
		if err := a.stands(a.base, b); err != nil {
			return err
		}
	}
	for len(a.pending) != 0 && snapshotSeq(a.pending[0]) <= b.last() {
		path := a.pending[0]
		a.pending = a.pending[1:]
		s, fold, err := readSnapshot(path)
		if err != nil {
			if errors.Is(err, os.ErrNotExist) {
				continue // a writer that runs has removed it
			}
			a.Snapshots = append(a.Snapshots, SnapshotCheck{Seq: snapshotSeq(path)})
			return err
		}
		a.met = append(a.met, s)
		err = a.stands(s, b)
		if differs := a.fold.Differs(fold); err == nil && differs != "" {
			err = damage(path, snapshotHeaderBytes, s.Seq, "the snapshot is not what the records add up to: %s", differs)
		}
		a.Snapshots = append(a.Snapshots, SnapshotCheck{Seq: s.Seq, OK: err == nil})
		if err != nil {
			return err
		}
	}
	return nil
}

// stands tells whether a snapshot stands on b.
func (a *auditor) stands(s Snapshot, b *block) error {
	if s.Seq != b.last() || s.Hash != b.hash {
		return damage(s.Path, snapshotHashAt, s.Seq, "the snapshot stands on another block than the journal has")
	}
	return nil
}

func (a *auditor) end(end walked) error {
	a.TornBytes = end.torn
	switch {
	case a.Mark >= end.next:
		return damage(end.path, end.offset, end.next, "the journal ends here, but records up to %d were acknowledged", a.Mark)
	case a.Base >= end.next:
		return damage(end.path, end.offset, end.next, "the journal ends before its snapshot of record %d", a.Base)
	}
	for _, path := range a.pending {
		// A writer that runs may have made it since the files were read; it then stands on what the mark did not say yet.
		if seq := snapshotSeq(path); seq <= a.Mark {
			return damage(path, snapshotSeqAt, seq, "the journal ends before this snapshot")
		}
	}
	if err := a.fold.Conserved(); err != nil {
		return &DamageError{File: end.path, Offset: end.offset, Seq: a.fold.Head, What: "the sums differ", Cause: err}
	}
	if err := a.checkSeals(); err != nil {
		return err
	}
	return a.ids(end.id)
}

// checkSeals compares the snapshots with what the journal says of them. A crash may have come between the newest and its seal; those records
// that a base stands for are gone, so that it must have one.
func (a *auditor) checkSeals() error {
	for i := range a.met {
		s := &a.met[i]
		switch sealed, err := a.sealed.check(s); {
		case err != nil:
			return err
		case !sealed && s.Seq == a.Base:
			return damage(s.Path, snapshotSeqAt, s.Seq, "the audit begins with this snapshot, and the journal does not name it")
		}
	}
	return nil
}

// ids tells whether all snapshots are of this journal.
func (a *auditor) ids(id ID) error {
	for _, path := range a.contents.snapshots {
		s, _, err := readSnapshot(path)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if s.id != id {
			return damage(path, fileIDAt, s.Seq, "the snapshot is of another journal")
		}
	}
	return nil
}

// String is the audit in one line.
func (a *Audit) String() string {
	verdict := "ok"
	if !a.OK {
		verdict = "FAILED"
	}
	return fmt.Sprintf("journal %s: records=%d blocks=%d files=%d users=%d rooms=%d supply=%d deposits=%v withdrawals=%v snapshots=%d",
		verdict, a.Records, a.Blocks, a.Files, a.Users, a.Rooms, a.Supply, a.Deposits, a.Withdrawals, len(a.Snapshots))
}
