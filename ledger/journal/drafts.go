package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// drafts makes journal files before they are needed. A draft has its full size, but neither header nor name. It is filled
// with zeros, and not only allocated: a sync of a block that was never written before has to bring the file's
// extents to disk as well, which nearly doubles its time and its processor time (ext4, measured). That is done
// piece by piece, each synced, so that a group commit beside it does not wait for all of it, and given up when the draft is
// needed before that is done.
type drafts struct {
	dir   string
	bytes int64

	making sync.WaitGroup
	began  bool
	hurry  atomic.Bool // somebody waits for the draft: it is good enough as it is
	ready  *os.File    // once making is done
	failed error       // likewise
}

const draftName = "next" + fileSuffix + draftSuffix

// ahead begins to make the next draft in the background, unless that has begun.
func (d *drafts) ahead() {
	if d.began {
		return
	}
	d.began = true
	d.making.Go(func() { d.ready, d.failed = d.create() })
}

// prove makes the first draft at once, as far as that can fail: that there is room for a file, that it can be synced, and that it is
// found again. The rest is done in the background.
func (d *drafts) prove() error {
	draft, err := d.open()
	if err != nil {
		return err
	}
	err = draft.prove()
	if err != nil {
		return errors.Join(err, draft.drop())
	}
	d.began = true
	d.making.Go(func() { d.ready, d.failed = draft.File, d.fill(draft) })
	return nil
}

// draft is one that has its size; allocated tells whether the file system has promised the room.
type draft struct {
	*os.File
	allocated bool
}

func (d draft) drop() error { return errors.Join(d.Close(), os.Remove(d.Name())) }

func (d draft) prove() error {
	at, err := placeOf(int(d.Fd()), d.Name())
	switch {
	case err != nil:
		return fmt.Errorf("look %s up: %w", d.Name(), err)
	case !at.held():
		return fmt.Errorf("%s: %w", d.Name(), ErrVanished)
	}
	if _, err := d.WriteAt(zeros[:fileHeaderBytes], 0); err != nil {
		return fmt.Errorf("write %s: %w", d.Name(), err)
	}
	if err := fdatasync(d.File); err != nil {
		return fmt.Errorf("sync %s: %w → the file system of --data must be able to sync", d.Name(), err)
	}
	return nil
}

// open makes a draft and asks the file system for all its room. One that cannot promise room (ext2, ramfs, some of NFS; or fallocate(2) is
// denied) gets the zeros instead, which take it.
func (d *drafts) open() (draft, error) {
	path := filepath.Join(d.dir, draftName)
	if err := d.withinLimit(path); err != nil {
		return draft{}, err
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return draft{}, err
	}
	made := draft{File: file, allocated: true}
	for err = unix.EINTR; err == unix.EINTR; {
		err = unix.Fallocate(int(file.Fd()), 0, 0, d.bytes)
	}
	switch err {
	case nil:
		return made, nil
	case unix.EOPNOTSUPP, unix.ENOSYS, unix.EPERM, unix.EINVAL, unix.ENODEV:
		made.allocated = false
		err = d.fill(made)
	}
	if err != nil {
		return draft{}, errors.Join(fmt.Errorf("%d bytes for %s: %w → make room, or lower --journal-file", d.bytes, path, err), made.drop())
	}
	return made, nil
}

// withinLimit refuses what RLIMIT_FSIZE does not allow.
func (d *drafts) withinLimit(path string) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
		return fmt.Errorf("file-size limit: %w", err)
	}
	if need := uint64(d.bytes) + sealsBytesMax; limit.Cur < need {
		return fmt.Errorf("%s needs up to %d bytes, and this process may write %d: %w → raise the limit (ulimit -f, LimitFSIZE=), or lower --journal-file",
			path, need, limit.Cur, unix.EFBIG)
	}
	return nil
}

func (d *drafts) create() (*os.File, error) {
	made, err := d.open()
	if err != nil {
		return nil, err
	}
	if made.allocated {
		err = d.fill(made)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("fill %s: %w", made.Name(), err), made.drop())
	}
	return made.File, nil
}

// zeros is never written to: it costs address space, and no memory.
var zeros [fillBytes]byte

// fill writes zeros. Somebody who waits for the draft makes it stop, unless its room depends on them.
func (d *drafts) fill(file draft) error {
	for at := int64(0); at < d.bytes; at += fillBytes {
		if file.allocated && d.hurry.Load() {
			break
		}
		if _, err := file.WriteAt(zeros[:min(fillBytes, d.bytes-at)], at); err != nil {
			return err
		}
		if err := fdatasync(file.File); err != nil {
			return err
		}
	}
	return file.Sync()
}

// become turns a draft into the file of this name with this header. What failed ahead is tried once more.
func (d *drafts) become(path string, header []byte) (*os.File, error) {
	d.hurry.Store(true)
	d.making.Wait()
	file, err := d.ready, d.failed
	if !d.began || err != nil {
		file, err = d.create()
	}
	d.began, d.ready, d.failed = false, nil, nil
	d.hurry.Store(false)
	if err != nil {
		return nil, err
	}
	if _, err = file.WriteAt(header, 0); err == nil {
		err = file.Sync()
	}
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err == nil {
		err = syncFolder(d.dir)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("begin %s: %w", path, err), file.Close())
	}
	return file, nil
}

// discard drops a draft that is not needed any more.
func (d *drafts) discard() {
	d.hurry.Store(true)
	d.making.Wait()
	if d.ready != nil {
		_ = d.ready.Close()
		_ = os.Remove(filepath.Join(d.dir, draftName))
	}
	d.began, d.ready, d.failed = false, nil, nil
}
