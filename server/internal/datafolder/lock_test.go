package datafolder

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestNoFileIsTheLock removes everything from under a server that runs.
func TestNoFileIsTheLock(t *testing.T) {
	path := t.TempDir()
	first := mustOpen(t, path)
	defer first.Close()
	if err := os.Remove(filepath.Join(path, "pid")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := Open(ctx, path, func(int) { cancel() }); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v: must have waited until it was cancelled", err)
	}
}

// TestAJournalHasOneServer whatever folder it is in.
func TestAJournalHasOneServer(t *testing.T) {
	path, other := filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "b")
	first := mustOpen(t, path)
	defer first.Close()
	if _, err := first.BindJournal(4096); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Mkdir(other, 0o700), os.Link(filepath.Join(path, "realm"), filepath.Join(other, "realm")),
		os.Rename(JournalFolder(path), JournalFolder(other))); err != nil {
		t.Fatal(err)
	}
	if err := first.Guard(); !errors.Is(err, ErrMoved) || !strings.Contains(err.Error(), JournalFolder(path)) {
		t.Errorf("the journal was moved: %v, want ErrMoved", err)
	}
	second := mustOpen(t, other)
	defer second.Close()
	if _, err := second.BindJournal(4096); !errors.Is(err, ErrInUse) {
		t.Errorf("got %v, want ErrInUse", err)
	}
	if err := errors.Join(os.Rename(JournalFolder(other), JournalFolder(path)), first.Guard()); err != nil {
		t.Errorf("back again: %v", err)
	}
	if err := errors.Join(os.Rename(path, path+".away"), os.Mkdir(path, 0o700)); err != nil {
		t.Fatal(err)
	}
	if err := first.Guard(); !errors.Is(err, ErrMoved) {
		t.Errorf("another folder has its path: %v, want ErrMoved", err)
	}
}

// TestWhatOthersMayChangeIsRefused names what to do.
func TestWhatOthersMayChangeIsRefused(t *testing.T) {
	for _, name := range []string{"", "journal", "realm", "segment"} {
		path := filepath.Join(t.TempDir(), "data")
		f := mustOpen(t, path)
		if _, err := f.BindJournal(4096); err != nil {
			t.Fatal(err)
		}
		if _, err := f.NewSegmentName(); err != nil {
			t.Fatal(err)
		}
		f.Close()
		at := filepath.Join(path, name)
		info, err := os.Stat(at)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(at, info.Mode()|0o020); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), path, unexpectedWait(t)); !errors.Is(err, ErrExposed) || !strings.Contains(err.Error(), "→ chmod go-w "+at) {
			t.Errorf("%q is group-writable: %v", name, err)
		}
		if err := os.Chmod(at, info.Mode()); err != nil {
			t.Fatal(err)
		}
		mustOpen(t, path).Close()
		if os.Geteuid() != 0 {
			continue // only root can give a file away
		}
		if err := os.Chown(at, 65534, 65534); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), path, unexpectedWait(t)); !errors.Is(err, ErrExposed) || !strings.Contains(err.Error(), "uid 65534") {
			t.Errorf("%q is another user's: %v", name, err)
		}
	}
}

func TestTheSegmentsNameIsKept(t *testing.T) {
	f := mustOpen(t, filepath.Join(t.TempDir(), "data"))
	defer f.Close()
	if name, err := f.SegmentName(); name != "" || err != nil {
		t.Errorf("in a new folder: %q, %v", name, err)
	}
	first, err := f.NewSegmentName()
	if err != nil {
		t.Fatal(err)
	}
	second, err := f.NewSegmentName()
	if err != nil || first == second {
		t.Errorf("%q, then %q, %v: not random", first, second, err)
	}
	if name, err := f.SegmentName(); name != second || err != nil || !UsesSegment(f.Path(), second) || UsesSegment(f.Path(), first) {
		t.Errorf("%q, %v, want %q", name, err, second)
	}
	for _, text := range []string{"", "tradechat-", "../../etc/passwd", strings.ToUpper(second), second + "00"} {
		if err := f.KeepSegmentName(text); err != nil {
			t.Fatal(err)
		}
		if name, err := f.SegmentName(); !errors.Is(err, ErrDamaged) {
			t.Errorf("%q in the file: %q, %v, want ErrDamaged", text, name, err)
		}
	}
	if err := f.ForgetSegment(); err != nil {
		t.Fatal(err)
	}
	if name, err := f.SegmentName(); name != "" || err != nil {
		t.Errorf("forgotten: %q, %v", name, err)
	}
}
