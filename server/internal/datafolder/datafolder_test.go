package datafolder

import (
	"context"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"tradechat.internal/ledger/journal"
)

func unexpectedWait(t *testing.T) func(int) {
	return func(holder int) { t.Errorf("waited for process %d", holder) }
}

func mustOpen(t *testing.T, path string) *Folder {
	t.Helper()
	f, err := Open(t.Context(), path, unexpectedWait(t))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestOpenMakesAFolderThatStaysTheSame(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b")
	first := mustOpen(t, path)
	first.Close()
	second := mustOpen(t, path)
	defer second.Close()
	if first.Realm() != second.Realm() || first.Realm() == [16]byte{} {
		t.Errorf("realm %x, then %x", first.Realm(), second.Realm())
	}
	for name, want := range map[string]os.FileMode{"": os.ModeDir | 0o700, "realm": 0o600, "pid": 0o600} {
		info, err := os.Stat(filepath.Join(path, name))
		if err != nil || info.Mode() != want {
			t.Errorf("%q: %v, %v; want mode %v", name, info.Mode(), err, want)
		}
	}
	if _, err := os.Stat(filepath.Join(path, "realm.new")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the draft of the realm is left: %v", err)
	}
}

func TestPathIsReal(t *testing.T) {
	real := filepath.Join(t.TempDir(), "real")
	link := filepath.Join(t.TempDir(), "link")
	if err := errors.Join(os.Mkdir(real, 0o700), os.Symlink(real, link)); err != nil {
		t.Fatal(err)
	}
	f := mustOpen(t, link)
	defer f.Close()
	if f.Path() != real {
		t.Errorf("path %s, want %s", f.Path(), real)
	}
}

func TestSecondOpenWaitsForTheFirst(t *testing.T) {
	path := t.TempDir()
	first := mustOpen(t, path)
	second, err := Open(t.Context(), path, func(holder int) {
		if holder != os.Getpid() {
			t.Errorf("holder %d, want %d", holder, os.Getpid())
		}
		first.Close()
	})
	if err != nil {
		t.Fatal(err)
	}
	second.Close()
}

func TestLockIsHeldByAnInheritedDescriptor(t *testing.T) {
	path := t.TempDir()
	first := mustOpen(t, path)
	inherited, err := unix.Dup(first.LockFD())
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(inherited)
	first.Close()
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := Open(ctx, path, func(int) { cancel() }); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v: must have waited until it was cancelled", err)
	}
}

func TestInUseNamesTheHolder(t *testing.T) {
	t.Parallel() // it takes LockWaitMax
	path := t.TempDir()
	first := mustOpen(t, path)
	defer first.Close()
	_, err := Open(t.Context(), path, func(int) {})
	if !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), "pid "+strconv.Itoa(os.Getpid())) {
		t.Fatalf("got %v, want ErrInUse with this process's pid", err)
	}
}

func TestFoldersThatCannotBeUsed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, filepath.Join(file, "below"), "/proc/tradechat"} {
		if _, err := Open(t.Context(), path, unexpectedWait(t)); !errors.Is(err, ErrFolder) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: got %v, want ErrFolder naming it", path, err)
		}
	}
}

func TestAJournalWithoutARealmIsRefused(t *testing.T) {
	path := t.TempDir()
	if err := errors.Join(os.Mkdir(filepath.Join(path, "journal"), 0o700), os.WriteFile(filepath.Join(path, "journal", "mark"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), path, unexpectedWait(t)); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "restore it") {
		t.Errorf("got %v, want ErrDamaged", err)
	}
	if _, err := os.Stat(filepath.Join(path, "realm")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a realm was made: %v", err)
	}
	mustBeFree(t, path)
}

