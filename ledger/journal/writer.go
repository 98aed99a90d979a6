package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"tradechat.internal/ledger"
)

// WriterOptions says how to write.
type WriterOptions struct {
	FileBytes int64                            // of a journal file; 0: FileBytesDefault
	Binding   Binding                          // for the headers of files; that of a journal that has one stays
	Retain    int                              // files to keep besides those that the oldest snapshot needs; 0: all
	Note      func(format string, args ...any) // told of what goes wrong without harm, from any goroutine; may be nil
}

// Validate checks every setting.
func (o WriterOptions) Validate() error {
	if o.FileBytes != 0 && (o.FileBytes < FileBytesLeast || o.FileBytes > FileBytesMost) {
		return fmt.Errorf("%w: a file of %d bytes, want %d … %d", ErrOptions, o.FileBytes, FileBytesLeast, FileBytesMost)
	}
	if o.Retain < 0 {
		return fmt.Errorf("%w: retain %d files", ErrOptions, o.Retain)
	}
	return nil
}

// Writer appends to a journal. It is for one goroutine. The fold is its own from NewWriter on.
type Writer struct {
	dir       string
	options   WriterOptions
	id        ID
	fold      *ledger.Fold
	last      Hash // of the last block or seal
	lastBlock Hash // of the last block
	mark      *markFile
	disk      disk

	file   *os.File // nil: the next append begins one
	place  place
	path   string
	offset int64
	drafts drafts
	block  []byte
	seal   []byte
	synced uint64
	dirty  bool // something was written since the last sync
	dead   error
	snaps  snapshooter
}

// disk is what can fail; tests make it.
type disk struct {
	write func(f *os.File, b []byte, at int64) error
	sync  func(f *os.File) error
}

var realDisk = disk{
	write: func(f *os.File, b []byte, at int64) error {
		_, err := f.WriteAt(b, at)
		return err
	},
	sync: fdatasync,
}

// fdatasync does without the runtime's leave: handing the processor on and getting it back costs more than the
// tenth of a millisecond that it is needed for elsewhere. EINTR is not among its errors (fdatasync(2)).
func fdatasync(f *os.File) error {
	if _, _, errno := unix.RawSyscall(unix.SYS_FDATASYNC, f.Fd(), 0, 0); errno != 0 {
		return errno
	}
	return nil
}

// NewWriter goes on from what Recover has found in the folder, which it makes if it is missing. It removes what a crash has left half
// written, and sets the mark to what is there. That there is room for a file, and that what is written can be synced, is proven.
func NewWriter(dir string, from *Recovered, o WriterOptions) (*Writer, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if o.FileBytes == 0 {
		o.FileBytes = FileBytesDefault
	}
	if o.Note == nil {
		o.Note = func(string, ...any) {}
	}
	if _, err := Create(dir, o.Binding); err != nil {
		return nil, err
	}
	id, bound, err := Identity(dir)
	if err != nil {
		return nil, err
	}
	if o.Binding == (Binding{}) {
		o.Binding = bound
	}
	if err := from.clean(o.Note); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	mark, err := openMark(dir)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	w := &Writer{
		dir: dir, options: o, id: id, fold: from.Fold, last: from.LastHash, lastBlock: from.lastBlock, mark: mark, disk: realDisk,
		synced: from.Fold.Head, block: make([]byte, 0, blockBytesMax),
	}
	w.drafts = drafts{dir: dir, bytes: o.FileBytes}
	w.snaps = snapshooter{dir: dir, id: id, retain: o.Retain, note: o.Note, last: from.newest, sealing: from.unsealed}
	w.snaps.due.Store(len(from.unsealed) != 0)
	if err := w.prove(); err != nil {
		mark.close()
		return nil, fmt.Errorf("journal: %w", err)
	}
	return w, nil
}

// prove does once what every group needs: who serves afterwards does not find out with the first one that it is not to be had.
func (w *Writer) prove() error {
	if err := errors.Join(w.mark.write(w.synced), w.mark.sync()); err != nil {
		return err
	}
	return w.drafts.prove()
}

func makeFolder(dir string) error {
	err := os.Mkdir(dir, 0o700)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return syncFolder(filepath.Dir(dir))
}

// Head is the seq of the last record that was appended.
func (w *Writer) Head() uint64 { return w.fold.Head }

