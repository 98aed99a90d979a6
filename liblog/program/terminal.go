package program

import (
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// IsTerminal reports whether w writes to a terminal. It asks through SyscallConn: File.Fd may change the file's blocking mode.
func IsTerminal(w io.Writer) bool {
	if o, wrapped := w.(*Output); wrapped {
		w = o.w
	}
	file, ok := w.(syscall.Conn) // an *os.File, or what wraps one
	if !ok {
		return false
	}
	raw, err := file.SyscallConn()
	if err != nil {
		return false
	}
	terminal := false
	err = raw.Control(func(fd uintptr) {
		_, err := unix.IoctlGetTermios(int(fd), unix.TCGETS)
		terminal = err == nil
	})
	return err == nil && terminal
}

// Redraws reports whether w is a terminal that takes cursor moves: TERM says what it is, and "dumb" is one that does not.
// A terminal without TERM is one that nothing is known of.
func Redraws(w io.Writer) bool {
	kind := os.Getenv("TERM")
	return kind != "" && kind != "dumb" && IsTerminal(w)
}

// Colours reports whether w is a terminal that takes colours, and the user wants them (https://no-color.org).
func Colours(w io.Writer) bool { return os.Getenv("NO_COLOR") == "" && Redraws(w) }
