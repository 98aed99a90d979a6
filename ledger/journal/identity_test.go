package journal

import (
	"errors"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tradechat.internal/ledger"
)

// TestIdentityIsTheSameInEveryFile: made once, before the first record, and kept over starts, crashes and files.
func TestIdentityIsTheSameInEveryFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "journal")
	if _, _, err := Identity(dir); !errors.Is(err, ErrNone) {
		t.Fatalf("no folder: %v", err)
	}
	bound := Binding{Realm: [16]byte{7}, Iterations: 600_000}
	id, err := Create(dir, bound)
	must(t, err)
	again, err := Create(dir, bound)
	if must(t, err); id != again || id == (ID{}) {
		t.Fatalf("%v, then %v", id, again)
	}
	h := newHistory()
	records := h.some(8)
	for i := range 3 {
		w := openWriter(t, dir, WriterOptions{Binding: bound})
		must(t, w.Append(records[4*i:4*i+4]))
		must(t, w.Snapshot())
		if i == 1 {
			crash(w)
		} else {
			must(t, w.Close())
		}
		if got, was, err := Identity(dir); err != nil || got != id || was != bound {
			t.Errorf("%v, %+v, %v; want %v, %+v", got, was, err, id, bound)
		}
	}
	other, err := Create(filepath.Join(t.TempDir(), "journal"), bound)
	if must(t, err); other == id {
		t.Error("two journals have one identity")
	}
	if a, err := Check(dir, AuditOptions{}); err != nil || !a.OK {
		t.Errorf("%+v, %v", a, err)
	}
}

// TestAJournalOfOtherSettingsIsRefused, and the error says which are the right ones.
func TestAJournalOfOtherSettingsIsRefused(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "journal")
	_, err := Create(dir, Binding{Realm: [16]byte{0xab}, Iterations: 4096})
	must(t, err)
	for want, b := range map[string]Binding{
		"→ put ab0000": {Realm: [16]byte{0xac}, Iterations: 4096}, "→ start with --kdf-iterations 4096": {Realm: [16]byte{0xab}, Iterations: 4097},
	} {
		if _, err := Create(dir, b); !errors.Is(err, ErrBound) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; want %q", err, want)
		}
	}
}

// TestNewerIsNoDamage: a format, a snapshot and a kind of record that this build does not know.
func TestNewerIsNoDamage(t *testing.T) {
	for name, age := range map[string]func(t *testing.T, dir string){
		"file": func(t *testing.T, dir string) {
			rewrite(t, filepath.Join(dir, fileName(1)), func(b []byte) {
				little.PutUint32(b[8:], fileVersion+1)
				little.PutUint32(b[fileCRCAt:], crc32.Checksum(b[:fileCRCAt], castagnoli))
			})
		},
		"snapshot": func(t *testing.T, dir string) {
			rewrite(t, filepath.Join(dir, snapshotName(4)), func(b []byte) {
				little.PutUint32(b[8:], snapshotVersion+1)
				sum := hashOf(b[:len(b)-len(Hash{})])
				copy(b[len(b)-len(Hash{}):], sum[:])
			})
		},
		"record": func(t *testing.T, dir string) {
			rewrite(t, filepath.Join(dir, fileName(1)), func(b []byte) {
				block := b[fileHeaderBytes:]
				ledger.View(block[blockHeaderBytes:])[3].Kind = 200
				body := len(block) - blockTrailerBytes
				little.PutUint32(block[body:], crc32.Checksum(block[:body], castagnoli))
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "journal")
			w := openWriter(t, dir, WriterOptions{})
			must(t, w.Append(newHistory().some(0)))
			if name == "snapshot" {
				must(t, w.Snapshot())
			}
			must(t, w.Close())
			age(t, dir)
			if _, err := Recover(dir, RecoverOptions{}); !errors.Is(err, ErrNewer) || errors.Is(err, ErrDamaged) {
				t.Errorf("the start says %v", err)
			}
			if a, err := Check(dir, AuditOptions{}); !errors.Is(err, ErrNewer) {
				t.Errorf("the audit says %+v, %v", a.Problem, err)
			}
		})
	}
}

func rewrite(t *testing.T, path string, change func(b []byte)) {
	t.Helper()
	b, err := os.ReadFile(path)
	must(t, err)
	change(b)
	must(t, os.WriteFile(path, b, 0o600))
}
