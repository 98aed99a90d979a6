package master

import (
	"fmt"

	"tradechat.internal/shmstore"
)

// former is a segment that is given up for what the journal has, until the journal has shown that it has it. The zero value is none.
type former struct {
	name string
	head uint64 // the last record that the journal must have
}

// removeFormer lets a segment go whose records the new one has, from the journal.
func (m *Master) removeFormer() error {
	f := m.former
	if f.name == "" {
		return nil
	}
	if head := m.segment.Head(); head < f.head {
		return m.withFormer(fmt.Errorf("%w: it ends with record %d, and the segment that was given up with %d", ErrJournal, head, f.head))
	}
	m.former = former{}
	if err := shmstore.Remove(f.name); err != nil {
		return fmt.Errorf("remove the segment that was given up: %w", err)
	}
	return nil
}

// withFormer adds to a reason why the journal is refused what there is beside it.
func (m *Master) withFormer(err error) error {
	if m.former.name == "" {
		return err
	}
	return fmt.Errorf("%w; the segment %s may have what the journal lacks, and is kept → start once with the build and the settings "+
		"that it was made with", err, m.former.name)
}

// forgetSegment makes the segment that was given up the data folder's again or, if there is none, notes that it has none.
func (m *Master) forgetSegment() error {
	if m.former.name != "" {
		return m.folder.KeepSegmentName(m.former.name)
	}
	return m.folder.ForgetSegment()
}
