package journal

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"tradechat.internal/ledger"
)

// awaitPass waits for a pass that has begun after the call to end.
func awaitPass(t *testing.T, s *Scrub) ScrubState {
	t.Helper()
	passes := s.State().Passes
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if now := s.State(); now.Passes >= passes+2 {
			return now
		}
	}
	t.Fatalf("no pass came to an end: %+v", s.State())
	return ScrubState{}
}

// TestAScrubFindsDamageBesideAWriter: in a full file, in the one being written, in a snapshot; and what is put back is right again.
func TestAScrubFindsDamageBesideAWriter(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "journal")
	h := newHistory()
	w := openWriter(t, dir, WriterOptions{})
	must(t, w.Append(h.some(100)))
	must(t, w.Snapshot())
	must(t, w.Close())
	w = openWriter(t, dir, WriterOptions{})
	must(t, w.Append([]ledger.Record{h.deposit(1, 1)}))
	must(t, w.Sync())
	s := StartScrub(dir, ScrubOptions{BytesPerSecond: 1 << 30, Pause: time.Millisecond})
	defer s.Stop()
	write := func() {
		for range 50 {
			must(t, errors.Join(w.Append([]ledger.Record{h.deposit(1, 1)}), w.Sync()))
		}
	}
	write()
	if state := awaitPass(t, s); state.Damage != nil || state.Bytes == 0 {
		t.Fatalf("an undamaged journal: %+v", state)
	}
	for _, name := range []string{fileName(1), filepath.Base(w.path), snapshotName(104)} {
		path := filepath.Join(dir, name)
		flip(t, path, fileHeaderBytes+blockHeaderBytes+5)
		write()
		var d *DamageError
		if state := awaitPass(t, s); !errors.As(state.Damage, &d) || d.File != path {
			t.Errorf("%s is damaged: %+v", name, state)
		}
		flip(t, path, fileHeaderBytes+blockHeaderBytes+5)
		if state := awaitPass(t, s); state.Damage != nil {
			t.Errorf("%s was put back: %+v", name, state)
		}
	}
	must(t, w.Close())
}

// flip inverts a bit of a file in place.
func flip(t *testing.T, path string, at int64) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	must(t, err)
	defer file.Close()
	var b [1]byte
	_, err = file.ReadAt(b[:], at)
	must(t, err)
	b[0] ^= 0x10
	_, err = file.WriteAt(b[:], at)
	must(t, err)
}

// TestReadBackSeesWhatTheNextStartSees.
func TestReadBackSeesWhatTheNextStartSees(t *testing.T) {
	for _, damaged := range []bool{false, true} {
		dir := filepath.Join(t.TempDir(), "journal")
		w := openWriter(t, dir, WriterOptions{})
		must(t, w.Append(newHistory().some(100)))
		must(t, w.Sync())
		if damaged {
			flip(t, w.path, 400)
		}
		must(t, w.Snapshot())
		must(t, w.Close())
		if err := w.ReadBack(10); errors.Is(err, ErrDamaged) != damaged || err == nil == damaged {
			t.Errorf("damaged %v: %v", damaged, err)
		}
	}
}
