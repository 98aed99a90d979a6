package journal

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tradechat.internal/ledger"
)

// written is a journal on disk, and what is in it.
type written struct {
	dir   string
	fold  *ledger.Fold
	ends  []int64  // of its blocks, in the newest file
	heads []uint64 // their last records
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// openWriter recovers a folder and goes on.
func openWriter(t testing.TB, dir string, o WriterOptions) *Writer {
	t.Helper()
	from, err := Recover(dir, RecoverOptions{})
	must(t, err)
	if o.FileBytes == 0 {
		o.FileBytes = FileBytesLeast
	}
	w, err := NewWriter(dir, from, o)
	must(t, err)
	return w
}

// writeJournal writes a history in blocks of some sizes, and ends without closing, as a crash does.
func writeJournal(t testing.TB, dir string, sizes ...int) (j written) {
	t.Helper()
	w := openWriter(t, dir, WriterOptions{})
	h := newHistory()
	total := 0
	for _, n := range sizes {
		total += n
	}
	records := h.some(total - 4)
	for _, n := range sizes {
		must(t, w.Append(records[:n]))
		must(t, w.Sync())
		records = records[n:]
		j.ends, j.heads = append(j.ends, w.offset), append(j.heads, w.Head())
	}
	j.dir, j.fold = dir, h.fold
	crash(w)
	return j
}

// crash lets a writer go without what Close does to the files.
func crash(w *Writer) {
	w.snaps.wait()
	w.drafts.discard()
	if w.file != nil {
		_ = w.file.Close()
	}
	w.mark.close()
}

func (j *written) newest(t testing.TB) string {
	t.Helper()
	c, err := list(j.dir)
	must(t, err)
	return c.files[len(c.files)-1].path
}

// setMark writes the mark anew.
func setMark(t testing.TB, dir string, seq uint64) {
	t.Helper()
	must(t, os.WriteFile(filepath.Join(dir, markName), appendMark(nil, seq), 0o600))
}

// TestCutAtEveryByte cuts the journal at every byte of its last two blocks: the start recovers exactly the whole blocks
// before. The file ends there, or is filled up with zeros, as one is that was preallocated.
func TestCutAtEveryByte(t *testing.T) {
	j := writeJournal(t, filepath.Join(t.TempDir(), "journal"), 5, 3, 4, 2, 3)
	whole, err := os.ReadFile(j.newest(t))
	must(t, err)
	path, n := j.newest(t), len(j.ends)
	setMark(t, j.dir, j.heads[n-3])
	for cut := j.ends[n-3]; cut <= j.ends[n-1]; cut++ {
		for _, zeros := range []int{0, 4096} {
			content := append(bytes.Clone(whole[:cut]), make([]byte, zeros)...)
			must(t, os.WriteFile(path, content, 0o600))
			want := j.heads[n-3]
			for i, end := range j.ends {
				if int64(len(content)) >= end && bytes.Equal(content[:end], whole[:end]) { // the last bytes of a block are zeros
					want = j.heads[i]
				}
			}
			got, err := Recover(j.dir, RecoverOptions{TailRecords: 3})
			if err != nil || got.Fold.Head != want || got.Tail[2].Seq != want {
				t.Fatalf("cut at %d, %d zeros behind: head %d, %v; want %d", cut, zeros, got.Fold.Head, err, want)
			}
			if left, err := os.ReadFile(path); err != nil || !bytes.Equal(left, content) {
				t.Fatalf("cut at %d: the file was changed before anybody has decided to use it, %v", cut, err)
			}
			must(t, got.clean(t.Logf))
			if left, err := os.Stat(path); err != nil || left.Size() > cut+3 {
				t.Fatalf("cut at %d: %d bytes are left, %v", cut, left.Size(), err)
			}
		}
	}
}

// TestWhatWasAcknowledgedMustBeThere: the same cuts, but the mark says that the last record was synced.
func TestWhatWasAcknowledgedMustBeThere(t *testing.T) {
	j := writeJournal(t, filepath.Join(t.TempDir(), "journal"), 5, 3, 4)
	whole, err := os.ReadFile(j.newest(t))
	must(t, err)
	path, n := j.newest(t), len(j.ends)
	for cut := int64(0); cut < j.ends[n-1]; cut += 7 {
		must(t, os.WriteFile(path, whole[:cut], 0o600))
		if _, err := Recover(j.dir, RecoverOptions{}); !errors.Is(err, ErrDamaged) {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		if a, err := Check(j.dir, AuditOptions{}); err != nil || a.OK {
			t.Fatalf("cut at %d: %v, %v", cut, a, err)
		}
		if left, err := os.Stat(path); err != nil || left.Size() != cut {
			t.Fatalf("cut at %d: the damaged file was changed", cut)
		}
	}
}

// TestDamageIsNoTornWrite, whatever has become of the mark: a block that was written when the damaged one was on disk tells.
func TestDamageIsNoTornWrite(t *testing.T) {
	j := writeJournal(t, filepath.Join(t.TempDir(), "journal"), 5, 3, 4, 2, 3)
	path := j.newest(t)
	whole, err := os.ReadFile(path)
	must(t, err)
	must(t, os.Remove(filepath.Join(j.dir, markName)))
	begin := int64(fileHeaderBytes)
	for i, end := range j.ends {
		content := bytes.Clone(whole)
		content[begin+blockHeaderBytes+9] ^= 1
		must(t, os.WriteFile(path, content, 0o600))
		got, err := Recover(j.dir, RecoverOptions{})
		var d *DamageError
		last := i == len(j.ends)-1 // nothing is behind it
		if found := errors.As(err, &d) && d.File == path && d.Offset == begin; found == last {
			t.Errorf("block %d: %+v, %v", i, got, err)
		}
		if a, err := Check(j.dir, AuditOptions{}); err != nil || a.OK != last {
			t.Errorf("block %d: %+v, %v", i, a, err)
		}
		begin = end
	}
}

// TestATornWriteBehindAnother: blocks that no sync has come between may reach the disk in any order.
func TestATornWriteBehindAnother(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "journal")
	h := newHistory()
	w := openWriter(t, dir, WriterOptions{})
	must(t, w.Append([]ledger.Record{h.user("alice")}))
	must(t, w.Sync())
	begin := w.offset
	for range 3 {
		must(t, w.Append([]ledger.Record{h.deposit(1, 5)}))
	}
	path := w.path
	crash(w)
	content, err := os.ReadFile(path)
	must(t, err)
	content[begin+blockHeaderBytes] ^= 1
	must(t, os.WriteFile(path, content, 0o600))
	got, err := Recover(dir, RecoverOptions{})
	if err != nil || got.Fold.Head != 1 || got.Cut == 0 {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestJoints: a file that the snapshot stands for is missing, cut short, or another's.
func TestJoints(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "journal")
	h := newHistory()
	w := openWriter(t, dir, WriterOptions{FileBytes: FileBytesLeast})
	must(t, w.Append([]ledger.Record{h.user("alice")}))
	for w.contentsOf(t).files == nil || len(w.contentsOf(t).files) < 4 {
		group := make([]ledger.Record, BlockRecordsMax)
		for i := range group {
			group[i] = h.deposit(1, 1)
		}
		must(t, w.Append(group))
	}
	must(t, w.Snapshot())
	must(t, w.Close())
	if _, err := Recover(dir, RecoverOptions{}); err != nil {
		t.Fatal(err)
	}
	files := w.contentsOf(t).files
	path := files[1].path
	whole, err := os.ReadFile(path)
	must(t, err)
	for name, spoil := range map[string]func() error{
		"missing":   func() error { return os.Remove(path) },
		"cut short": func() error { return os.Truncate(path, int64(len(whole)-8)) },
		"empty":     func() error { return os.Truncate(path, 0) },
		"header":    func() error { return os.WriteFile(path, append([]byte("x"), whole[1:]...), 0o600) },
		"its end": func() error {
			return os.WriteFile(path, append(bytes.Clone(whole[:len(whole)-20]), make([]byte, 20)...), 0o600)
		},
		"another's": func() error {
			content, err := os.ReadFile(files[2].path)
			return errors.Join(err, os.WriteFile(path, content, 0o600))
		},
	} {
		must(t, spoil())
		if got, err := Recover(dir, RecoverOptions{}); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		must(t, os.WriteFile(path, whole, 0o600))
	}
}

func (w *Writer) contentsOf(t *testing.T) contents {
	t.Helper()
	c, err := list(w.dir)
	must(t, err)
	return c
}

// TestEveryByteCounts inverts every byte of a small journal that was closed well, one at a time: start and audit both find
// it, and name the file.
func TestEveryByteCounts(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "journal")
	h := newHistory()
	records := h.some(10)
	for len(records) > 0 { // three files, two snapshots
		w := openWriter(t, dir, WriterOptions{})
		for range 2 {
			if n := min(3, len(records)); n > 0 {
				must(t, w.Append(records[:n]))
				records = records[n:]
			}
		}
		must(t, w.Snapshot())
		must(t, w.Close())
	}
	files := filesIn(t, dir)
	if len(files) != 7 {
		t.Fatalf("%v", files)
	}
	bytesTried, newest := 0, (&written{dir: dir}).newest(t)
	for _, path := range files {
		content, err := os.ReadFile(path)
		must(t, err)
		for at := range content {
			flip := []byte{0xff, 0x01, 0x80}[at%3]
			damaged := bytes.Clone(content)
			damaged[at] ^= flip
			must(t, os.WriteFile(path, damaged, 0o600))
			bytesTried++
			if path == newest && at >= len(content)-sealBytes {
				wantUnsealed(t, dir, h.fold) // it may be a write that was cut short: then it says nothing
				continue
			}
			wantDamage(t, dir, fmt.Sprintf("%s byte %d ^ %#x", filepath.Base(path), at, flip))
		}
		must(t, os.WriteFile(path, content, 0o600))
	}
	if a, err := Check(dir, AuditOptions{}); err != nil || !a.OK || bytesTried < 3000 {
		t.Errorf("restored: %+v, %v; %d bytes", a, err, bytesTried)
	}
}

// filesIn is all that lies in a folder.
func filesIn(t *testing.T, dir string) (paths []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	for _, e := range entries {
		paths = append(paths, filepath.Join(dir, e.Name()))
	}
	return paths
}

// wantUnsealed sees to it that a start does without the last seal, and believes nothing that it has not compared.
func wantUnsealed(t *testing.T, dir string, truth *ledger.Fold) {
	t.Helper()
	got, err := Recover(dir, RecoverOptions{})
	if err != nil || got.Snapshot == truth.Head || got.Cut == 0 || truth.Differs(got.Fold) != "" {
		t.Fatalf("%+v, %v", got, err)
	}
}

// wantDamage sees to it that start and audit find something wrong, and where.
func wantDamage(t *testing.T, dir, what string) {
	t.Helper()
	var d *DamageError
	if _, err := Recover(dir, RecoverOptions{TailRecords: 1000}); !errors.As(err, &d) || d.Offset < 0 || !strings.HasPrefix(d.File, dir) {
		t.Fatalf("%s: the start says %v", what, err)
	}
	a, err := Check(dir, AuditOptions{})
	if err != nil || a.OK || a.Problem == nil || !strings.HasPrefix(a.Problem.File, dir) {
		t.Fatalf("%s: the audit says %+v, %v", what, a.Problem, err)
	}
}

// TestFilesThatAreNotTheirs: missing, renamed, of another journal.
func TestFilesThatAreNotTheirs(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, dir string, files []string){
		"the first is missing":  func(t *testing.T, _ string, files []string) { must(t, os.Remove(files[0])) },
		"the middle is missing": func(t *testing.T, _ string, files []string) { must(t, os.Remove(files[1])) },
		"the last is missing":   func(t *testing.T, _ string, files []string) { must(t, os.Remove(files[2])) },
		"all are missing": func(t *testing.T, _ string, files []string) {
			for _, f := range files {
				must(t, os.Remove(f))
			}
		},
		"two are swapped": func(t *testing.T, dir string, files []string) {
			must(t, os.Rename(files[0], dir+"/x"))
			must(t, os.Rename(files[1], files[0]))
			must(t, os.Rename(dir+"/x", files[1]))
		},
		"one is a copy of another": func(t *testing.T, _ string, files []string) {
			content, err := os.ReadFile(files[0])
			must(t, err)
			must(t, os.WriteFile(files[1], content, 0o600))
		},
		"one is of another journal": func(t *testing.T, _ string, files []string) {
			other := filepath.Join(t.TempDir(), "journal")
			threeFiles(t, other)
			content, err := os.ReadFile(filepath.Join(other, filepath.Base(files[1])))
			must(t, err)
			must(t, os.WriteFile(files[1], content, 0o600))
		},
		"zeros behind one that is not the last": func(t *testing.T, _ string, files []string) {
			content, err := os.ReadFile(files[1])
			must(t, err)
			must(t, os.WriteFile(files[1], append(content, 0, 0, 0, 0), 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "journal")
			spoil(t, dir, threeFiles(t, dir))
			wantDamage(t, dir, name)
		})
	}
}

