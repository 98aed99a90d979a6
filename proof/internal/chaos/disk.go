package chaos

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// disk is a file system of its own for the data folder, whose size can be changed. It needs a mount namespace of the process's own
// (OwnMounts).
type disk struct{ path string }

// newDisk mounts it at a folder.
func newDisk(path string) (*disk, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("chaos: disk: %w", err)
	}
	d := &disk{path}
	return d, d.mount(0, diskSlackBytes)
}

func (d *disk) mount(flags uintptr, bytes uint64) error {
	if err := unix.Mount("tmpfs", d.path, "tmpfs", flags, fmt.Sprintf("mode=0700,size=%d", bytes)); err != nil {
		return fmt.Errorf("chaos: a disk of %d bytes at %s: %w", bytes, d.path, err)
	}
	return nil
}

func (d *disk) release() { _ = unix.Unmount(d.path, unix.MNT_DETACH) }

// space is what the disk has in use and free.
func (d *disk) space() (used, free uint64, err error) {
	var s unix.Statfs_t
	if err := unix.Statfs(d.path, &s); err != nil {
		return 0, 0, fmt.Errorf("chaos: %s: %w", d.path, err)
	}
	return (s.Blocks - s.Bfree) * uint64(s.Bsize), s.Bfree * uint64(s.Bsize), nil
}

// setFree makes the disk as large as what it holds and so much more.
func (d *disk) setFree(bytes uint64) error {
	used, _, err := d.space()
	if err != nil {
		return err
	}
	return d.mount(unix.MS_REMOUNT, used+bytes)
}

// keepFree makes the disk larger when it has come to be half full of what it may take.
func (d *disk) keepFree() error {
	_, free, err := d.space()
	if err != nil || free >= diskSlackBytes/2 {
		return err
	}
	return d.setFree(diskSlackBytes)
}
