package shmstore

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// A segment's name is open to all users of the machine: anybody may make a file of that name, and the owner's cleaners may
// remove it. So what has the name is used only if it is a regular file, this user's, of mode 0600 and under no other name;
// and while a server runs it asks now and then whether the name still leads to its segment (Named).

// NamePrefix begins the names of all segments.
const NamePrefix = "tradechat-"

// openExisting opens what has the name, if it is a segment's file of ours. Errors: ErrSegmentAbsent, ErrForeign, ErrExposed.
func openExisting(name string, mode int) (fd int, path string, err error) {
	path, err = segmentPath(name)
	if err != nil {
		return -1, "", err
	}
	fd, err = unix.Open(path, mode|unix.O_CLOEXEC|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	switch err {
	case nil:
	case unix.ENOENT:
		return -1, "", fmt.Errorf("%s: %w", path, ErrSegmentAbsent)
	case unix.EACCES, unix.EPERM, unix.ELOOP, unix.EISDIR, unix.ENXIO:
		return -1, "", fmt.Errorf("open %s: %w: %w", path, ErrForeign, err)
	default:
		return -1, "", fmt.Errorf("open %s: %w", path, err)
	}
	if err := checkFile(fd, path); err != nil {
		unix.Close(fd)
		return -1, "", err
	}
	return fd, path, nil
}

// checkFile tells whether a file is this user's alone.
func checkFile(fd int, path string) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return fmt.Errorf("stat %s: %w", path, err)
	}
	switch {
	case st.Mode&unix.S_IFMT != unix.S_IFREG:
		return fmt.Errorf("%s: %w: not a regular file", path, ErrForeign)
	case int(st.Uid) != os.Geteuid():
		return fmt.Errorf("%s: %w: it belongs to uid %d, this process is uid %d", path, ErrForeign, st.Uid, os.Geteuid())
	case st.Nlink > 1:
		return fmt.Errorf("%s: %w: it has %d names", path, ErrForeign, st.Nlink)
	case st.Mode&0o7777 != 0o600:
		return fmt.Errorf("%s: %w: its mode is %04o, not 0600", path, ErrExposed, st.Mode&0o7777)
	}
	return nil
}

// Named tells whether the segment's name still leads to it, with nobody else allowed to write. Errors: ErrNameLost, ErrExposed.
func (seg *Segment) Named() error {
	var mine, named unix.Stat_t
	if err := unix.Fstat(seg.fd, &mine); err != nil {
		return fmt.Errorf("stat %s: %w", seg.path, err)
	}
	switch err := unix.Lstat(seg.path, &named); {
	case err != nil:
		return fmt.Errorf("%s: %w: %w", seg.path, ErrNameLost, err)
	case named.Dev != mine.Dev || named.Ino != mine.Ino:
		return fmt.Errorf("%s: %w: another file has it", seg.path, ErrNameLost)
	}
	return checkFile(seg.fd, seg.path)
}

// SaveAs copies a segment that nobody changes any more to a new name, for the next start: its own is lost. Errors: ErrSegmentExists.
func (seg *Segment) SaveAs(name string) error {
	path, err := segmentPath(name)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL|unix.O_NOFOLLOW, 0o600)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s: %w", path, ErrSegmentExists)
	}
	if err != nil {
		return err
	}
	_, err = file.Write(seg.mem)
	if err = errors.Join(err, file.Close()); err != nil {
		return errors.Join(fmt.Errorf("copy the segment: %w", err), os.Remove(path))
	}
	seg.path = path
	return nil
}

// Unguard makes the answers of all modes wait for the journal while on: the memory alone would not keep what they promise.
func (seg *Segment) Unguard(on bool) {
	value := uint32(0)
	if on {
		value = 1
	}
	seg.control.unguarded.Store(value)
}

// Unguarded tells whether answers have to wait because the next start would not find the segment.
func (seg *Segment) Unguarded() bool { return seg.control.unguarded.Load() != 0 }

// Remove unlinks the segment name unless a server uses it. Errors: ErrSegmentAbsent, ErrSegmentInUse, ErrForeign. One that
// others may have changed can be removed.
func Remove(name string) error {
	fd, path, err := openExisting(name, unix.O_RDWR)
	if errors.Is(err, ErrExposed) {
		return unix.Unlink(filepath.Join(Folder, name))
	}
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := flock(fd, path); err != nil {
		return err
	}
	return unix.Unlink(path)
}

// Unlink removes the name if it still leads here; mappings stay valid. Errors: ErrNameLost.
func (seg *Segment) Unlink() error {
	if err := seg.Named(); errors.Is(err, ErrNameLost) {
		return err
	}
	return unix.Unlink(seg.path)
}

// Owner is the data folder that used the segment last.
func (seg *Segment) Owner() string { return zeroPadded(seg.super.owner[:]) }

// SetOwner notes that the segment is used by another folder now.
func (seg *Segment) SetOwner(folder string) {
	seg.super.owner = [len(seg.super.owner)]byte{}
	copy(seg.super.owner[:len(seg.super.owner)-1], folder)
}

func zeroPadded(text []byte) string {
	text, _, _ = bytes.Cut(text, []byte{0})
	return string(text)
}
