package journal

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// ID tells one journal's files from another's. It is random, made with the journal's first file, and stands in the header of each file and
// each snapshot.
type ID [16]byte

func (id ID) String() string { return fmt.Sprintf("%x", id[:]) }

// Binding is what the users' keys in a journal depend on. It stands in each file's header. The zero Binding binds nothing, as do
// files of version 1.
type Binding struct {
	Realm      [16]byte // the salt of the login keys
	Iterations uint32   // of PBKDF2
}

// ErrNone says that there is no journal in a folder.
var ErrNone = errors.New("there is no journal")

// Identity reads a journal's identity, and what it is bound to, from the header of its newest file. Errors: ErrNone; ErrDamaged,
// also for a folder that has a mark or snapshots but no files; ErrNewer; the file system's.
func Identity(dir string) (ID, Binding, error) {
	c, err := list(dir)
	if err != nil {
		return ID{}, Binding{}, fmt.Errorf("journal: %w", err)
	}
	if len(c.files) == 0 {
		return ID{}, Binding{}, c.checkEmpty()
	}
	newest := c.files[len(c.files)-1]
	file, err := os.Open(newest.path)
	if err != nil {
		return ID{}, Binding{}, fmt.Errorf("journal: %w", err)
	}
	defer file.Close()
	h, err := readFileHeader(file, newest)
	return h.id, h.bound, err
}

// Create begins a journal in a folder that has none: its folder and its first file, with a header and no records. In one that has a
// journal it reads the identity and compares the binding. No other process may use the folder. Errors: ErrBound, and Identity's.
func Create(dir string, b Binding) (ID, error) {
	id, bound, err := Identity(dir)
	switch {
	case err == nil:
		return id, bound.check(dir, b)
	case !errors.Is(err, ErrNone):
		return id, err
	}
	if _, err := rand.Read(id[:]); err != nil {
		return id, err
	}
	if err := makeFolder(dir); err != nil {
		return id, err
	}
	return id, createFirst(filepath.Join(dir, fileName(1)), fileHeader{id: id, first: 1, madeNs: uint64(time.Now().UnixNano()), bound: b})
}

// createFirst writes a file that is only a header, so that a crash leaves either none or all of it.
func createFirst(path string, h fileHeader) error {
	draft := path + draftSuffix
	file, err := os.OpenFile(draft, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	_, err = file.Write(h.encode())
	if err = errors.Join(err, file.Sync(), file.Close()); err == nil {
		err = os.Rename(draft, path)
	}
	if err != nil {
		return fmt.Errorf("journal: begin %s: %w", path, err)
	}
	return syncFolder(filepath.Dir(path))
}

// check compares what a journal is bound to with what it is to be. The zero value on either side is not bound.
func (b Binding) check(dir string, want Binding) error {
	switch {
	case b == Binding{} || want == Binding{} || b == want:
		return nil
	case b.Realm != want.Realm:
		return fmt.Errorf("%s: %w: its users' keys were made in realm %x, the realm now is %x: nobody could log in → put %x back as the realm",
			dir, ErrBound, b.Realm, want.Realm, b.Realm)
	}
	return fmt.Errorf("%s: %w: its users' keys were made with %d iterations, not %d: nobody could log in → start with --kdf-iterations %d",
		dir, ErrBound, b.Iterations, want.Iterations, b.Iterations)
}

// checkEmpty is for a folder without files: ErrNone, unless there is something that says that there were some.
func (c contents) checkEmpty() error {
	mark, err := readMark(c.dir)
	if err != nil {
		return err
	}
	if mark != 0 || len(c.snapshots) != 0 {
		seq := mark
		for _, path := range c.snapshots {
			seq = max(seq, snapshotSeq(path))
		}
		return damage(c.dir, 0, seq, "there are no journal files, but there were records")
	}
	if _, err := os.Stat(c.dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("journal: %w", err)
	}
	return fmt.Errorf("%s: %w", c.dir, ErrNone)
}