// Synced is the seq up to which all is on disk.
func (w *Writer) Synced() uint64 { return w.synced }

// Append checks 1 … BlockRecordsMax records against all before them and writes them as one block. After an error,
// ErrMisfit's too, the Writer is dead: nothing that it refused is in the journal, and it takes no more.
func (w *Writer) Append(records []ledger.Record) error {
	if w.dead != nil {
		return w.dead
	}
	if len(records) == 0 || len(records) > BlockRecordsMax {
		return fmt.Errorf("%w: a block of %d records, want 1 … %d", ErrOptions, len(records), BlockRecordsMax)
	}
	if _, err := w.fold.ApplyAll(records); err != nil {
		return w.die(err)
	}
	w.block = appendBlock(w.block[:0], w.last, w.synced, records)
	if err := w.makeRoom(records[0].Seq); err != nil {
		return w.die(err)
	}
	if err := w.put(w.block); err != nil {
		return w.die(err)
	}
	w.lastBlock = w.last
	if err := w.SealSnapshots(); err != nil {
		return err
	}
	return w.inPlace()
}

// put writes a block or a seal behind the last one.
func (w *Writer) put(b []byte) error {
	if err := w.disk.write(w.file, b, w.offset); err != nil {
		return err
	}
	w.offset += int64(len(b))
	w.last, w.dirty = hashOf(b), true
	if w.offset > w.options.FileBytes/2 {
		w.drafts.ahead()
	}
	return nil
}

func (w *Writer) die(err error) error {
	w.dead = fmt.Errorf("journal %s: %w", w.dir, err)
	return w.dead
}

// makeRoom begins a file whose first record is seq if there is none, or the present one cannot take the block.
func (w *Writer) makeRoom(seq uint64) error {
	if w.file != nil && w.offset+int64(len(w.block)) <= w.options.FileBytes {
		return nil
	}
	if err := w.finishFile(); err != nil {
		return err
	}
	header := fileHeader{id: w.id, first: seq, prev: w.last, madeNs: uint64(time.Now().UnixNano()), bound: w.options.Binding}
	path := filepath.Join(w.dir, fileName(seq))
	file, err := w.drafts.become(path, header.encode())
	if err != nil {
		return err
	}
	w.file, w.path, w.offset = file, path, fileHeaderBytes
	w.place, err = placeOf(int(file.Fd()), path)
	return err
}

// finishFile makes the present file exactly its whole blocks, on disk.
func (w *Writer) finishFile() error {
	if w.file == nil {
		return nil
	}
	err := w.disk.sync(w.file)
	if err == nil {
		err = errors.Join(w.file.Truncate(w.offset), w.file.Sync())
	}
	err = errors.Join(err, w.file.Close())
	w.file = nil
	return err
}

// inPlace sees to it that the file being written is still the one that the next start will read.
func (w *Writer) inPlace() error {
	if w.place.held() {
		return nil
	}
	return w.die(fmt.Errorf("%s: %w", w.path, ErrVanished))
}

// Sync makes everything that was appended durable, and then moves the mark.
func (w *Writer) Sync() error {
	if w.dead != nil {
		return w.dead
	}
	if !w.dirty {
		return nil
	}
	if err := w.disk.sync(w.file); err != nil {
		return w.die(fmt.Errorf("sync %s: %w", w.path, err))
	}
	if err := w.inPlace(); err != nil {
		return err
	}
	w.dirty, w.synced = false, w.fold.Head
	if err := w.mark.write(w.synced); err != nil {
		return w.die(err)
	}
	return nil
}

// Close ends the journal cleanly: all is synced, the file is cut to what is used, and the mark is on disk too.
func (w *Writer) Close() error {
	w.snaps.wait()
	err := w.SealSnapshots()
	w.drafts.discard()
	if err == nil {
		err = w.Sync()
	}
	if err == nil {
		err = w.finishFile()
	}
	if w.file != nil {
		err = errors.Join(err, w.file.Close())
		w.file = nil
	}
	if err == nil {
		err = w.mark.sync()
	}
	w.mark.close()
	if w.dead == nil {
		w.dead = fmt.Errorf("journal %s: %w", w.dir, os.ErrClosed)
	}
	return err
}
