package journal

import (
	"errors"
	"fmt"
	"path/filepath"

	"tradechat.internal/ledger"
)

var (
	// ErrDamaged says that a file does not hold what it must. The error is a *DamageError.
	ErrDamaged = errors.New("journal is damaged")

	// ErrNewer says that a newer version of this program wrote the journal, or some of it. That is no damage.
	ErrNewer = ledger.ErrNewer

	// ErrBound says that the journal was written under another realm, or other iterations, than the server is to have.
	ErrBound = errors.New("the journal belongs to other settings")

	// ErrVanished says that the file being written is no longer where it was made.
	ErrVanished = errors.New("the journal's file is gone from its place")

	// ErrOptions says that a setting is out of bounds.
	ErrOptions = errors.New("invalid journal settings")
)

// DamageError says where a journal is damaged.
type DamageError struct {
	File   string // path
	Offset int64  // byte in it
	Seq    uint64 // of the record that is, or should be, there; 0: none
	What   string
	Cause  error // nil, or what found it
}

func (e *DamageError) Error() string {
	text := fmt.Sprintf("%s: byte %d", e.File, e.Offset)
	if e.Seq != 0 {
		text += fmt.Sprintf(" (record %d)", e.Seq)
	}
	text += ": " + e.What
	if e.Cause != nil {
		text += ": " + e.Cause.Error()
	}
	return text
}

func (e *DamageError) Is(target error) bool { return target == ErrDamaged }
func (e *DamageError) Unwrap() error        { return e.Cause }

// Name is the damaged file's name within the folder.
func (e *DamageError) Name() string { return filepath.Base(e.File) }

func damage(file string, offset int64, seq uint64, format string, args ...any) *DamageError {
	return &DamageError{File: file, Offset: offset, Seq: seq, What: fmt.Sprintf(format, args...)}
}

// newer is the error of a file whose version this build does not know.
func newer(path string, version, known uint32) error {
	return fmt.Errorf("%s: %w: format version %d, this build reads up to %d → start the build that wrote it", path, ErrNewer, version, known)
}
