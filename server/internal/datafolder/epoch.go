package datafolder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
)

// NextEpoch is a number that this folder gives out once: it is on disk before it is returned. Session ids are unique because it
// is, so an epoch that is lost is not begun anew beside a journal. Errors: ErrDamaged, the file system's.
func (f *Folder) NextEpoch() (uint64, error) {
	path := f.file("epoch")
	last, err := f.lastEpoch(path)
	if err != nil {
		return 0, err
	}
	return last + 1, f.writeEpoch(path, last+1)
}

// writeEpoch replaces the file, whole and on disk.
func (f *Folder) writeEpoch(path string, epoch uint64) error {
	draft := path + ".new"
	if err := writeSynced(draft, strconv.FormatUint(epoch, 10)+"\n"); err != nil {
		return err
	}
	if err := os.Rename(draft, path); err != nil {
		return err
	}
	return syncFolder(f.path)
}

// beginEpochs makes the file of a folder that has no journal yet: a journal without one is refused.
func (f *Folder) beginEpochs() error {
	path := f.file("epoch")
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if f.refuseJournal(path) != nil {
		return nil //nolint:nilerr // NextEpoch says so, if one is needed
	}
	return f.writeEpoch(path, 0)
}

// lastEpoch is the epoch in the file; 0 in a folder that has none, and no journal.
func (f *Folder) lastEpoch(path string) (uint64, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, f.refuseJournal(path)
	}
	if err != nil {
		return 0, err
	}
	last, err := strconv.ParseUint(strings.TrimSuffix(string(text), "\n"), 10, 32)
	if err != nil {
		return 0, fmt.Errorf("%s: %w: it must be a decimal number and a newline → restore it from a backup, or write a number "+
			"that is higher than any before", path, ErrDamaged)
	}
	return last, nil
}

// refuseJournal is an error if the folder holds a journal.
func (f *Folder) refuseJournal(path string) error {
	held, err := os.ReadDir(f.file("journal"))
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(held) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	return fmt.Errorf("%s: %w: it is missing, but there is a journal: session ids could be given out twice → restore it from a "+
		"backup, or write a number into it that is higher than any before", path, ErrDamaged)
}
