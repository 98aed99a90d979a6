package journal

import (
	"fmt"
	"os"

	"tradechat.internal/ledger"
)

// Scanner reads records in order, and goes on where it ended when there are more: beside a Writer, as often as one likes.
// It checks the blocks and their chain, not the records.
type Scanner struct {
	dir  string
	from uint64
	at   position
	path string // of the file that at is in; empty before the first Scan
}

// NewScanner reads the journal in dir from record from on; 0 and 1 are the first that is there.
func NewScanner(dir string, from uint64) *Scanner { return &Scanner{dir: dir, from: from} }

// Scan visits all whole records that are there and were not visited before, until visit returns an error, which it returns.
// Others are the file system's, or wrap ErrDamaged. A record is valid until visit returns.
func (s *Scanner) Scan(visit func(*ledger.Record) error) error {
	if _, err := os.Stat(s.dir); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	mark, err := readMark(s.dir)
	if err != nil {
		return err
	}
	c, err := list(s.dir)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	if len(c.files) == 0 {
		return nil
	}
	if s.path == "" {
		s.begin(c)
	} else {
		s.resume(c)
	}
	end, err := walkBlocks(c, s.at, mark, func(b *block) error {
		for i := range b.records {
			if b.records[i].Seq < s.from {
				continue
			}
			if err := visit(&b.records[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		s.at, s.path = end.position, end.path
	}
	return err
}

// begin finds the file that record from is in.
func (s *Scanner) begin(c contents) {
	at := 0
	for at+1 < len(c.files) && c.files[at+1].first <= s.from {
		at++
	}
	s.at = position{file: at, next: c.files[at].first, any: true}
}

// resume finds the file again: older ones may have gone.
func (s *Scanner) resume(c contents) {
	for i := range c.files {
		if c.files[i].path == s.path {
			s.at.file = i
			return
		}
	}
	s.from = s.at.next
	s.begin(c)
}
