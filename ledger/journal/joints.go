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
	var before joint
	for i := range upTo + 1 {
		j, err := readJoint(c.files[i], i < upTo)
		if err == nil && i > 0 {
			err = before.leadsTo(&j)
		}
		if err != nil {
			return err
		}
		before = j
	}
	return nil
}

// joint is a file's two ends.
type joint struct {
	journalFile
	header fileHeader
	last   block // none if only the header was asked for
}

func readJoint(entry journalFile, whole bool) (j joint, err error) {
	file, err := os.Open(entry.path)
	if err != nil {
		return j, fmt.Errorf("journal: %w", err)
	}
	defer file.Close()
	j.journalFile = entry
	if j.header, err = readFileHeader(file, entry); err == nil && whole {
		j.last, err = readLastBlock(file, entry)
	}
	return j, err
}

func (j *joint) leadsTo(next *joint) error {
	if last := j.last.last(); last+1 != next.first {
		return damage(j.path, j.last.offset, last+1, "the file ends with record %d, and the next one begins with %d", last, next.first)
	}
	return next.header.follows(next.journalFile, j.header.id, j.last.hash)
}

// readLastBlock finds a full file's last block, or seal, by the number of records that it ends in.
func readLastBlock(file *os.File, entry journalFile) (block, error) {
	st, err := file.Stat()
	if err != nil {
		return block{}, fmt.Errorf("journal: %w", err)
	}
	var count [4]byte
	if _, err := file.ReadAt(count[:], max(st.Size()-4, 0)); err != nil {
		return block{}, damage(entry.path, 0, entry.first, "the file has %d bytes, and no block", st.Size())
	}
	size := blockSize(int(min(little.Uint32(count[:]), BlockRecordsMax)))
	if count == ([4]byte{}) {
		size = sealBytes
	}
	at := st.Size() - size
	if at < fileHeaderBytes {
		return block{}, damage(entry.path, st.Size()-4, entry.first, "the file does not end with a whole block")
	}
	b := make([]byte, size)
	if _, err := file.ReadAt(b, at); err != nil {
		return block{}, fmt.Errorf("journal: %w", err)
	}
	last, whole, _, fault := parseBlock(b)
	if whole != size {
		return block{}, damage(entry.path, at, entry.first, "the file does not end with a whole block: %s", orText(fault, "it is cut short"))
	}
	last.file, last.offset = entry.path, at
	return last, nil
}
