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

func (d *drafts) create() (*os.File, error) {
	path := filepath.Join(d.dir, draftName)
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	for err = unix.EINTR; err == unix.EINTR; {
		err = unix.Fallocate(int(file.Fd()), 0, 0, d.bytes) // whether there is room for all of it
	}
	if err == nil {
		err = d.fill(file)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("allocate %d bytes for %s: %w", d.bytes, path, err), file.Close(), os.Remove(path))
	}
	return file, nil
}

// zeros is never written to: it costs address space, and no memory.
var zeros [fillBytes]byte

func (d *drafts) fill(file *os.File) error {
	for at := int64(0); at < d.bytes && !d.hurry.Load(); at += fillBytes {
		if _, err := file.WriteAt(zeros[:min(fillBytes, d.bytes-at)], at); err != nil {
			return err
		}
		if err := unix.Fdatasync(int(file.Fd())); err != nil {
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
