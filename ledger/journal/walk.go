package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// A walk goes through the blocks of the folder's files in order. One goroutine reads, checks and hashes them, while the
// caller's does what it wants with those before: a block's hash does not depend on another block, the chain is a
// comparison.

// position is where a walk begins or has come to: at a file's begin, or behind one of its blocks.
type position struct {
	file   int   // index in the folder's files
	offset int64 // 0: before the file's header
	next   uint64
	prev   Hash
	any    bool // the hash of the block before is not known: whatever the first file says is taken
	id     ID
}

// walked is where a walk ended, and what follows there in the newest file.
type walked struct {
	position
	path string
	torn int64 // bytes up to the last one that is not zero
}

// chunk is some of a file's blocks and the memory that they lie in; or the end of the walk.
type chunk struct {
	blocks []block
	buf    []byte
	end    *walked
	err    error
}

// walkBlocks visits all blocks from a position on. What visit is given is valid until it returns. mark is read before
// the walk begins: a writer that runs meanwhile may be in the middle of a block, but not of one that it has marked.
func walkBlocks(c contents, from position, mark uint64, visit func(*block) error) (walked, error) {
	r := &blockReader{contents: c, at: from, mark: mark, out: make(chan chunk), free: make(chan chunk, chunksAhead), stop: make(chan struct{})}
	for range chunksAhead {
		r.free <- chunk{}
	}
	var reading sync.WaitGroup
	reading.Go(r.run)
	defer reading.Wait()
	defer close(r.stop)
	for {
		part := <-r.out
		for i := range part.blocks {
			if err := visit(&part.blocks[i]); err != nil {
				return walked{}, err
			}
		}
		if part.err != nil || part.end != nil {
			return part.finish()
		}
		r.free <- part
	}
}

func (c chunk) finish() (walked, error) {
	if c.err != nil {
		return walked{}, c.err
	}
	return *c.end, nil
}

// blockReader is the reading side of a walk.
type blockReader struct {
	contents contents
	at       position
	mark     uint64
	out      chan chunk
	free     chan chunk // whose memory may be used again
	stop     chan struct{}
}

// send hands a chunk over; false when nobody wants more.
func (r *blockReader) send(c chunk) bool {
	select {
	case r.out <- c:
		return true
	case <-r.stop:
		return false
	}
}

// run reads file after file, up to the newest, which is the one that is there at the begin.
func (r *blockReader) run() {
	if r.contents.quiet {
		yieldThread()
	}
	for ; r.at.file < len(r.contents.files); r.at.file++ {
		more, err := r.readFile(r.contents.files[r.at.file])
		if err != nil {
			r.send(chunk{err: err})
			return
		}
		if !more {
			return
		}
		if r.newest() {
			r.send(chunk{end: &walked{position: r.at, path: r.contents.files[r.at.file].path}})
			return
		}
		r.at.offset = 0
	}
}

// readFile sends the blocks of one file; more is false when the walk is over.
func (r *blockReader) readFile(entry journalFile) (more bool, err error) {
	file, err := os.Open(entry.path)
	if err != nil {
		return false, fmt.Errorf("journal: %w", err)
	}
	defer file.Close()
	if r.contents.quiet && !r.newest() { // what is being written stays in the cache: a group would wait for its page to be read
		forget(file)
	}
	if r.at.offset == 0 {
		if err := r.enter(file, entry); err != nil {
			return false, err
		}
	}
	for {
		part, ok := r.take(entry.path)
		if !ok {
			return false, nil
		}
		n, err := file.ReadAt(part.buf, r.at.offset)
		atEnd := errors.Is(err, io.EOF)
		if err != nil && !atEnd {
			return false, fmt.Errorf("journal: %w", err)
		}
		start := r.at.offset
		var fault string
		part.blocks, fault, part.err = r.parse(part.blocks, entry.path, part.buf[:n], atEnd)
		if !r.send(part) || part.err != nil {
			return false, nil
		}
		whole := r.at.offset == start+int64(n) && atEnd
		switch {
		case whole:
			return true, nil
		case fault != "" || atEnd:
			return false, r.finishFile(file, entry, fault)
		}
	}
}

// newest tells whether the file being read is the one that may be being written.
func (r *blockReader) newest() bool { return r.at.file == len(r.contents.files)-1 }

// take waits for a chunk to fill. The first ones are no larger than the file that they are for.
func (r *blockReader) take(path string) (part chunk, ok bool) {
	select {
	case part = <-r.free:
		part.blocks = part.blocks[:0]
	case <-r.stop:
		return chunk{}, false
	}
	size := int64(chunkBytes)
	if st, err := os.Stat(path); err == nil {
		size = min(size, st.Size()+1) // one more: that the file ends is seen at once
	}
	if int64(len(part.buf)) < size {
		part.buf = make([]byte, size)
	}
	return part, true
}

// enter checks a file's header against what comes before it.
func (r *blockReader) enter(file *os.File, entry journalFile) error {
	h, err := readFileHeader(file, entry)
	if err != nil {
		return err
	}
	if r.at.any {
		r.at.prev, r.at.id, r.at.any = h.prev, h.id, false
	}
	if h.first != r.at.next {
		return damage(entry.path, fileFirstAt, r.at.next, "the file begins with record %d: records %d … %d are missing", h.first, r.at.next, h.first-1)
	}
	if err := h.follows(entry, r.at.id, r.at.prev); err != nil {
		return err
	}
	if h.first == 1 && h.prev != (Hash{}) {
		return damage(entry.path, filePrevAt, h.first, "the first file names a block before it")
	}
	r.at.offset = fileHeaderBytes
	return nil
}