// threeFiles makes a journal of three files and returns their paths.
func threeFiles(t *testing.T, dir string) (files []string) {
	t.Helper()
	h := newHistory()
	records := h.some(8)
	for range 3 {
		w := openWriter(t, dir, WriterOptions{})
		must(t, w.Append(records[:4]))
		records = records[4:]
		must(t, w.Close())
	}
	for _, path := range filesIn(t, dir) {
		if strings.HasSuffix(path, fileSuffix) {
			files = append(files, path)
		}
	}
	if len(files) != 3 {
		t.Fatalf("%v", files)
	}
	return files
}

// TestASnapshotThatIsNotTheFold has a right checksum and stands on the right block.
func TestASnapshotThatIsNotTheFold(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "journal")
	w := openWriter(t, dir, WriterOptions{})
	h := newHistory()
	must(t, w.Append(h.some(8)))
	must(t, w.Sync())
	lie := h.fold.Clone()
	lie.Accounts[1].Balance++
	lie.Accounts[2].Balance--
	_, err := writeSnapshot(dir, w.id, lie, w.last)
	must(t, err)
	must(t, w.Close())
	a, err := Check(dir, AuditOptions{})
	if err != nil || a.OK || !strings.Contains(a.Problem.Text, "not what the records add up to") || len(a.Snapshots) != 1 || a.Snapshots[0].OK {
		t.Errorf("%+v, %v", a, err)
	}
}
