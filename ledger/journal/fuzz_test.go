package journal

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// FuzzParseBlock: whatever the bytes are, a block is whole or it is not; what is whole is written the same way again.
func FuzzParseBlock(f *testing.F) {
	records := newHistory().some(4)
	f.Add(appendBlock(nil, Hash{}, 0, records[:1]))
	f.Add(appendBlock(nil, Hash{1, 2}, 0, records))
	f.Add(make([]byte, blockHeaderBytes))
	f.Add(appendSeal(nil, Hash{1}, 4, 5, seal{4, Hash{2}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		b = append(make([]byte, 0, len(b)+8), b...) // aligned
		parsed, size, need, fault := parseBlock(b)
		if size == 0 {
			if need == 0 && fault == "" || need != 0 && need <= int64(len(b)) {
				t.Fatalf("size 0, need %d of %d, fault %q", need, len(b), fault)
			}
			return
		}
		if parsed.seal.seq != 0 {
			if again := appendSeal(nil, parsed.prev, parsed.synced, parsed.first, parsed.seal); !bytes.Equal(again, b[:size]) {
				t.Fatal("the seal is not written as it was read")
			}
			return
		}
		if again := appendBlock(nil, parsed.prev, parsed.synced, parsed.records); parsed.first == parsed.records[0].Seq && !bytes.Equal(again, b[:size]) {
			t.Fatal("the block is not written as it was read")
		}
	})
}

// FuzzParseFileHeader: likewise for the header of a file.
func FuzzParseFileHeader(f *testing.F) {
	f.Add(fileHeader{id: ID{1}, first: 1, madeNs: 5}.encode())
	f.Add(make([]byte, fileHeaderBytes))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, version, fault := parseFileHeader(b)
		if fault == "" && version == fileVersion && !bytes.Equal(h.encode()[:fileZeroAt], b[:fileZeroAt]) {
			t.Fatal("the header is not written as it was read")
		}
	})
}

// FuzzReadSnapshot: a snapshot is read whole or refused.
func FuzzReadSnapshot(f *testing.F) {
	h := newHistory()
	h.some(8)
	var good bytes.Buffer
	if _, err := encodeSnapshot(&good, ID{1}, h.fold, Hash{2}); err != nil {
		f.Fatal(err)
	}
	f.Add(good.Bytes())
	f.Add(good.Bytes()[:snapshotHeaderBytes])
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), snapshotName(h.fold.Head))
		must(t, os.WriteFile(path, b, 0o600))
		_, fold, err := readSnapshot(path)
		if err == nil && h.fold.Differs(fold) != "" && bytes.Equal(b, good.Bytes()) {
			t.Fatal("the snapshot is not the fold")
		}
	})
}

// FuzzRecover: a journal with any bytes in its file is recovered or refused, and what is recovered passes the audit.
func FuzzRecover(f *testing.F) {
	dir := filepath.Join(f.TempDir(), "journal")
	j := writeJournal(f, dir, 5, 3)
	content, err := os.ReadFile(filepath.Join(dir, fileName(1)))
	must(f, err)
	f.Add(content[:j.ends[1]])
	f.Add(content[:j.ends[1]-1])
	f.Add(append(bytes.Clone(content[:j.ends[0]]), 1, 2, 3))
	f.Fuzz(func(t *testing.T, b []byte) {
		dir := filepath.Join(t.TempDir(), "journal")
		must(t, os.Mkdir(dir, 0o700))
		must(t, os.WriteFile(filepath.Join(dir, fileName(1)), b, 0o600))
		got, err := Recover(dir, RecoverOptions{TailRecords: 4})
		if err != nil {
			return
		}
		if a, err := Check(dir, AuditOptions{}); err != nil || !a.OK || a.Last != got.Fold.Head {
			t.Fatalf("recovered %d records, audited %+v, %v", got.Fold.Head, a, err)
		}
	})
}
