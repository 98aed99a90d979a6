package journal

import (
	"errors"
	"os"
	"sync"
	"sync/atomic"

	"tradechat.internal/ledger"
)

// snapshooter writes snapshots beside the Writer, from copies of its fold. One that fails is no harm: the journal has
// everything; the next one is tried when it is due.
type snapshooter struct {
	dir    string
	id     ID
	retain int
	note   func(format string, args ...any)
	last   uint64 // seq of the last one that was begun

	writing sync.WaitGroup
	mu      sync.Mutex
	busy    bool
	newest  uint64      // seq of the newest that was written; 0: none by this Writer
	sealing []seal      // of those that are on disk, and that the journal does not name yet
	due     atomic.Bool // there are some
	count   uint64
}

// SnapshotDue tells whether a snapshot is to be made: every so many records have been appended since the last one, but
// at least as many as there are users, so that copying the fold stays a small part of the work.
func (w *Writer) SnapshotDue(every uint64) bool {
	return w.fold.Head-w.snaps.last >= max(every, uint64(len(w.fold.Users)))
}

// Snapshot begins to write a snapshot of all that was appended; it syncs that first. The copy is made at once, the rest in the
// background. One that is still being written makes it do nothing. An error is Sync's.
func (w *Writer) Snapshot() error {
	if err := w.Sync(); err != nil {
		return err
	}
	s := &w.snaps
	if w.fold.Head == s.last || !s.begin() {
		return nil
	}
	s.last = w.fold.Head
	fold, stands := w.fold.Clone(), w.lastBlock
	s.writing.Go(func() { s.write(fold, stands) })
	return nil
}

// Snapshots are how many this Writer has made, and the newest one's seq.
func (w *Writer) Snapshots() (count, newest uint64) {
	w.snaps.mu.Lock()
	defer w.snaps.mu.Unlock()
	return w.snaps.count, w.snaps.newest
}

func (s *snapshooter) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	was := s.busy
	s.busy = true
	return !was
}

// take returns the seals that are due.
func (s *snapshooter) take() (due []seal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	due, s.sealing = s.sealing, nil
	s.due.Store(false)
	return due
}

// SealSnapshots names those snapshots in the journal that have come to disk since the last group. Append and Close do that too: it is
// for when nothing comes. They go behind a block: in a file that has none yet they wait for it. They may make a file a little longer than
// it is to be.
func (w *Writer) SealSnapshots() error {
	if w.dead != nil || !w.snaps.due.Load() || w.file == nil {
		return w.dead
	}
	for _, s := range w.snaps.take() {
		w.seal = appendSeal(w.seal[:0], w.last, w.synced, w.fold.Head+1, s)
		if err := w.put(w.seal); err != nil {
			return w.die(err)
		}
	}
	return nil
}

func (s *snapshooter) wait() { s.writing.Wait() }

func (s *snapshooter) write(fold *ledger.Fold, stands Hash) {
	made, err := writeSnapshot(s.dir, s.id, fold, stands)
	if err != nil {
		s.note("no snapshot of record %d: %v", fold.Head, err)
	} else if err := s.prune(); err != nil {
		s.note("old files stay: %v", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy = false
	if err == nil {
		s.newest = made.Seq
		s.count++
		s.sealing = append(s.sealing, seal{made.Seq, made.Sum})
		s.due.Store(true)
	}
}

// prune removes all but the newest SnapshotsKept snapshots, and those journal files that are neither needed for the oldest of
// these nor to be retained.
func (s *snapshooter) prune() error {
	c, err := list(s.dir)
	if err != nil {
		return err
	}
	var removed error
	old := max(0, len(c.snapshots)-SnapshotsKept)
	for _, path := range c.snapshots[:old] {
		removed = errors.Join(removed, os.Remove(path))
	}
	if kept := c.snapshots[old:]; s.retain != 0 && len(kept) == SnapshotsKept {
		for _, path := range s.dispensable(c.files, kept[0]) {
			removed = errors.Join(removed, os.Remove(path))
		}
	}
	return errors.Join(removed, syncFolder(s.dir))
}

// dispensable are the files before the one with the record that the oldest snapshot stands on, but for the newest retain of them.
func (s *snapshooter) dispensable(files []journalFile, oldest string) (paths []string) {
	seq := snapshotSeq(oldest)
	for i := 0; i+1 < len(files) && files[i+1].first <= seq; i++ {
		paths = append(paths, files[i].path)
	}
	return paths[:max(0, len(paths)-s.retain)]
}
