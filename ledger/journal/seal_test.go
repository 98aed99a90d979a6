package journal

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"tradechat.internal/ledger"
)

// withSnapshots makes a journal with a snapshot after each of three groups, and returns what their writer knew.
func withSnapshots(t *testing.T, dir string, clean bool) (h *history, w *Writer) {
	t.Helper()
	h = newHistory()
	records := h.some(8)
	for range 3 {
		w = openWriter(t, dir, WriterOptions{})
		must(t, w.Append(records[:4]))
		records = records[4:]
		must(t, w.Snapshot())
		if clean {
			must(t, w.Close())
		} else {
			crash(w)
		}
	}
	return h, w
}

// forge writes a snapshot in which somebody is richer, and somebody else poorer: sums, checksum and the block that it stands on are right.
func forge(t *testing.T, dir string, w *Writer, truth *ledger.Fold) {
	t.Helper()
	lie := truth.Clone()
	lie.Accounts[1].Balance += 500
	lie.Accounts[2].Balance -= 5
	lie.Accounts[1].Deposited += 495
	lie.Supply += 495
	if lie.Conserved() != nil {
		t.Fatal("the forgery can be seen")
	}
	_, err := writeSnapshot(dir, w.id, lie, w.lastBlock)
	must(t, err)
}

// TestAForgedSnapshotIsNotServed: neither in the place of one that the journal names, nor in that of one that a crash left without a seal.
func TestAForgedSnapshotIsNotServed(t *testing.T) {
	for name, clean := range map[string]bool{"sealed": true, "unsealed": false} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "journal")
			h, w := withSnapshots(t, dir, clean)
			forge(t, dir, w, h.fold)
			got, err := Recover(dir, RecoverOptions{})
			var d *DamageError
			if !errors.As(err, &d) || d.File != filepath.Join(dir, snapshotName(h.fold.Head)) {
				t.Fatalf("recovered %+v, %v", got, err)
			}
			if a, err := Check(dir, AuditOptions{}); err != nil || a.OK {
				t.Errorf("the audit says %v, %v", a, err)
			}
			must(t, os.Remove(d.File))
			got, err = Recover(dir, RecoverOptions{})
			if err != nil || h.fold.Differs(got.Fold) != "" {
				t.Errorf("without it: %+v, %v", got, err)
			}
		})
	}
}

// TestASnapshotWithoutASealIsCompared, and named by the next writer.
func TestASnapshotWithoutASealIsCompared(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "journal")
	h, _ := withSnapshots(t, dir, false)
	got, err := Recover(dir, RecoverOptions{})
	if err != nil || got.Snapshot >= h.fold.Head || len(got.unsealed) == 0 || h.fold.Differs(got.Fold) != "" {
		t.Fatalf("the fold begins with %d, %d unsealed, %v; the newest is not named", got.Snapshot, len(got.unsealed), err)
	}
	w := openWriter(t, dir, WriterOptions{})
	must(t, w.Append([]ledger.Record{h.deposit(1, 1)}))
	crash(w)
	if got, err = Recover(dir, RecoverOptions{}); err != nil || got.Snapshot != h.fold.Head-1 || len(got.unsealed) != 0 {
		t.Errorf("the fold begins with %d, want %d; %v", got.Snapshot, h.fold.Head-1, err)
	}
}

// TestIdleSnapshotsAreSealed without a group that follows.
func TestIdleSnapshotsAreSealed(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "journal")
	h := newHistory()
	w := openWriter(t, dir, WriterOptions{})
	must(t, w.Append(h.some(8)))
	must(t, w.Snapshot())
	w.snaps.wait()
	must(t, w.SealSnapshots())
	crash(w)
	if got, err := Recover(dir, RecoverOptions{}); err != nil || got.Snapshot != h.fold.Head {
		t.Errorf("%+v, %v", got, err)
	}
}
