package datafolder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// ErrExposed says that another user may change what a server trusts.
var ErrExposed = errors.New("others may change it")

// checkOwner refuses a folder that others may write to: who can put files there decides what a balance is.
func (f *Folder) checkOwner() error {
	for _, path := range []string{f.path, JournalFolder(f.path), f.file("realm"), f.file(segmentFile)} {
		var st unix.Stat_t
		switch err := unix.Stat(path, &st); {
		case err == unix.ENOENT:
			continue
		case err != nil:
			return fmt.Errorf("%w: %w", ErrFolder, &fs.PathError{Op: "stat", Path: path, Err: err})
		case int(st.Uid) != os.Geteuid():
			return fmt.Errorf("%w: %s: %w: it belongs to uid %d, this process is uid %d → start as the user that owns it, or chown it",
				ErrFolder, path, ErrExposed, st.Uid, os.Geteuid())
		case st.Mode&0o022 != 0:
			return fmt.Errorf("%w: %s: %w: its mode is %04o → chmod go-w %s, once you know that nobody has", ErrFolder, path, ErrExposed,
				st.Mode&0o7777, path)
		}
	}
	return nil
}