func TestAnEpochIsGivenOutOnce(t *testing.T) {
	path := t.TempDir()
	for want := uint64(1); want <= 3; want++ {
		f := mustOpen(t, path)
		if got, err := f.NextEpoch(); err != nil || got != want {
			t.Fatalf("epoch %d, %v; want %d", got, err, want)
		}
		f.Close()
	}
	f := mustOpen(t, path)
	defer f.Close()
	for name, text := range map[string]string{"empty": "", "negative": "-1\n", "words": "three\n", "too high": "4294967296\n"} {
		if err := os.WriteFile(filepath.Join(path, "epoch"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := f.NextEpoch(); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAJournalWithoutAnEpochIsRefused(t *testing.T) {
	path := t.TempDir()
	f := mustOpen(t, path)
	defer f.Close()
	if err := os.MkdirAll(filepath.Join(path, "journal"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(path, "journal", "x"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := f.NextEpoch(); !errors.Is(err, ErrDamaged) {
		t.Errorf("%v", err)
	}
}

// A folder that gets its journal has its epochs from then on; one that has lost them does not get others.
func TestABoundJournalHasEpochs(t *testing.T) {
	path := t.TempDir()
	f := mustOpen(t, path)
	if _, err := f.BindJournal(4096); err != nil {
		t.Fatal(err)
	}
	if epoch, err := f.NextEpoch(); err != nil || epoch != 1 {
		t.Fatalf("%d, %v", epoch, err)
	}
	f.Close()
	if err := os.Remove(filepath.Join(path, "epoch")); err != nil {
		t.Fatal(err)
	}
	again := mustOpen(t, path)
	defer again.Close()
	if _, err := again.BindJournal(4096); err != nil {
		t.Fatal(err)
	}
	if _, err := again.NextEpoch(); !errors.Is(err, ErrDamaged) {
		t.Errorf("%v", err)
	}
}

func TestDamagedRealmIsRefused(t *testing.T) {
	for _, text := range []string{"", "00", strings.Repeat("g", 32), strings.Repeat("0", 34)} {
		path := t.TempDir()
		if err := os.WriteFile(filepath.Join(path, "realm"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), path, unexpectedWait(t)); !errors.Is(err, ErrDamaged) {
			t.Errorf("realm %q: got %v, want ErrDamaged", text, err)
		}
		mustBeFree(t, path)
	}
}

// mustBeFree checks that a refused Open left the lock free.
func mustBeFree(t *testing.T, path string) {
	t.Helper()
	fd, err := openFolder(path)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		t.Errorf("the lock of %s: %v", path, err)
	}
}

func TestAdminSocketMustFit(t *testing.T) {
	base := t.TempDir()
	for _, c := range []struct {
		length int
		fits   bool
	}{{socketPathMax, true}, {socketPathMax + 1, false}} {
		name := strings.Repeat("x", c.length-len(base)-len("//admin.sock"))
		f := mustOpen(t, filepath.Join(base, name))
		path, err := f.AdminSocket()
		f.Close()
		if c.fits != (err == nil) || c.fits && len(path) != c.length || !c.fits && !errors.Is(err, ErrFolder) {
			t.Errorf("path of %d bytes: %q, %v", c.length, path, err)
		}
	}
}

// TestNamesAreNotPatterns: whatever bytes a folder's name has, its journal is seen, and no second realm is made.
func TestNamesAreNotPatterns(t *testing.T) {
	for _, name := range []string{"a[b", "a[b]", "*", "a?c", `back\slash`, "bytes\xff\xfe", "new\nline"} {
		path := filepath.Join(t.TempDir(), name)
		first := mustOpen(t, path)
		id, err := first.BindJournal(4096)
		if err != nil {
			t.Fatal(err)
		}
		realm := first.Realm()
		first.Close()
		if err := os.Remove(filepath.Join(path, "realm")); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), path, unexpectedWait(t)); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), hex.EncodeToString(realm[:])) {
			t.Errorf("%q without a realm: %v, want ErrDamaged that names the journal's realm", name, err)
		}
		if err := os.WriteFile(filepath.Join(path, "realm"), []byte(hex.EncodeToString(realm[:])+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		again := mustOpen(t, path)
		if got, err := again.BindJournal(4096); err != nil || got != id {
			t.Errorf("%q: journal %v, %v, want %v", name, got, err, id)
		}
		again.Close()
	}
}

// TestAnotherRealmOrOtherIterationsAreRefused: each would make every password wrong.
func TestAnotherRealmOrOtherIterationsAreRefused(t *testing.T) {
	path := t.TempDir()
	f := mustOpen(t, path)
	if _, err := f.BindJournal(4096); err != nil {
		t.Fatal(err)
	}
	if _, err := f.BindJournal(5000); !errors.Is(err, journal.ErrBound) || !strings.Contains(err.Error(), "--kdf-iterations 4096") {
		t.Errorf("5000 iterations: %v, want ErrBound that names 4096", err)
	}
	realm := f.Realm()
	f.Close()
	right := hex.EncodeToString(realm[:])
	realm[15] ^= 1
	if err := os.WriteFile(filepath.Join(path, "realm"), []byte(hex.EncodeToString(realm[:])+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f = mustOpen(t, path)
	defer f.Close()
	if _, err := f.BindJournal(4096); !errors.Is(err, journal.ErrBound) || !strings.Contains(err.Error(), right) {
		t.Errorf("another realm: %v, want ErrBound that names %s", err, right)
	}
}
