package liblog

import (
	"bytes"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// errNoDescriptor is the answer of a queue in front of something that is no file.
var errNoDescriptor = errors.New("liblog: the queue's writer has no descriptor")

// Queue stands between a process and a descriptor whose reader may stop reading. Write copies a line into memory and returns; a
// goroutine of the queue writes it out, and it alone waits for the reader. Lines that find no room are dropped and counted.
//
//	loggers ── Write ──▶ pending ── swap ──▶ batch ── write(2) ──▶ stderr
//	                     (QueueBytes)        (QueueBytes)
//	full: drop, count, until the swap; behind the batch a line says how many
//
// O_NONBLOCK is no way out: it belongs to the open file description, which the shell and other programs share.
type Queue struct {
	out     io.Writer
	onError func(error)

	note    func(dropped uint64) []byte // makes the line that tells of a loss; nil: none
	dropped atomic.Uint64               // lines lost that TakeDropped has not returned yet

	mu       sync.Mutex
	pending  []byte          // whole lines
	writing  bool            // the goroutine has a batch in its hands
	dropping bool            // pending was full; nothing is taken before it was swapped
	untold   uint64          // lost lines that no note has told of
	waiters  []chan struct{} // of Flush, closed when all is written
	wake     chan struct{}
}

// NewQueue puts a queue in front of a writer. Its goroutine lives as long as the process. onError, which may be nil, is called by it
// after a write that failed.
func NewQueue(out io.Writer, onError func(error)) *Queue {
	q := &Queue{out: out, onError: onError, pending: make([]byte, 0, QueueBytes), wake: make(chan struct{}, 1)}
	go q.run(make([]byte, 0, QueueBytes))
	return q
}

// Write takes whole lines. It never waits for the reader and never fails.
func (q *Queue) Write(lines []byte) (int, error) {
	q.mu.Lock()
	full := q.dropping || len(q.pending)+len(lines) > QueueBytes
	if full {
		q.dropping = true
		q.lose(lines)
	} else {
		q.pending = append(q.pending, lines...)
	}
	q.mu.Unlock()
	select {
	case q.wake <- struct{}{}:
	default:
	}
	return len(lines), nil
}

// lose counts lines that are not written. q.mu is held.
func (q *Queue) lose(lines []byte) {
	n := uint64(bytes.Count(lines, newline))
	q.untold += n
	q.dropped.Add(n)
}

// TakeDropped is the number of lines lost since it was called last.
func (q *Queue) TakeDropped() uint64 { return q.dropped.Swap(0) }

// Flush waits until all lines are written, at most for the given time, and says whether they are.
func (q *Queue) Flush(most time.Duration) bool {
	q.mu.Lock()
	if q.idle() {
		q.mu.Unlock()
		return true
	}
	written := make(chan struct{})
	q.waiters = append(q.waiters, written)
	q.mu.Unlock()
	late := time.NewTimer(most)
	defer late.Stop()
	select {
	case <-written:
		return true
	case <-late.C:
		return false
	}
}

func (q *Queue) idle() bool { return len(q.pending) == 0 && !q.writing && !q.dropping }

// SyscallConn lets New see whether there is a terminal behind the queue.
func (q *Queue) SyscallConn() (syscall.RawConn, error) {
	if file, ok := q.out.(syscall.Conn); ok {
		return file.SyscallConn()
	}
	return nil, errNoDescriptor
}

// run writes out what is pending, batch by batch.
func (q *Queue) run(batch []byte) {
	for range q.wake {
		for {
			var lost uint64
			batch, lost = q.swap(batch)
			if len(batch) == 0 && lost == 0 {
				break
			}
			q.writeBatch(batch)
			q.tell(lost)
		}
	}
}

// swap takes what is pending for an empty buffer. lost is the number of lines that a note is to tell of behind the batch.
func (q *Queue) swap(empty []byte) (batch []byte, lost uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	batch, q.pending = q.pending, empty[:0]
	if q.dropping || len(batch) != 0 {
		lost = q.untold
	}
	q.dropping = false
	q.writing = len(batch) != 0 || lost != 0
	if !q.writing {
		for _, w := range q.waiters {
			close(w)
		}
		q.waiters = nil
	}
	return batch, lost
}

var newline = []byte{'\n'}

// writeBatch writes whole lines, as many at once as a pipe takes in one piece.
func (q *Queue) writeBatch(batch []byte) {
	for len(batch) > 0 {
		n := len(batch)
		if n > atomicBytes {
			if n = bytes.LastIndexByte(batch[:atomicBytes], '\n') + 1; n == 0 {
				n = bytes.IndexByte(batch, '\n') + 1 // one long line
			}
			if n == 0 {
				n = len(batch)
			}
		}
		if err := q.write(batch[:n]); err != nil {
			q.mu.Lock()
			q.lose(batch[:n])
			q.mu.Unlock()
			if q.onError != nil {
				q.onError(err)
			}
		}
		batch = batch[n:]
	}
}

// tell writes the note of a loss. If that fails the next note counts these lines as well.
func (q *Queue) tell(lost uint64) {
	if lost == 0 || q.note == nil || q.write(q.note(lost)) != nil {
		return
	}
	q.mu.Lock()
	q.untold -= lost
	q.mu.Unlock()
}

// write waits for the reader as long as it takes, also on a description that another program has made nonblocking.
func (q *Queue) write(lines []byte) error {
	for {
		n, err := q.out.Write(lines)
		if !errors.Is(err, unix.EAGAIN) {
			return err
		}
		lines = lines[n:]
		if err := q.awaitRoom(); err != nil {
			return err
		}
	}
}

func (q *Queue) awaitRoom() error {
	raw, err := q.SyscallConn()
	if err != nil {
		return err
	}
	return raw.Control(func(fd uintptr) {
		_, _ = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}, -1) // interrupted: the next write finds out
	})
}
