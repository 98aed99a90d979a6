// Package datafolder is the folder on disk that belongs to one server:
//
//	.            the folder itself is flock(2)ed by the master and, through inheritance, by every child
//	pid          the master's pid: for messages only
//	segment      the name of the shared-memory segment, random, written before the segment is made (segmentname.go)
//	journal/     flock(2)ed by the master too: it may be moved, or lie elsewhere behind a link
//	realm        the salt of the users' login keys: 32 hexadecimal digits and a newline, written once
//	epoch        how many segments were made for this folder: a decimal number and a newline (epoch.go)
//	admin.sock   the admin socket while a server runs
//
// The lock is free only when the last process of a run is gone, so whoever has it is alone with the folder and with the
// segment that belongs to it. No file in the folder is the lock: files can be removed and made anew under a server that
// runs. Guard notices when the path leads to another folder. The realm outlives everything else: without it every stored
// key would be worthless.
package datafolder

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"tradechat.internal/ledger/journal"
	"tradechat.internal/libproto"
)

var (
	// ErrInUse says that another server, or a process that one left behind, holds the folder's lock.
	ErrInUse = errors.New("data folder is in use")

	// ErrFolder says that the folder cannot be used: not a folder, not writable.
	ErrFolder = errors.New("data folder cannot be used")

	// ErrDamaged says that a file of the folder does not hold what it must.
	ErrDamaged = errors.New("file is damaged")
)

// Folder is a data folder whose lock this process holds.
type Folder struct {
	path      string // absolute, without symbolic links
	lockFD    int    // of the folder
	journalFD int    // of the journal's folder, -1 before BindJournal
	realm     [libproto.SaltLen]byte
	journal   journal.ID
}

// Path is the folder's real path.
func (f *Folder) Path() string { return f.path }

// LockFD is the descriptor that holds the lock, for the children. It stays the folder's.
func (f *Folder) LockFD() int { return f.lockFD }

// Realm is the salt of the login keys.
func (f *Folder) Realm() [libproto.SaltLen]byte { return f.realm }

// Open makes the folder if it is missing (mode 0700), locks it and reads or makes its realm. While another process holds
// the lock it waits until LockWaitMax has passed or ctx is done; waiting is called once, with the pid that the lock file
// names (0: none), when it begins to. Errors: ErrInUse, ErrFolder, ErrDamaged, ctx's, the file system's.
func Open(ctx context.Context, path string, waiting func(holder int)) (*Folder, error) {
	real, err := prepare(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrFolder, path, err)
	}
	f := &Folder{path: real, journalFD: -1}
	if f.lockFD, err = openFolder(real); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrFolder, path, err)
	}
	if err = f.checkOwner(); err == nil {
		err = f.lock(ctx, waiting)
	}
	if err == nil {
		f.realm, err = f.loadRealm()
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// Close drops this process's hold of the lock.
func (f *Folder) Close() {
	_ = unix.Close(f.lockFD)
	if f.journalFD >= 0 {
		_ = unix.Close(f.journalFD)
	}
}

// AdminSocket is the path of the admin socket, if it fits into a socket address.
func (f *Folder) AdminSocket() (string, error) {
	path := f.file("admin.sock")
	if len(path) > socketPathMax {
		return "", fmt.Errorf("%w: %s: the admin socket's path has %d bytes, %d fit; choose a --data with a shorter path",
			ErrFolder, path, len(path), socketPathMax)
	}
	return path, nil
}

func (f *Folder) file(name string) string { return filepath.Join(f.path, name) }

// prepare makes the folder and returns its real path.
func prepare(path string) (string, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return "", err
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(absolute)
}

// loadRealm reads the realm, or makes it in a folder that has none.
func (f *Folder) loadRealm() (salt [libproto.SaltLen]byte, err error) {
	path := f.file("realm")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := f.mayMakeRealm(path); err != nil {
			return salt, err
		}
		return f.makeRealm(path)
	}
	if err != nil {
		return salt, err
	}
	raw, err := hex.DecodeString(strings.TrimSuffix(string(text), "\n"))
	if err != nil || len(raw) != len(salt) {
		return salt, fmt.Errorf("%s: %w: want %d hexadecimal digits and a newline; restore it from a backup: without it "+
			"nobody can log in", path, ErrDamaged, 2*len(salt))
	}
	return [libproto.SaltLen]byte(raw), nil
}

// makeRealm writes a new salt so that a crash leaves either no realm or a whole one.
func (f *Folder) makeRealm(path string) (salt [libproto.SaltLen]byte, err error) {
	if _, err := rand.Read(salt[:]); err != nil {
		return salt, err
	}
	draft := path + ".new"
	if err := writeSynced(draft, hex.EncodeToString(salt[:])+"\n"); err != nil {
		return salt, err
	}
	if err := os.Rename(draft, path); err != nil {
		return salt, err
	}
	return salt, errors.Join(syncFolder(f.path), syncFolder(filepath.Dir(f.path)))
}

func writeSynced(path, text string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.WriteString(text)
	return errors.Join(err, file.Sync(), file.Close())
}

// syncFolder makes the names in a folder durable. A parent that may not be read is none of ours to sync.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if errors.Is(err, fs.ErrPermission) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
