package datafolder

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"tradechat.internal/shmstore"
)

// The segment's name is random, so that nobody can put a file there before the server does. The folder keeps it, so that the
// next start finds what a crash left, also when the folder was moved. It is on disk before the segment is made; one that a
// clean stop has removed is forgotten.

const segmentFile = "segment"

// SegmentName is the name of the segment that an earlier run left; empty if none did. Errors: ErrDamaged.
func (f *Folder) SegmentName() (string, error) { return readSegmentName(f.path) }

// UsesSegment tells whether another data folder knows a segment as its own.
func UsesSegment(folder, name string) bool {
	known, err := readSegmentName(folder)
	return err == nil && known == name
}

func readSegmentName(folder string) (string, error) {
	path := (&Folder{path: folder}).file(segmentFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	name := strings.TrimSuffix(string(text), "\n")
	digits, found := strings.CutPrefix(name, shmstore.NamePrefix)
	if raw, err := hex.DecodeString(digits); !found || err != nil || len(raw) != segmentNameRandom {
		return "", fmt.Errorf("%s: %w: want %s and %d hexadecimal digits → remove it: the start then looks for the journal's segment",
			path, ErrDamaged, shmstore.NamePrefix, 2*segmentNameRandom)
	}
	return name, nil
}

// NewSegmentName makes a name for a segment and keeps it.
func (f *Folder) NewSegmentName() (string, error) {
	var random [segmentNameRandom]byte
	if _, err := rand.Read(random[:]); err != nil {
		return "", err
	}
	name := shmstore.NamePrefix + hex.EncodeToString(random[:])
	return name, f.KeepSegmentName(name)
}

// KeepSegmentName notes which segment is the folder's, so that a crash leaves either the old name or the new one.
func (f *Folder) KeepSegmentName(name string) error {
	draft := f.file(segmentFile + ".new")
	if err := writeSynced(draft, name+"\n"); err != nil {
		return err
	}
	if err := os.Rename(draft, f.file(segmentFile)); err != nil {
		return err
	}
	return syncFolder(f.path)
}

// ForgetSegment is for a segment that was removed. A crash before that is on disk leaves a name without a segment.
func (f *Folder) ForgetSegment() error { return os.Remove(f.file(segmentFile)) }
