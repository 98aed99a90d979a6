package journal

import (
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// The mark says up to which record fdatasync(2) has returned. It is written after each sync and not synced itself: it tells
// a write that was cut short from a block that was whole once.
//
//	0   magic "NSMARK01"
//	8   seq u64
//	16  CRC-32C of that u32 · zero u32
const (
	markName  = "mark"
	markBytes = 24
)

var markMagic = [8]byte{'N', 'S', 'M', 'A', 'R', 'K', '0', '1'}

func appendMark(dst []byte, seq uint64) []byte {
	dst = append(dst, markMagic[:]...)
	dst = little.AppendUint64(dst, seq)
	dst = little.AppendUint32(dst, crc32.Checksum(dst, castagnoli))
	return little.AppendUint32(dst, 0)
}

// readMark returns the seq in a folder's mark; 0 if there is none, or only the zeros of a file that never came to disk.
func readMark(dir string) (seq uint64, err error) {
	path := filepath.Join(dir, markName)
	b, err := os.ReadFile(path)
	if os.IsNotExist(err) || err == nil && allZero(b) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	switch {
	case len(b) != markBytes:
		return 0, damage(path, 0, 0, "the mark has %d bytes, not %d", len(b), markBytes)
	case [8]byte(b[:8]) != markMagic || crc32.Checksum(b[:16], castagnoli) != little.Uint32(b[16:]) || little.Uint32(b[20:]) != 0:
		return 0, damage(path, 0, 0, "the mark's checksum differs")
	}
	return little.Uint64(b[8:]), nil
}

// markFile is the mark as it is being written.
type markFile struct {
	fd  int
	buf []byte
}

func openMark(dir string) (*markFile, error) {
	path := filepath.Join(dir, markName)
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CREAT|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return &markFile{fd: fd}, nil
}

func (m *markFile) write(seq uint64) error {
	m.buf = appendMark(m.buf[:0], seq)
	if _, err := unix.Pwrite(m.fd, m.buf, 0); err != nil {
		return fmt.Errorf("write the mark: %w", err)
	}
	return nil
}

func (m *markFile) sync() error { return unix.Fdatasync(m.fd) }

func (m *markFile) close() { _ = unix.Close(m.fd) }

func allZero(b []byte) bool {
	for i := range b {
		if b[i] != 0 {
			return false
		}
	}
	return true
}
