package scenario

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"

	"tradechat.internal/ledger/journal"
	"tradechat.internal/libproto"
)

// firstBlockAt is where a journal file's first block begins (docs/journal.md).
const firstBlockAt = 128

// cmdTear leaves half a block behind the last whole one in the newest file of a journal, as a crash in the middle of a write
// does.
func cmdTear(ts *testscript.TestScript, _ *world, args []string) {
	in := &words{ts, args}
	dir := ts.MkAbs(in.next("journal folder"))
	in.end()
	audit, err := journal.Check(dir, journal.AuditOptions{})
	ts.Check(err)
	entries, err := os.ReadDir(dir)
	ts.Check(err)
	var files []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".jnl") {
			files = append(files, filepath.Join(dir, e.Name()))
		}
	}
	if !audit.OK || len(files) != 1 {
		ts.Fatalf("%v, in %d files", audit, len(files))
	}
	file, err := os.OpenFile(files[0], os.O_RDWR, 0)
	ts.Check(err)
	defer file.Close()
	block := make([]byte, 100) // the begin of the first block: a header, and some of a record
	_, err = file.ReadAt(block, firstBlockAt)
	ts.Check(err)
	_, err = file.WriteAt(block, audit.Bytes)
	ts.Check(err)
}

// cmdSend makes a request and does not wait for its answer; unanswered and answer look for it.
func cmdSend(ts *testscript.TestScript, w *world, args []string) {
	in := &words{ts, args}
	s := w.session(ts, in.next("name"))
	e, err := w.encode(s, in.rest)
	if err == nil {
		err = s.write(e.bytes)
	}
	ts.Check(err)
	s.awaited = e
}

// cmdUnanswered checks that the answer to what was sent has not come: what the session has received by the time that
// others have had theirs.
func cmdUnanswered(ts *testscript.TestScript, w *world, args []string) {
	in := &words{ts, args}
	s := w.session(ts, in.next("name"))
	in.end()
	ts.Check(s.drainReadable())
	decoder := libproto.Decoder{BodyLenMax: 1 << 20}
	for rest := s.in; ; {
		f, n, err := decoder.Next(rest)
		ts.Check(err)
		if n == 0 {
			return
		}
		if f.Flags&libproto.FlagResponse != 0 {
			ts.Fatalf("%v was answered %v", f.Op, f.Status)
		}
		rest = rest[n:]
	}
}

// cmdAnswer waits for the answer to what was sent.
func cmdAnswer(ts *testscript.TestScript, w *world, args []string) {
	in := &words{ts, args}
	s := w.session(ts, in.next("name"))
	if !in.skip("gets") {
		ts.Fatalf("answer NAME gets ANSWER")
	}
	_, err := w.answered(s, s.awaited, in.rest)
	ts.Check(err)
}

// cmdFill has a session transfer to another user until the server is read-only: every answer before that must be a
// promise, and what cannot be kept is said to be unknown.
func cmdFill(ts *testscript.TestScript, w *world, args []string) {
	in := &words{ts, args}
	s, to := w.session(ts, in.next("session")), w.users[in.next("user")]
	in.end()
	for kept := 0; ; kept += fillWindow {
		if kept > fillMost {
			ts.Fatalf("%d transfers, and the disk is not full", kept)
		}
		readOnly, err := s.fillOnce(to.id)
		ts.Check(err)
		if readOnly {
			return
		}
	}
}

// fillOnce makes fillWindow transfers at once.
func (s *session) fillOnce(to uint32) (readOnly bool, err error) {
	var frames []byte
	for range fillWindow {
		frames = append(frames, s.request(libproto.OpTransfer, libproto.TransferRequest{ToUserID: to, Amount: 1})...)
	}
	if err := s.write(frames); err != nil {
		return false, err
	}
	for range fillWindow {
		f, err := s.response()
		if err != nil {
			return false, err
		}
		switch f.Status {
		case libproto.StatusOK, libproto.StatusTimeout:
		case libproto.StatusReadOnly:
			readOnly = true
		default:
			return false, fmt.Errorf("%v: %v", f.Op, f.Status)
		}
	}
	return readOnly, nil
}

// drainReadable takes what has arrived, without waiting for more.
func (s *session) drainReadable() error {
	err := s.fillNow()
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil
	}
	return err
}

// cmdDisk gives the data folder a disk of its own of some size, or makes that one larger.
func cmdDisk(ts *testscript.TestScript, w *world, args []string) {
	in := &words{ts, args}
	grows := in.skip("grows")
	flags, options := uintptr(0), "mode=0700,size="+in.next("size")
	in.end()
	if grows {
		flags = unix.MS_REMOUNT
	} else {
		ts.Check(os.MkdirAll(w.data, 0o700))
	}
	ts.Check(unix.Mount("tmpfs", w.data, "tmpfs", flags, options))
	if !grows {
		ts.Defer(func() { _ = unix.Unmount(w.data, unix.MNT_DETACH) })
	}
}
