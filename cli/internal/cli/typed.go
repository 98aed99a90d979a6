package cli

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"

	"tradechat.internal/liblog/program"
)

// errLineLen is the error of a line that is longer than the server takes.
var errLineLen = errors.New("the line is too long")

// line is one line of stdin, or why it cannot be sent.
type line struct {
	number int
	text   string
	err    error
}

// input is stdin, line by line.
type input struct {
	reader   *bufio.Reader
	terminal *os.File // nil: stdin is none
	lineMax  int      // bytes
	number   int
}

// newInput reads lines of at most lineMax bytes. stdin may be nil.
func newInput(ctx context.Context, stdin io.Reader, lineMax int) *input {
	in := &input{lineMax: min(lineMax, lineMost)}
	if stdin == nil {
		stdin = bytes.NewReader(nil)
	}
	if file, ok := stdin.(*os.File); ok && program.IsTerminal(file) {
		signal.Ignore(unix.SIGTTIN) // a read in the background then fails, and does not stop the process
		in.terminal = file
		stdin = keyboard{ctx, file}
	}
	in.reader = bufio.NewReaderSize(stdin, in.lineMax+len("\r\n"))
	return in
}

// next is the next line that is not empty; io.EOF after the last.
func (in *input) next() (line, error) {
	for {
		text, err := in.reader.ReadSlice('\n')
		if len(text) == 0 && err != nil {
			return line{}, err
		}
		in.number++
		if errors.Is(err, bufio.ErrBufferFull) {
			return line{number: in.number, text: head(text), err: in.skip()}, nil
		}
		text = bytes.TrimSuffix(bytes.TrimSuffix(text, []byte("\n")), []byte("\r"))
		if len(text) > in.lineMax {
			return line{number: in.number, text: head(text), err: in.tooLong()}, nil
		}
		if len(text) > 0 {
			return line{number: in.number, text: string(text), err: checkText(string(text))}, nil
		}
	}
}

// skip reads on to the end of a line that is too long.
func (in *input) skip() error {
	for {
		if _, err := in.reader.ReadSlice('\n'); !errors.Is(err, bufio.ErrBufferFull) {
			return in.tooLong()
		}
	}
}

func (in *input) tooLong() error {
	return fmt.Errorf("%w: this server takes at most %s", errLineLen, count(int64(in.lineMax), "byte"))
}

// head is enough of a line to tell which one it is.
func head(text []byte) string { return string(text[:min(len(text), lineHeadLen)]) }

// all sends every line to the channel, and closes it after the last.
func (in *input) all(ctx context.Context) <-chan line {
	lines := make(chan line)
	go func() {
		defer close(lines)
		for {
			l, err := in.next()
			if err != nil {
				return
			}
			select {
			case lines <- l:
			case <-ctx.Done():
				return
			}
		}
	}()
	return lines
}

// forget drops what was typed and not read, so that no shell runs it afterwards. A background process leaves it to the
// one in front, whose it is.
func (in *input) forget() {
	if in.terminal != nil && inForeground(in.terminal) {
		_ = unix.IoctlSetInt(int(in.terminal.Fd()), unix.TCFLSH, unix.TCIFLUSH) // what cannot be flushed stays: no harm to us
	}
}

// keyboard reads a terminal while this process is in its foreground, and waits while another one is: a shell has put this one
// behind with & or bg, and what is typed is for the shell.
type keyboard struct {
	ctx      context.Context
	terminal *os.File
}

func (k keyboard) Read(p []byte) (int, error) {
	for k.ctx.Err() == nil {
		if inForeground(k.terminal) {
			n, err := k.terminal.Read(p)
			if !errors.Is(err, unix.EIO) || inForeground(k.terminal) {
				return n, err
			}
		}
		select {
		case <-k.ctx.Done():
		case <-time.After(foregroundEvery):
		}
	}
	return 0, k.ctx.Err()
}

// inForeground reports whether this process may read the terminal. One that is not its controlling terminal has no foreground.
func inForeground(terminal *os.File) bool {
	group, err := unix.IoctlGetInt(int(terminal.Fd()), unix.TIOCGPGRP)
	return err != nil || group == unix.Getpgrp()
}
