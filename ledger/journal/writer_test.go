package journal

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"tradechat.internal/ledger"
)

var errDisk = errors.New("the disk fails")

// TestTheFirstFailureIsTheLast: after a write or a sync that failed nothing is taken any more, and what was synced before is
// what the next start finds.
func TestTheFirstFailureIsTheLast(t *testing.T) {
	for name, spoil := range map[string]func(d *disk, failing *bool){
		"write": func(d *disk, failing *bool) {
			d.write = func(f *os.File, b []byte, at int64) error {
				if *failing {
					_, _ = f.WriteAt(b[:len(b)/2], at) // some of it comes to disk
					return errDisk
				}
				return realDisk.write(f, b, at)
			}
		},
		"sync": func(d *disk, failing *bool) {
			d.sync = func(f *os.File) error {
				if *failing {
					return errDisk
				}
				return realDisk.sync(f)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "journal")
			w := openWriter(t, dir, WriterOptions{})
			failing := false
			spoil(&w.disk, &failing)
			records := newHistory().some(8)
			must(t, w.Append(records[:6]))
			must(t, w.Sync())
			failing = true
			err := w.Append(records[6:8])
			if err == nil {
				err = w.Sync()
			}
			if !errors.Is(err, errDisk) || w.Synced() != 6 {
				t.Fatalf("%v, synced %d", err, w.Synced())
			}
			failing = false
			for what, err := range map[string]error{"append": w.Append(records[6:8]), "sync": w.Sync(), "snapshot": w.Snapshot(), "close": w.Close()} {
				if !errors.Is(err, errDisk) {
					t.Errorf("%s after the failure: %v", what, err)
				}
			}
			got, err := Recover(dir, RecoverOptions{})
			if err != nil || got.Fold.Head < 6 {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

// TestARecordThatDoesNotFitIsNotWritten: nor is any other of its group.
func TestARecordThatDoesNotFitIsNotWritten(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "journal")
	w := openWriter(t, dir, WriterOptions{})
	records := newHistory().some(8)
	must(t, w.Append(records[:6]))
	must(t, w.Sync())
	records[8].SubjectBalance++
	if err := w.Append(records[6:]); !errors.Is(err, ledger.ErrMisfit) {
		t.Fatal(err)
	}
	if err := w.Append(records[6:7]); !errors.Is(err, ledger.ErrMisfit) {
		t.Errorf("after a misfit: %v", err)
	}
	_ = w.Close()
	if got, err := Recover(dir, RecoverOptions{}); err != nil || got.Fold.Head != 6 {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestAFileThatVanishes: removed, or replaced by another one, before a group is acknowledged.
func TestAFileThatVanishes(t *testing.T) {
	for name, spoil := range map[string]func(path string) error{
		"removed": os.Remove,
		"moved":   func(path string) error { return os.Rename(path, path+".away") },
		"replaced": func(path string) error {
			return errors.Join(os.Rename(path, path+".away"), os.WriteFile(path, nil, 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := openWriter(t, filepath.Join(t.TempDir(), "journal"), WriterOptions{})
			records := newHistory().some(8)
			must(t, w.Append(records[:6]))
			must(t, w.Sync())
			must(t, spoil(w.path))
			err := w.Append(records[6:7])
			if err == nil {
				err = w.Sync()
			}
			if !errors.Is(err, ErrVanished) || w.Synced() != 6 {
				t.Errorf("%v, synced %d", err, w.Synced())
			}
			_ = w.Close()
		})
	}
}

// TestFilesAndSnapshotsThatAreKept: with --journal-retain only so many files stay that no snapshot needs, and what stays is
// still a journal.
func TestFilesAndSnapshotsThatAreKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "journal")
	h := newHistory()
	records := h.some(100)
	for len(records) > 0 {
		w := openWriter(t, dir, WriterOptions{Retain: 2})
		n := min(8, len(records))
		must(t, w.Append(records[:n]))
		records = records[n:]
		must(t, w.Snapshot())
		must(t, w.Close())
	}
	c, err := list(dir)
	must(t, err)
	if len(c.snapshots) != SnapshotsKept || len(c.files) != 2+SnapshotsKept {
		t.Errorf("%d snapshots and %d files", len(c.snapshots), len(c.files))
	}
	got, err := Recover(dir, RecoverOptions{TailRecords: 1000})
	must(t, err)
	if d := h.fold.Differs(got.Fold); d != "" {
		t.Error(d)
	}
	a, err := Check(dir, AuditOptions{})
	if err != nil || !a.OK || a.First == 1 || a.Base == 0 || a.Last != h.fold.Head {
		t.Errorf("%+v, %v", a, err)
	}
	must(t, os.Remove(c.snapshots[0]))
	must(t, os.Remove(c.snapshots[1]))
	must(t, os.Remove(c.snapshots[2]))
	wantDamage(t, dir, "no snapshot stands for what was removed")
}

// TestAFullDisk: what does not fit was not written, and the writer says what is missing.
func TestAFullDisk(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("a disk of its own needs root")
	}
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=3m"); err != nil {
		t.Skip("a disk of its own needs to be mounted: ", err)
	}
	defer func() { _ = unix.Unmount(dir, unix.MNT_DETACH) }()
	w := openWriter(t, filepath.Join(dir, "journal"), WriterOptions{FileBytes: 2 << 20})
	h := newHistory()
	must(t, w.Append(h.some(100)))
	kept := w.Head()
	var err error
	for err == nil {
		kept = w.Head()
		group := []ledger.Record{h.deposit(1, 1)}
		for range 999 {
			group = append(group, h.deposit(1, 1))
		}
		if err = w.Append(group); err == nil {
			err = w.Sync()
		}
	}
	if !errors.Is(err, unix.ENOSPC) {
		t.Errorf("%v", err)
	}
	_ = w.Close()
	if got, err := Recover(filepath.Join(dir, "journal"), RecoverOptions{}); err != nil || got.Fold.Head != kept {
		t.Errorf("head %d, %v; want %d", got.Fold.Head, err, kept)
	}
}

// TestAnyHistoryIsRecovered: random groups, files, snapshots, crashes and clean ends.
func TestAnyHistoryIsRecovered(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range 20 {
		dir := filepath.Join(t.TempDir(), "journal")
		h := newHistory()
		records := h.some(random.IntN(2000))
		check := newHistory().fold
		for len(records) > 0 {
			tail := random.IntN(100)
			from, err := Recover(dir, RecoverOptions{TailRecords: tail})
			must(t, err)
			if d := check.Differs(from.Fold); d != "" {
				t.Fatal(d)
			}
			if want := min(tail, int(check.Head)); len(from.Tail) != want || want > 0 && from.Tail[want-1].Seq != check.Head {
				t.Fatalf("%d records, want %d up to %d", len(from.Tail), want, check.Head)
			}
			w, err := NewWriter(dir, from, WriterOptions{FileBytes: FileBytesLeast})
			must(t, err)
			for range random.IntN(20) {
				n := min(1+random.IntN(50), len(records))
				if n == 0 {
					break
				}
				must(t, w.Append(records[:n]))
				for i := range records[:n] {
					must(t, check.Apply(&records[i]))
				}
				records = records[n:]
				if random.IntN(2) == 0 {
					must(t, w.Sync())
				}
				if random.IntN(8) == 0 {
					must(t, w.Snapshot())
				}
			}
			if random.IntN(2) == 0 {
				must(t, w.Close())
			} else {
				crash(w)
			}
		}
		if a, err := Check(dir, AuditOptions{}); err != nil || !a.OK || a.Last != h.fold.Head {
			t.Fatalf("%+v %+v, %v", a, a.Problem, err)
		}
	}
}

// TestManyFiles: a file that is full is cut to what is used, and the next one goes on.
func TestManyFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "journal")
	w := openWriter(t, dir, WriterOptions{FileBytes: FileBytesLeast})
	h := newHistory()
	must(t, w.Append(h.some(0)))
	group := make([]ledger.Record, 0, BlockRecordsMax)
	for range 3 {
		for group = group[:0]; len(group) < BlockRecordsMax; {
			group = append(group, h.transfer(1, 2, 1), h.transfer(2, 1, 1))
		}
		must(t, w.Append(group))
		must(t, w.Sync())
	}
	must(t, w.Close())
	c, err := list(dir)
	must(t, err)
	a, err := Check(dir, AuditOptions{})
	if err != nil || !a.OK || len(c.files) != 4 || a.Files != 4 || len(c.leftovers) != 0 {
		t.Errorf("%d files, %v, %v", len(c.files), a, err)
	}
}

