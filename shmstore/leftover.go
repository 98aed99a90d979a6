package shmstore

import (
	"encoding/binary"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// Leftover is what every build can tell of a segment that any other made.
type Leftover struct {
	Name     string
	Finished bool // its creation came to its end
	Journal  [16]byte
	Build    string // what made it
	Folder   string // data folder that used it last
	Head     uint64 // records 1 … Head exist
	Durable  uint64 // records 1 … Durable are in the journal too
	Failed   bool   // the journal failed: what it has on disk may be damaged
}

// Unkept tells whether there are, or may be, records that only the segment has.
func (l Leftover) Unkept() bool { return l.Failed || l.Head > l.Durable }

// Unkept is Leftover.Unkept for a segment that this build understands.
func (seg *Segment) Unkept() bool { return seg.ReadOnly() || seg.Head() > seg.Durable() }

// Inspect reads what every build can tell of the segment name. Errors: ErrSegmentAbsent, ErrForeign, ErrExposed; ErrDamaged if
// it cannot be told what it holds.
func Inspect(name string) (Leftover, error) {
	fd, path, err := openExisting(name, unix.O_RDONLY)
	if err != nil {
		return Leftover{}, err
	}
	defer unix.Close(fd)
	block := make([]byte, prefixBytes)
	n, err := unix.Pread(fd, block, 0)
	if err != nil {
		return Leftover{}, fmt.Errorf("read %s: %w", path, err)
	}
	if n < prefixBytes {
		return Leftover{}, fmt.Errorf("%s: %w: its superblock has %d bytes", path, ErrDamaged, n)
	}
	p := asPrefix(block)
	switch {
	case p.magic == 0 && p.ready == 0:
		return Leftover{Name: name}, nil // not even begun
	case p.magic != segmentMagic:
		return Leftover{}, fmt.Errorf("%s: %w: not a segment of this server", path, ErrDamaged)
	case p.version < prefixVersion:
		return Leftover{}, fmt.Errorf("%s: %w: version %d, which does not tell what it holds", path, ErrLayout, p.version)
	}
	l := Leftover{Name: name, Finished: p.ready == 1, Journal: p.journal, Build: zeroPadded(p.build[:]), Folder: zeroPadded(p.owner[:])}
	if l.Head, err = wordAt(fd, path, p.headAt); err != nil {
		return l, err
	}
	if l.Durable, err = wordAt(fd, path, p.durableAt); err != nil {
		return l, err
	}
	state, err := bytesAt(fd, path, p.stateAt, 4)
	l.Failed = err == nil && binary.NativeEndian.Uint32(state) == uint32(JournalFailed)
	return l, err
}

func wordAt(fd int, path string, at uint64) (uint64, error) {
	word, err := bytesAt(fd, path, at, 8)
	if err != nil {
		return 0, err
	}
	return binary.NativeEndian.Uint64(word), nil
}

func bytesAt(fd int, path string, at uint64, length int) ([]byte, error) {
	word := make([]byte, length)
	n, err := unix.Pread(fd, word, int64(at&(1<<62-1))) // an offset that no file has reads as nothing
	if err != nil {
		return nil, fmt.Errorf("read %s at %d: %w", path, at, err)
	}
	if n < len(word) {
		return nil, fmt.Errorf("%s: %w: it has no byte %d", path, ErrDamaged, at)
	}
	return word, nil
}

// Find looks for segments of a journal, whatever their names are and whatever build made them.
func Find(journal [16]byte) (found []Leftover, err error) {
	folder, err := os.Open(Folder)
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	names, err := folder.Readdirnames(folderEntriesMax)
	if err != nil && len(names) != 0 {
		return nil, err
	}
	for _, name := range names {
		if !strings.HasPrefix(name, NamePrefix) {
			continue
		}
		if l, err := Inspect(name); err == nil && l.Finished && l.Journal == journal {
			found = append(found, l)
		}
	}
	return found, nil
}