// parse adds the whole blocks at the begin of b to blocks, and moves on behind them. Bytes that are too few for a block are left
// for the next read, unless there is none.
func (r *blockReader) parse(blocks []block, path string, b []byte, atEnd bool) (_ []block, fault string, err error) {
	for used := int64(0); ; {
		parsed, size, need, fault := parseBlock(b[used:])
		switch {
		case need != 0 && !atEnd:
			return blocks, "", nil
		case need != 0 && used == int64(len(b)):
			return blocks, "", nil
		case need != 0:
			return blocks, "the file ends within a block", nil
		case fault != "":
			return blocks, fault, nil
		}
		parsed.file, parsed.offset = path, r.at.offset
		if err := r.link(&parsed); err != nil {
			return blocks, "", err
		}
		blocks = append(blocks, parsed)
		used += size
		r.at.offset += size
		r.at.next, r.at.prev = parsed.last()+1, parsed.hash
	}
}

// link checks a whole block against the one before it.
func (r *blockReader) link(b *block) error {
	if b.prev != r.at.prev {
		return damage(b.file, b.offset+blockPrevAt, b.first, "the block names another one before it: the chain is broken")
	}
	if b.first != r.at.next {
		return damage(b.file, b.offset+blockFirstAt, r.at.next, "the block begins with record %d", b.first)
	}
	for i := range b.records {
		if seq := b.records[i].Seq; seq != b.first+uint64(i) {
			return damage(b.file, b.recordOffset(i), b.first+uint64(i), "the record says that it is %d", seq)
		}
	}
	return nil
}

// finishFile judges what follows a file's last whole block.
func (r *blockReader) finishFile(file *os.File, entry journalFile, fault string) error {
	if r.contents.quiet && r.newest() && r.mark < r.at.next {
		r.send(chunk{end: &walked{position: r.at, path: entry.path}}) // all that was marked is there: what follows is the writer's
		return nil
	}
	torn, err := lastNonZero(file, r.at.offset)
	switch {
	case err != nil:
		return fmt.Errorf("journal: %w", err)
	case !r.newest() && torn == 0:
		return damage(entry.path, r.at.offset, r.at.next, "zeros follow the last block, in a file that is not the newest")
	case !r.newest():
		return damage(entry.path, r.at.offset, r.at.next, "%s", fault)
	case r.mark >= r.at.next:
		return damage(entry.path, r.at.offset, r.at.next, "%s, but records up to %d were acknowledged", orText(fault, "the file ends"), r.mark)
	}
	if behind, err := r.witness(file, torn); err != nil {
		return err
	} else if behind.synced != 0 {
		return damage(entry.path, r.at.offset, r.at.next, "%s, but the block at byte %d was written when records up to %d were on disk",
			orText(fault, "the file ends"), behind.offset, behind.synced)
	}
	r.send(chunk{end: &walked{position: r.at, path: entry.path, torn: torn}})
	return nil
}

// witness finds a block behind a fault that was written when the record at the fault was already on disk: the fault is no write that was
// cut short then, whatever has become of the mark. A writer that runs meanwhile may have made the fault whole before it wrote that block.
func (r *blockReader) witness(file *os.File, torn int64) (found block, err error) {
	buf := make([]byte, min(torn+blockTrailerBytes, witnessBytes+blockBytesMax)) // a block's last bytes may be zeros
	for at := r.at.offset; at < r.at.offset+torn; at += witnessBytes {
		n, err := file.ReadAt(buf, at)
		if err != nil && !errors.Is(err, io.EOF) {
			return block{}, fmt.Errorf("journal: %w", err)
		}
		for i := 0; i < n; i += len(blockMagic) {
			next := bytes.Index(buf[i:n], blockMagic[:])
			if next < 0 {
				break
			}
			if i += next; i%len(blockMagic) != 0 {
				i -= i % len(blockMagic)
				continue
			}
			if found, size, _, _ := parseBlock(buf[i:n]); size != 0 && len(found.records) != 0 && found.synced >= r.at.next {
				found.offset = at + int64(i)
				return found, r.stillThere(file, &found)
			}
		}
	}
	return block{}, nil
}

// stillThere takes a witness back if there is no fault any more.
func (r *blockReader) stillThere(file *os.File, witness *block) error {
	buf := make([]byte, blockBytesMax)
	n, err := file.ReadAt(buf, r.at.offset)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("journal: %w", err)
	}
	if whole, size, _, _ := parseBlock(buf[:n]); size != 0 && whole.first == r.at.next {
		*witness = block{}
	}
	return nil
}

func orText(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// lastNonZero is how many bytes from offset on it takes to have all that are not zero. What was allocated and never
// written is not read (SEEK_DATA, lseek(2)).
func lastNonZero(file *os.File, offset int64) (n int64, err error) {
	var buf, zeros []byte
	for at := offset; ; {
		data, err := unix.Seek(int(file.Fd()), at, unix.SEEK_DATA)
		switch err {
		case unix.ENXIO:
			return n, nil
		case nil:
			at = max(at, data)
		}
		if buf == nil {
			buf, zeros = make([]byte, 1<<20), make([]byte, 1<<20)
		}
		read, err := file.ReadAt(buf, at)
		if !bytes.Equal(buf[:read], zeros[:read]) {
			n = at - offset + int64(len(bytes.TrimRight(buf[:read], "\x00")))
		}
		at += int64(read)
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return 0, err
		}
	}
}
