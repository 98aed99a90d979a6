package datafolder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"tradechat.internal/ledger/journal"
)

// JournalFolder is where the journal of a data folder lies.
func JournalFolder(data string) string { return filepath.Join(data, "journal") }

// BindJournal begins the folder's journal if there is none, bound to the realm and to the iterations of the login keys, and returns its
// identity. One that is bound to others is refused: nobody could log in. Then it locks the journal's folder. Errors: journal.Create's,
// ErrInUse.
func (f *Folder) BindJournal(iterations uint32) (id journal.ID, err error) {
	if err := f.beginEpochs(); err != nil {
		return id, err
	}
	f.journal, err = journal.Create(JournalFolder(f.path), journal.Binding{Realm: f.realm, Iterations: iterations})
	if err == nil && f.journalFD < 0 {
		err = f.lockJournal()
	}
	return f.journal, err
}

// Journal is the identity of the folder's journal, once it is bound.
func (f *Folder) Journal() journal.ID { return f.journal }

// mayMakeRealm refuses a new realm where there is a journal: the users in that would have worthless keys. A journal knows its realm.
func (f *Folder) mayMakeRealm(path string) error {
	_, bound, err := journal.Identity(JournalFolder(f.path))
	switch {
	case errors.Is(err, journal.ErrNone):
		if left, err := os.ReadDir(JournalFolder(f.path)); errors.Is(err, fs.ErrNotExist) || err == nil && len(left) == 0 {
			return nil
		}
	case err == nil && bound != journal.Binding{}:
		return fmt.Errorf("%s: %w: there is none, but there is a journal of realm %x → write these digits and a newline into it: "+
			"without it nobody can log in", path, ErrDamaged, bound.Realm)
	}
	return errors.Join(fmt.Errorf("%s: %w: there is none, but there is a journal → restore it from a backup: without it "+
		"nobody can log in", path, ErrDamaged), err)
}