// TestAScannerFollows: it sees every record once, in order, while they are being written.
func TestAScannerFollows(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "journal")
	w := openWriter(t, dir, WriterOptions{FileBytes: FileBytesLeast})
	records := newHistory().some(30_000)
	s := NewScanner(dir, 3)
	next := uint64(3)
	scan := func() {
		must(t, s.Scan(func(r *ledger.Record) error {
			if r.Seq != next {
				t.Fatalf("record %d, want %d", r.Seq, next)
			}
			next++
			return nil
		}))
	}
	written := make(chan error)
	go func() {
		for i := 0; i < len(records); i += 100 {
			if err := errors.Join(w.Append(records[i:min(i+100, len(records))]), w.Sync()); err != nil {
				written <- err
				return
			}
		}
		written <- w.Close()
	}()
	for done := false; !done; {
		select {
		case err := <-written:
			must(t, err)
			done = true
		default:
		}
		scan()
	}
	if next != uint64(len(records))+1 {
		t.Errorf("%d records of %d", next-1, len(records))
	}
}

// TestAGroupAllocatesNothing: each is written, synced and marked out of memory that the Writer has.
func TestAGroupAllocatesNothing(t *testing.T) {
	bank, records := openBank(100)
	w := openWriter(t, filepath.Join(t.TempDir(), "journal"), WriterOptions{FileBytes: FileBytesDefault})
	appendAll(t, w, records)
	const runs, size = 200, 8
	left := make([]ledger.Record, (1+runs)*size)
	bank.transfers(left)
	if n := testing.AllocsPerRun(runs, func() {
		must(t, w.Append(left[:size]))
		must(t, w.Sync())
		left = left[size:]
	}); n != 0 {
		t.Errorf("a group makes %v allocations", n)
	}
	must(t, w.Close())
}
