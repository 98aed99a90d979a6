package proc

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// ErrNoBinary says that a program to measure is not there.
var ErrNoBinary = errors.New("program not found")

// Binaries is the folder that holds the programs.
type Binaries struct{ folder string }

// FindBinaries uses the folder, or the one that the running program is in if the folder is "".
func FindBinaries(folder string) (Binaries, error) {
	if folder == "" {
		self, err := os.Executable()
		if err != nil {
			return Binaries{}, fmt.Errorf("proc: %w", err)
		}
		folder = filepath.Dir(self)
	}
	absolute, err := filepath.Abs(folder)
	if err != nil {
		return Binaries{}, fmt.Errorf("proc: %w", err)
	}
	return Binaries{absolute}, nil
}

// Folder is the folder's absolute path.
func (b Binaries) Folder() string { return b.folder }

// Path is the path of a program of that name; ErrNoBinary if there is none.
func (b Binaries) Path(name string) (string, error) {
	path := filepath.Join(b.folder, name)
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Mode()&0o111 == 0 {
		return "", fmt.Errorf("%w: %s; `make build` makes it, --bin DIR names another folder", ErrNoBinary, path)
	}
	return path, nil
}
