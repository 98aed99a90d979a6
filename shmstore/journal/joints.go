package journal

import (
	"fmt"
	"os"
)

// A start does not read the files that its snapshot stands for. It looks at their joints instead: each file's header, and that its last
// block is whole and the one that the next file's header names. So no file is missing, cut short or another journal's; what lies between a
// file's ends only an audit reads.

// checkJoints checks the files before the one at index upTo, and that they lead to it.
func (c contents) checkJoints(upTo int) error {
	for i := range upTo {
		if err := c.checkJoint(c.files[i], c.files[i+1]); err != nil {
			return err
		}
	}
	return nil
}

func (c contents) checkJoint(segment, next segmentFile) error {
	header, err := readFileHeader(segment)
	if err != nil {
		return err
	}
	following, err := readFileHeader(next)
	if err != nil {
		return err
	}
	last, err := readLastBlock(segment)
	switch {
	case err != nil:
		return err
	case following.id != header.id:
		return damage(next.path, fileIDAt, next.first, "the file belongs to journal %x, the one before it to %x", following.id, header.id)
	case last.last()+1 != next.first:
		return damage(segment.path, last.offset, last.last()+1, "the file ends with record %d, and the next one begins with %d", last.last(), next.first)
	case last.hash != following.prev:
		return damage(next.path, filePrevAt, next.first, "the hash of the block before is not that of the file before")
	}
	return nil
}

func readFileHeader(segment segmentFile) (h fileHeader, err error) {
	file, err := os.Open(segment.path)
	if err != nil {
		return h, fmt.Errorf("journal: %w", err)
	}
	defer file.Close()
	b := make([]byte, fileHeaderBytes)
	n, _ := file.ReadAt(b, 0) // too little is a fault of the header
	h, fault := parseFileHeader(b[:n])
	switch {
	case fault != "":
		return h, damage(segment.path, 0, segment.first, "%s", fault)
	case h.first != segment.first:
		return h, damage(segment.path, fileFirstAt, segment.first, "the header says that it begins with record %d", h.first)
	}
	return h, nil
}

// readLastBlock finds a full file's last block by the number of records that it ends in.
func readLastBlock(segment segmentFile) (block, error) {
	file, err := os.Open(segment.path)
	if err != nil {
		return block{}, fmt.Errorf("journal: %w", err)
	}
	defer file.Close()
	st, err := file.Stat()
	if err != nil {
		return block{}, fmt.Errorf("journal: %w", err)
	}
	var count [4]byte
	if _, err := file.ReadAt(count[:], max(st.Size()-4, 0)); err != nil {
		return block{}, damage(segment.path, 0, segment.first, "the file has %d bytes, and no block", st.Size())
	}
	size := blockSize(int(min(little.Uint32(count[:]), BlockRecordsMax)))
	at := st.Size() - size
	if at < fileHeaderBytes {
		return block{}, damage(segment.path, st.Size()-4, segment.first, "the file does not end with a whole block")
	}
	b := make([]byte, size)
	if _, err := file.ReadAt(b, at); err != nil {
		return block{}, fmt.Errorf("journal: %w", err)
	}
	last, whole, _, fault := parseBlock(b)
	if whole != size {
		return block{}, damage(segment.path, at, segment.first, "the file does not end with a whole block: %s", orText(fault, "it is cut short"))
	}
	last.file, last.offset = segment.path, at
	return last, nil
}
