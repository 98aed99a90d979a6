package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// ErrNotCovered says that memory does not have all the records that a damaged file had.
var ErrNotCovered = errors.New("not all of it is in memory")

// SetAside moves what is damaged, and what cannot be without it, into a folder beside: a snapshot or the mark alone; or a journal file, all
// later ones, the snapshots of their records, and the mark. Nothing is removed. The journal then ends before it, and whoever has the records
// from covered on writes them anew. Errors: ErrNotCovered, the file system's.
func SetAside(dir string, d *DamageError, covered uint64) (aside string, err error) {
	c, err := list(dir)
	if err != nil {
		return "", fmt.Errorf("journal: %w", err)
	}
	moved := []string{d.File}
	if at := slices.IndexFunc(c.files, func(f journalFile) bool { return f.path == d.File }); at >= 0 {
		if moved, err = c.from(at, covered); err != nil {
			return "", err
		}
	} else if !slices.Contains(c.snapshots, d.File) && d.Name() != markName {
		return "", fmt.Errorf("%s: %w: a file is missing", dir, ErrNotCovered)
	}
	aside = filepath.Join(dir, fmt.Sprintf("damaged-%d", time.Now().UnixNano()))
	if err := os.Mkdir(aside, 0o700); err != nil {
		return "", fmt.Errorf("journal: %w", err)
	}
	for _, path := range moved {
		if err := os.Rename(path, filepath.Join(aside, filepath.Base(path))); err != nil && !errors.Is(err, os.ErrNotExist) {
			return aside, fmt.Errorf("journal: %w", err)
		}
	}
	return aside, errors.Join(c.keepIdentity(moved, aside), syncFolder(aside), syncFolder(dir))
}

// from is all that goes with the file at an index: the newest first, so that what a crash leaves is a journal.
func (c contents) from(at int, covered uint64) (paths []string, err error) {
	first := c.files[at].first
	if first < covered {
		return nil, fmt.Errorf("%s: %w: it begins with record %d, and memory with record %d → restore the file from a backup",
			c.files[at].path, ErrNotCovered, first, covered)
	}
	paths = append(paths, filepath.Join(c.dir, markName))
	for _, path := range slices.Backward(c.snapshots) {
		if snapshotSeq(path) >= first {
			paths = append(paths, path)
		}
	}
	for _, f := range slices.Backward(c.files[at:]) {
		paths = append(paths, f.path)
	}
	return paths, nil
}

// keepIdentity begins the journal again, as the same one, if all its files were moved.
func (c contents) keepIdentity(moved []string, aside string) error {
	if len(c.files) == 0 || !slices.Contains(moved, c.files[0].path) {
		return nil
	}
	var refused error
	for _, f := range c.files {
		file, err := os.Open(filepath.Join(aside, filepath.Base(f.path)))
		if err != nil {
			return fmt.Errorf("journal: %w", err)
		}
		h, err := readFileHeader(file, f)
		if err = errors.Join(err, file.Close()); err == nil {
			h.first, h.prev = 1, Hash{}
			return createFirst(filepath.Join(c.dir, fileName(1)), h)
		}
		refused = errors.Join(refused, err)
	}
	return refused
}
