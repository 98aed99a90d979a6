package journal

import (
	"errors"
	"fmt"
	"path/filepath"
)

var (
	// ErrDamaged says that a file does not hold what it must. The error is a *DamageError.
	ErrDamaged = errors.New("journal is damaged")

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
