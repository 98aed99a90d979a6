package program

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"

	"golang.org/x/sys/unix"
)

// ErrOutput is the error of a result that could not be written. What it tells of was done.
var ErrOutput = errors.New("the result could not be written")

// Output is a program's stdout. It remembers that a write has failed, whoever made it: help texts and tables are written by
// libraries that do not look. It is safe for concurrent use.
type Output struct {
	mu     sync.Mutex
	w      io.Writer
	failed error
}

// NewOutput wraps the writer that results go to.
func NewOutput(w io.Writer) *Output { return &Output{w: w} }

// Write writes to what is wrapped.
func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n, err := o.w.Write(p)
	if err != nil {
		err = fmt.Errorf("%w: %w", ErrOutput, err)
		if o.failed == nil {
			o.failed = err
		}
	}
	return n, err
}

// Err is the first write's failure, wrapping ErrOutput; nil if all went well.
func (o *Output) Err() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.failed
}

// SurviveClosedPipes lets a write to a pipe that nobody reads fail, where by default it ends the process before it can say
// what it has done. The signal is caught and not ignored: programs that this one starts keep the default.
func SurviveClosedPipes() { signal.Notify(make(chan os.Signal, 1), unix.SIGPIPE) }

// ReaderLeft reports whether the error is that of a pipe whose reader is gone, as in `tradechat log | head`.
func ReaderLeft(err error) bool { return errors.Is(err, unix.EPIPE) }
