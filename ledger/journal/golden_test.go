package journal

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"tradechat.internal/ledger"
)

var writeGolden = flag.Bool("write-golden", false, "write the golden journal of this format version anew")

// goldenHistory is what every golden journal holds: three files, three snapshots.
func goldenHistory() *history {
	h := newHistory()
	h.some(10)
	return h
}

func golden(version int) string { return filepath.Join("testdata", fmt.Sprintf("v%d", version)) }

// TestEveryVersionIsRead: journals as each version wrote them are recovered, audited and gone on with. A change of the format adds a
// version, and a folder here (-write-golden); the folders that there are never change.
func TestEveryVersionIsRead(t *testing.T) {
	if *writeGolden {
		must(t, os.RemoveAll(golden(fileVersion)))
		writeGoldenJournal(t, golden(fileVersion))
	}
	for version := 1; version <= fileVersion; version++ {
		t.Run(fmt.Sprint("version ", version), func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "journal")
			must(t, os.CopyFS(dir, os.DirFS(golden(version))))
			h := goldenHistory()
			wantGolden(t, dir, h, version)
			w := openWriter(t, dir, WriterOptions{})
			record := h.deposit(1, 7)
			must(t, w.Append([]ledger.Record{record}))
			must(t, w.Close())
			wantGolden(t, dir, h, fileVersion)
		})
	}
}

// wantGolden checks that a journal is the history, and which version its newest file has.
func wantGolden(t *testing.T, dir string, h *history, version int) {
	t.Helper()
	got, err := Recover(dir, RecoverOptions{TailRecords: 3})
	if err != nil || h.fold.Differs(got.Fold) != "" || len(got.Tail) != 3 {
		t.Fatalf("%+v, %v", got, err)
	}
	if a, err := Check(dir, AuditOptions{}); err != nil || !a.OK || a.Last != h.fold.Head || len(a.Snapshots) != 3 {
		t.Fatalf("%+v, %v", a, err)
	}
	b, err := os.ReadFile((&written{dir: dir}).newest(t))
	must(t, err)
	if is := little.Uint32(b[8:]); int(is) != version {
		t.Errorf("the newest file has version %d, want %d", is, version)
	}
}

func writeGoldenJournal(t *testing.T, dir string) {
	t.Helper()
	records := newHistory().some(10)
	for len(records) > 0 {
		w := openWriter(t, dir, WriterOptions{Binding: Binding{Realm: [16]byte{1, 2, 3}, Iterations: 600_000}})
		for range 2 {
			n := min(3, len(records))
			if n > 0 {
				must(t, w.Append(records[:n]))
			}
			records = records[n:]
		}
		must(t, w.Snapshot())
		must(t, w.Close())
	}
}
