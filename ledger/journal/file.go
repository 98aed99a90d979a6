package journal

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// A journal file begins with this header, and is named by the first seq that it may hold.
//
//	0    magic "NSJRNL01"
//	8    version u32 · length of the header u32
//	16   the journal's id, the same in all files of a folder
//	32   first seq u64
//	40   SHA-256 of the last block before this file; zeros for seq 1
//	72   when it was made u64, nanoseconds since the Unix epoch
//	80   the realm: salt of the users' login keys; zeros in version 1
//	96   PBKDF2 iterations of these keys u32; zero in version 1
//	100  zeros
//	124  CRC-32C of all of that u32
//
// # Versions
//
// A build writes fileVersion and reads every version from 1 on. In all versions, those to come too, the magic, the version and the
// checksum are where they are here, so that a file of a newer version is told from a damaged one. Version 1 had no realm, no
// iterations and no seals. testdata has a journal of each version.
const (
	fileHeaderBytes = 128
	fileVersion     = 2
	fileSuffix      = ".jnl"

	fileIDAt    = 16
	fileFirstAt = 32
	filePrevAt  = 40
	fileMadeAt  = 72
	fileRealmAt = 80
	fileKDFAt   = 96
	fileZeroAt  = 100
	fileCRCAt   = 124
)

var fileMagic = [8]byte{'N', 'S', 'J', 'R', 'N', 'L', '0', '1'}

// fileHeader is what a journal file says of itself.
type fileHeader struct {
	id     ID
	first  uint64
	prev   Hash
	madeNs uint64
	bound  Binding
}

func (h fileHeader) encode() []byte {
	b := make([]byte, 0, fileHeaderBytes)
	b = append(b, fileMagic[:]...)
	b = little.AppendUint32(b, fileVersion)
	b = little.AppendUint32(b, fileHeaderBytes)
	b = append(b, h.id[:]...)
	b = little.AppendUint64(b, h.first)
	b = append(b, h.prev[:]...)
	b = little.AppendUint64(b, h.madeNs)
	b = append(b, h.bound.Realm[:]...)
	b = little.AppendUint32(b, h.bound.Iterations)
	b = b[:fileCRCAt]
	return little.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// parseFileHeader reads a header; fault says what is wrong with it. version is 0 unless the header is whole.
func parseFileHeader(b []byte) (h fileHeader, version uint32, fault string) {
	switch {
	case len(b) < fileHeaderBytes:
		return h, 0, fmt.Sprintf("the file ends within its header, after %d bytes", len(b))
	case [8]byte(b[:8]) != fileMagic:
		return h, 0, "not a file of a journal"
	case crc32.Checksum(b[:fileCRCAt], castagnoli) != little.Uint32(b[fileCRCAt:]):
		return h, 0, "the header's checksum differs"
	}
	switch version = little.Uint32(b[8:]); {
	case version > fileVersion:
		return h, version, ""
	case version == 0 || little.Uint32(b[12:]) != fileHeaderBytes || version == 1 && !allZero(b[fileRealmAt:fileCRCAt]):
		return h, 0, "the header says what no version does"
	}
	return fileHeader{
		id: ID(b[fileIDAt:fileFirstAt]), first: little.Uint64(b[fileFirstAt:]),
		prev: Hash(b[filePrevAt:fileMadeAt]), madeNs: little.Uint64(b[fileMadeAt:]),
		bound: Binding{Realm: [16]byte(b[fileRealmAt:fileKDFAt]), Iterations: little.Uint32(b[fileKDFAt:])},
	}, version, ""
}

// readFileHeader reads and checks the header of an open file.
func readFileHeader(file *os.File, entry journalFile) (fileHeader, error) {
	b := make([]byte, fileHeaderBytes)
	n, err := file.ReadAt(b, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return fileHeader{}, fmt.Errorf("journal: %w", err)
	}
	h, version, fault := parseFileHeader(b[:n])
	switch {
	case fault != "":
		return h, damage(entry.path, 0, entry.first, "%s", fault)
	case version > fileVersion:
		return h, newer(entry.path, version, fileVersion)
	case h.first != entry.first:
		return h, damage(entry.path, fileFirstAt, entry.first, "the header says that it begins with record %d", h.first)
	}
	return h, nil
}

// follows checks that a file is of the journal, and behind the block, that the file before it has.
func (h *fileHeader) follows(entry journalFile, id ID, last Hash) error {
	switch {
	case h.id != id:
		return damage(entry.path, fileIDAt, h.first, "the file belongs to journal %x, the one before it to %x", h.id, id)
	case h.prev != last:
		return damage(entry.path, filePrevAt, h.first, "the hash of the block before is not that of the file before")
	}
	return nil
}

// journalFile is one that lies in the folder.
type journalFile struct {
	path  string
	first uint64 // by its name
}

func fileName(first uint64) string { return fmt.Sprintf("%020d%s", first, fileSuffix) }

// seqOf reads the seq in a file's name.
func seqOf(name, prefix, suffix string) (seq uint64, ok bool) {
	digits := strings.TrimSuffix(strings.TrimPrefix(name, prefix), suffix)
	if len(digits) != 20 || len(name) != len(prefix)+len(digits)+len(suffix) {
		return 0, false
	}
	seq, err := strconv.ParseUint(digits, 10, 64)
	return seq, err == nil
}

// contents is what a journal's folder holds.
type contents struct {
	dir       string
	files     []journalFile // ascending
	snapshots []string      // paths, ascending
	leftovers []string      // drafts that a crash left
	quiet     bool          // reading is to be in nobody's way, and from the disk
}

// list reads a folder; one that is not there is empty.
func list(dir string) (c contents, err error) {
	c.dir = dir
	entries, err := os.ReadDir(dir) // sorted by name, and so by seq
	if os.IsNotExist(err) {
		return c, nil
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if first, ok := seqOf(e.Name(), "", fileSuffix); ok {
			c.files = append(c.files, journalFile{path, first})
		} else if _, ok := seqOf(e.Name(), snapshotPrefix, ""); ok {
			c.snapshots = append(c.snapshots, path)
		} else if strings.HasSuffix(e.Name(), draftSuffix) {
			c.leftovers = append(c.leftovers, path)
		}
	}
	return c, err
}
