package journal

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Scrub reads a journal's files again and again beside the Writer, slowly, from the disk and not from the cache: that a file is damaged is
// known while memory still has what was in it. It checks what Scan checks, and the snapshots' sums; it folds nothing.
type Scrub struct {
	dir     string
	options ScrubOptions
	stop    chan struct{}
	running sync.WaitGroup
	owed    int64 // bytes read that were not waited for yet

	mu    sync.Mutex
	state ScrubState
}

// ScrubOptions says how fast to read.
type ScrubOptions struct {
	BytesPerSecond int64
	Pause          time.Duration // from one pass to the next
}

// ScrubState is how far a Scrub has come.
type ScrubState struct {
	Bytes  uint64 // read since it began
	Passes uint64 // that have come to an end, good or bad
	Damage error  // what the last pass has found; nil: nothing
}

// errStopped ends a pass that is not wanted any more.
var errStopped = errors.New("stopped")

// StartScrub begins to scrub the journal in dir.
func StartScrub(dir string, o ScrubOptions) *Scrub {
	s := &Scrub{dir: dir, options: o, stop: make(chan struct{})}
	s.running.Go(s.run)
	return s
}

// Stop ends the scrub, in the middle of a pass if need be.
func (s *Scrub) Stop() {
	close(s.stop)
	s.running.Wait()
}

// State may be asked for at any time.
func (s *Scrub) State() ScrubState {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}

func (s *Scrub) run() {
	for s.wait(s.options.Pause) {
		err := s.pass()
		if errors.Is(err, errStopped) {
			return
		}
		s.mu.Lock()
		s.state.Passes++
		s.state.Damage = err
		s.mu.Unlock()
	}
}

// wait tells whether the time has passed, and nobody has called Stop.
func (s *Scrub) wait(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.stop:
		return false
	}
}

// pass reads everything once.
func (s *Scrub) pass() error {
	mark, err := readMark(s.dir) // first: what it says is whole by the time that the files are read
	if err != nil {
		return err
	}
	c, err := list(s.dir)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	c.quiet = true
	for _, path := range c.snapshots {
		if err := s.readSum(path); err != nil {
			return err
		}
	}
	if len(c.files) == 0 {
		return c.checkEmpty()
	}
	_, err = walkBlocks(c, position{next: c.files[0].first, any: true}, mark, func(b *block) error { return s.pace(b.end() - b.offset) })
	if errors.Is(err, os.ErrNotExist) {
		return nil // a file that was not needed any more was removed meanwhile; the next pass sees whether one is missing
	}
	return err
}

// pace counts bytes, and waits as long as they may take, some at a time.
func (s *Scrub) pace(bytes int64) error {
	s.mu.Lock()
	s.state.Bytes += uint64(bytes)
	s.mu.Unlock()
	if s.owed += bytes; s.owed < scrubBytes {
		return nil
	}
	pause := time.Duration(s.owed) * time.Second / time.Duration(s.options.BytesPerSecond)
	s.owed = 0
	if !s.wait(pause) {
		return errStopped
	}
	return nil
}

// readSum compares a snapshot with its own sum, without keeping it.
func (s *Scrub) readSum(path string) error {
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil // a newer one has taken its place
	}
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	defer file.Close()
	forget(file)
	st, err := file.Stat()
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	sum, buf, left := sha256.New(), make([]byte, scrubBytes), st.Size()-sha256.Size
	for left > 0 {
		n, err := file.Read(buf[:min(int64(len(buf)), left)])
		if err != nil {
			return fmt.Errorf("journal: %s: %w", path, err)
		}
		sum.Write(buf[:n])
		left -= int64(n)
		if err := s.pace(int64(n)); err != nil {
			return err
		}
	}
	own := make([]byte, sha256.Size)
	if _, err := io.ReadFull(file, own); err != nil || string(own) != string(sum.Sum(nil)) {
		return damage(path, max(0, st.Size()-sha256.Size), snapshotSeq(path), "the snapshot's checksum differs")
	}
	return nil
}

// forget drops a file's clean pages, so that it is read from the disk. What is dirty stays; that it cannot be done is no harm.
func forget(file *os.File) { _ = unix.Fadvise(int(file.Fd()), 0, 0, unix.FADV_DONTNEED) }

// yieldThread gives the calling goroutine a thread of its own, which runs when nobody else wants to, and dies with the goroutine.
func yieldThread() {
	runtime.LockOSThread()
	_ = unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), 19)
}

// ReadBack reads a journal that was closed as the next start will, from the disk, with its last records, and compares the result with what was
// written. An error says that
// the start would be refused, or would serve something else.
func (w *Writer) ReadBack(tail int) error {
	c, err := list(w.dir)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	for _, path := range append(c.snapshots, c.newestPaths(2)...) {
		if file, err := os.Open(path); err == nil {
			forget(file)
			_ = file.Close()
		}
	}
	got, err := Recover(w.dir, RecoverOptions{TailRecords: tail})
	if err != nil {
		return err
	}
	if differs := w.fold.Differs(got.Fold); differs != "" {
		return damage(w.dir, 0, got.Fold.Head, "what is on disk is not what was written: %s", differs)
	}
	return nil
}

// newestPaths are the paths of the newest n files.
func (c contents) newestPaths(n int) (paths []string) {
	for _, f := range c.files[max(0, len(c.files)-n):] {
		paths = append(paths, f.path)
	}
	return paths
}
