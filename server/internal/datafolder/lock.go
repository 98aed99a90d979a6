package datafolder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// ErrMoved says that a path of a server that runs leads to another folder, or to none.
var ErrMoved = errors.New("the data folder is not at its path any more")

// openFolder opens a folder as a bare descriptor: the children inherit it, and no finalizer may close it.
func openFolder(path string) (int, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return fd, nil
}

// lock takes the flock, and writes this process's pid for those who will find it taken. There is no flock(2) with a
// deadline that a signal handler could not disturb, so it asks again and again.
func (f *Folder) lock(ctx context.Context, waiting func(holder int)) error {
	poll := time.NewTicker(lockPoll)
	defer poll.Stop()
	deadline := time.NewTimer(LockWaitMax)
	defer deadline.Stop()
	for told := false; ; {
		taken, err := tryLock(f.lockFD, f.path)
		if err != nil {
			return err
		}
		if taken {
			return f.writeHolder()
		}
		if !told {
			told = true
			waiting(f.holder())
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for the data folder %s: %w", f.path, ctx.Err())
		case <-deadline.C:
			return fmt.Errorf("%w: %s: by the server with pid %d (or a worker of it) → stop it, or choose another --data",
				ErrInUse, f.path, f.holder())
		case <-poll.C:
		}
	}
}

func tryLock(fd int, path string) (taken bool, err error) {
	switch err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err {
	case nil:
		return true, nil
	case unix.EWOULDBLOCK, unix.EINTR:
		return false, nil
	default:
		return false, fmt.Errorf("%w → choose a --data on a file system of this machine, which can lock folders",
			&fs.PathError{Op: "flock", Path: path, Err: err})
	}
}

// lockJournal locks the journal's folder as well. The folder may have come here from another data folder, whose server still runs.
func (f *Folder) lockJournal() error {
	path := JournalFolder(f.path)
	fd, err := openFolder(path)
	if err != nil {
		return err
	}
	taken, err := tryLock(fd, path)
	if err == nil && !taken {
		err = fmt.Errorf("%w: %s: by a server on another data folder → stop it: one journal has one server", ErrInUse, path)
	}
	if err != nil {
		return errors.Join(err, unix.Close(fd))
	}
	f.journalFD = fd
	return nil
}

func (f *Folder) writeHolder() error {
	if err := os.WriteFile(f.file("pid"), []byte(strconv.Itoa(os.Getpid())+"\n"), 0o600); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrFolder, f.path, err)
	}
	return nil
}

// holder is the pid in the pid file, 0 if there is none.
func (f *Folder) holder() int {
	text, _ := os.ReadFile(f.file("pid"))
	pid, err := strconv.Atoi(strings.TrimSpace(string(text[:min(len(text), holderBytesMax)])))
	if err != nil {
		return 0
	}
	return pid
}

// Guard tells whether the paths of the folder and of its journal still lead to what is locked. Errors: ErrMoved.
func (f *Folder) Guard() error {
	for _, at := range []struct {
		path string
		fd   int
	}{{f.path, f.lockFD}, {JournalFolder(f.path), f.journalFD}} {
		if at.fd < 0 {
			continue
		}
		var locked, now unix.Stat_t
		if err := unix.Fstat(at.fd, &locked); err != nil {
			return &fs.PathError{Op: "fstat", Path: at.path, Err: err}
		}
		switch err := unix.Stat(at.path, &now); {
		case err != nil:
			return fmt.Errorf("%w: %s: %w", ErrMoved, at.path, err)
		case now.Dev != locked.Dev || now.Ino != locked.Ino:
			return fmt.Errorf("%w: %s is another folder now", ErrMoved, at.path)
		}
	}
	return nil
}
