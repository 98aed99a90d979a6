package journal

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// mounted is a file system of its own.
func mounted(t *testing.T, kind, options string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if os.Geteuid() != 0 {
		t.Skip("a file system of its own needs root")
	}
	if err := unix.Mount(kind, dir, kind, 0, options); err != nil {
		t.Skipf("a %s needs to be mounted: %v", kind, err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	return dir
}

// proven opens a writer in a folder that has no journal.
func proven(dir string, bytes int64) (*Writer, error) {
	from, err := Recover(dir, RecoverOptions{})
	if err != nil {
		return nil, err
	}
	return NewWriter(dir, from, WriterOptions{FileBytes: bytes})
}

// TestADiskThatIsTooSmallIsRefusedAtTheStart, with what to do.
func TestADiskThatIsTooSmallIsRefusedAtTheStart(t *testing.T) {
	dir := filepath.Join(mounted(t, "tmpfs", "size=3m"), "journal")
	w, err := proven(dir, 4<<20)
	if !errors.Is(err, unix.ENOSPC) || !strings.Contains(err.Error(), "→ make room") {
		t.Fatalf("%v, %v", w, err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 2 { // the mark, and a file without records
		t.Errorf("%v is left", left)
	}
	w, err = proven(dir, 2<<20)
	must(t, err)
	must(t, w.Close())
}

// TestAFileSystemWithoutFallocate is written to all the same.
func TestAFileSystemWithoutFallocate(t *testing.T) {
	dir := filepath.Join(mounted(t, "ramfs", ""), "journal")
	w, err := proven(dir, 2<<20)
	must(t, err)
	writesAndReads(t, w)
	unfit, err := w.drafts.open()
	if err != nil || unfit.allocated {
		t.Errorf("allocated %v, %v: ramfs has learnt fallocate, this test needs another file system", unfit.allocated, err)
	}
}

// writesAndReads brings some groups to disk.
func writesAndReads(t *testing.T, w *Writer) {
	t.Helper()
	h := newHistory()
	records := h.some(400)
	for len(records) > 0 {
		n := min(40, len(records))
		must(t, errors.Join(w.Append(records[:n]), w.Sync()))
		records = records[n:]
	}
	must(t, w.Snapshot())
	must(t, w.Close())
	if got, err := Recover(w.dir, RecoverOptions{}); err != nil || h.fold.Differs(got.Fold) != "" {
		t.Errorf("%+v, %v", got, err)
	}
}

// deprivedVariable makes the test's process one that something is denied to.
const deprivedVariable = "TRADECHAT_TEST_DEPRIVED"

// deprived runs the test again in a process of its own, which is to be told apart by in.
func deprived(t *testing.T) (in bool) {
	t.Helper()
	if os.Getenv(deprivedVariable) != "" {
		return true
	}
	child := exec.Command("/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v")
	child.Env = append(os.Environ(), deprivedVariable+"=1")
	if said, err := child.CombinedOutput(); err != nil || !strings.Contains(string(said), "--- PASS: "+t.Name()) {
		t.Errorf("%v\n%s", err, said)
	}
	return false
}

// TestAFileSizeLimitIsRefusedAtTheStart, and one that is high enough is not.
func TestAFileSizeLimitIsRefusedAtTheStart(t *testing.T) {
	if !deprived(t) {
		return
	}
	limit := uint64(2<<20 + sealsBytesMax)
	must(t, unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: limit, Max: limit}))
	dir := filepath.Join(t.TempDir(), "journal")
	w, err := proven(dir, 2<<20+1)
	if !errors.Is(err, unix.EFBIG) || !strings.Contains(err.Error(), strconv.FormatUint(limit, 10)) || !strings.Contains(err.Error(), "→ raise the limit") {
		t.Fatalf("%v, %v", w, err)
	}
	w, err = proven(dir, 2<<20)
	must(t, err)
	writesAndReads(t, w)
}
