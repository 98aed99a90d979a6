package worker

import (
	"errors"
	"io"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// farewell is what is left of a connection whose client has closed its side while answers were parked: gnet closes a connection at the
// end of its input, so the socket goes on under another descriptor until these answers are written. It is counted as open until then.
type farewell struct {
	fd   int
	rest []byte // what the socket has not taken
}

// beginFarewell keeps the socket of a connection that gnet is closing, if answers are parked for it.
func (w *Worker) beginFarewell(c *conn, socket int, cause error) {
	if c.parked == 0 || !errors.Is(cause, io.EOF) {
		return
	}
	fd, err := unix.FcntlInt(uintptr(socket), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return // too many descriptors; the client asks again under the same req_ids
	}
	c.outlived = true
	w.farewells[c] = &farewell{fd: fd}
}

// sendFarewell writes answers to what is left of a connection. After the last one it is closed: by a goroutine if the socket does not
// take all at once.
func (w *Worker) sendFarewell(c *conn, answers []byte) {
	f := w.farewells[c]
	if f == nil {
		return
	}
	if len(f.rest) == 0 {
		n, err := unix.Write(f.fd, answers)
		if err != nil && !errors.Is(err, unix.EAGAIN) {
			n = len(answers) // nobody is there any more
		}
		answers = answers[max(n, 0):]
	}
	f.rest = append(f.rest, answers...)
	if c.parked > 0 {
		return
	}
	delete(w.farewells, c)
	if len(f.rest) == 0 {
		_ = unix.Close(f.fd)
		w.gate.open.Add(-1)
		return
	}
	go f.finish(func() { w.gate.open.Add(-1) })
}

// finish writes the rest and closes, within lingerMax.
func (f *farewell) finish(closed func()) {
	defer closed()
	file := os.NewFile(uintptr(f.fd), "farewell")
	socket, err := net.FileConn(file)
	_ = file.Close()
	if err != nil {
		return
	}
	if socket.SetWriteDeadline(time.Now().Add(lingerMax)) == nil {
		_, _ = socket.Write(f.rest)
	}
	_ = socket.Close()
}
