package shmstore

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestInspectReadsEveryLayout(t *testing.T) {
	name := createClosed(t, smallShape())
	seg, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	bank(t, bind(t, seg, 0, nil), 3, 100)
	head := seg.Head()
	seg.UseJournal(head - 1)
	path := seg.Path()
	if err := seg.Close(); err != nil {
		t.Fatal(err)
	}
	want := Leftover{Name: name, Finished: true, Journal: [16]byte{9}, Build: "this build", Folder: "/some/folder", Head: head, Durable: head - 1}
	for _, at := range []int64{-1, 8, 16} { // as it is, another version, another hash
		if at >= 0 {
			flipByte(t, path, at+1)
		}
		if l, err := Inspect(name); err != nil || l != want || !l.Unkept() {
			t.Errorf("byte %d changed: %+v, %v, want %+v", at, l, err, want)
		}
	}
	flipByte(t, path, superblockBytes+int64(stateOffset)) // 1 ^ 0x11: neither running nor failed
	if l, err := Inspect(name); err != nil || l.Failed {
		t.Errorf("another state: %+v, %v", l, err)
	}
	found, err := Find([16]byte{9})
	if err != nil || len(found) == 0 {
		t.Fatalf("%+v, %v", found, err)
	}
	for _, l := range found {
		if l == want {
			return
		}
	}
	t.Errorf("%+v is not among %+v", want, found)
}

// TestWhatIsNotOursIsNotOpened tries what others could put at a segment's name.
func TestWhatIsNotOursIsNotOpened(t *testing.T) {
	for _, c := range []struct {
		name string
		make func(t *testing.T, path string) error
		want error
	}{
		{"link", func(t *testing.T, path string) error {
			return os.Symlink(Folder+"/"+createClosed(t, smallShape()), path)
		}, ErrForeign},
		{"second name", func(t *testing.T, path string) error { return os.Link(Folder+"/"+createClosed(t, smallShape()), path) }, ErrForeign},
		{"folder", func(_ *testing.T, path string) error { return os.Mkdir(path, 0o700) }, ErrForeign},
		{"fifo", func(_ *testing.T, path string) error { return unix.Mkfifo(path, 0o600) }, ErrForeign},
		{"mode", func(t *testing.T, path string) error {
			return errors.Join(os.Rename(Folder+"/"+createClosed(t, smallShape()), path), os.Chmod(path, 0o606))
		}, ErrExposed},
		{"another user's", func(t *testing.T, path string) error {
			if os.Geteuid() != 0 {
				t.Skip("only root can make another user's file")
			}
			return errors.Join(os.Rename(Folder+"/"+createClosed(t, smallShape()), path), os.Chown(path, 65534, 65534))
		}, ErrForeign},
	} {
		t.Run(c.name, func(t *testing.T) {
			name := createClosed(t, smallShape()) + "-other"
			path := filepath.Join(Folder, name)
			t.Cleanup(func() { os.Remove(path) })
			if err := c.make(t, path); err != nil {
				t.Fatal(err)
			}
			if seg, err := Open(name); !errors.Is(err, c.want) || seg != nil || !strings.Contains(err.Error(), path) {
				t.Errorf("Open: %v, want %v", err, c.want)
			}
			if l, err := Inspect(name); !errors.Is(err, c.want) {
				t.Errorf("Inspect: %+v, %v, want %v", l, err, c.want)
			}
			if err := Remove(name); (err == nil) != (c.want == ErrExposed) {
				t.Errorf("Remove: %v", err)
			}
		})
	}
}

func TestTheLossOfTheNameIsNoticed(t *testing.T) {
	seg := newSegment(t, smallShape())
	if err := seg.Named(); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(seg.Path(), seg.Path()+".away"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(seg.Path() + ".away") })
	if err := seg.Named(); !errors.Is(err, ErrNameLost) {
		t.Errorf("without a name: %v", err)
	}
	if err := os.WriteFile(seg.Path(), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := seg.Named(); !errors.Is(err, ErrNameLost) {
		t.Errorf("another file has it: %v", err)
	}
	if err := seg.Unlink(); !errors.Is(err, ErrNameLost) {
		t.Errorf("unlinked what is not the segment: %v", err)
	}
	if err := os.Rename(seg.Path()+".away", seg.Path()); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(seg.Named(), os.Chmod(seg.Path(), 0o660)); err != nil {
		t.Error(err)
	}
	if err := seg.Named(); !errors.Is(err, ErrExposed) {
		t.Errorf("writable by a group: %v", err)
	}
}
