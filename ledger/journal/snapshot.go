package journal

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"

	"tradechat.internal/ledger"
)

// A snapshot is a fold at the end of a block.
//
//	0    magic "NSSNAP01"
//	8    version u32 · zero u32
//	16   the journal's id
//	32   seq u64
//	40   SHA-256 of the block whose last record is seq
//	72   time of record seq u64 · supply u64
//	88   number of users u64 · of rooms u64
//	104  users:  name 32 · stored key 32 · server key 32 · balance i64 · last seq u64 ·
//	             deposited u64 · withdrawn u64 · seq u64 · keys' seq u64           144 bytes each
//	     rooms:  name 32 · seq u64                                                40 bytes each
//	     SHA-256 of all of that
const (
	snapshotPrefix  = "snapshot-"
	draftSuffix     = ".new"
	snapshotVersion = 1

	snapshotHeaderBytes = 104
	snapshotUserBytes   = 144
	snapshotRoomBytes   = 40
	snapshotSeqAt       = 32
	snapshotHashAt      = 40
	snapshotTimeAt      = 72
	snapshotUsersAt     = 88
)

var snapshotMagic = [8]byte{'N', 'S', 'S', 'N', 'A', 'P', '0', '1'}

// Snapshot says which records a snapshot stands for.
type Snapshot struct {
	Path string
	Seq  uint64
	Hash Hash // of the block that it stands on
	Sum  Hash // its own: a seal names it
	id   ID
}

func snapshotName(seq uint64) string { return fmt.Sprintf("%s%020d", snapshotPrefix, seq) }

// writeSnapshot writes a fold aside, and renames it once it is on disk.
func writeSnapshot(dir string, id ID, f *ledger.Fold, stands Hash) (Snapshot, error) {
	s := Snapshot{Path: filepath.Join(dir, snapshotName(f.Head)), Seq: f.Head, Hash: stands, id: id}
	draft := s.Path + draftSuffix
	file, err := os.OpenFile(draft, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return s, fmt.Errorf("journal: %w", err)
	}
	s.Sum, err = encodeSnapshot(file, id, f, stands)
	if err = errors.Join(err, file.Sync(), file.Close()); err == nil {
		err = os.Rename(draft, s.Path)
	}
	if err != nil {
		return s, fmt.Errorf("journal: snapshot: %w", errors.Join(err, os.Remove(draft)))
	}
	return s, syncFolder(dir)
}

func encodeSnapshot(file io.Writer, id ID, f *ledger.Fold, stands Hash) (own Hash, err error) {
	sum := sha256.New()
	w := bufio.NewWriterSize(io.MultiWriter(file, sum), 1<<20)
	b := append(make([]byte, 0, snapshotUserBytes), snapshotMagic[:]...)
	b = little.AppendUint32(b, snapshotVersion)
	b = little.AppendUint32(b, 0)
	b = append(b, id[:]...)
	b = little.AppendUint64(b, f.Head)
	b = append(b, stands[:]...)
	for _, word := range []uint64{f.TimeNs, f.Supply, uint64(len(f.Users) - 1), uint64(len(f.Rooms) - 1)} {
		b = little.AppendUint64(b, word)
	}
	if _, err := w.Write(b); err != nil {
		return own, err
	}
	for user := 1; user < len(f.Users); user++ {
		if _, err := w.Write(appendSnapshotUser(b[:0], &f.Users[user], &f.Accounts[user])); err != nil {
			return own, err
		}
	}
	for room := 1; room < len(f.Rooms); room++ {
		if _, err := w.Write(little.AppendUint64(append(b[:0], f.Rooms[room].Name[:]...), f.Rooms[room].Seq)); err != nil {
			return own, err
		}
	}
	if err := w.Flush(); err != nil {
		return own, err
	}
	own = Hash(sum.Sum(nil))
	_, err = file.Write(own[:])
	return own, err
}

func appendSnapshotUser(b []byte, u *ledger.User, a *ledger.Account) []byte {
	b = append(b, u.Name[:]...)
	b = append(b, u.Keys.Stored[:]...)
	b = append(b, u.Keys.Server[:]...)
	for _, word := range []uint64{uint64(a.Balance), a.LastSeq, a.Deposited, a.Withdrawn, u.Seq, u.KeysSeq} {
		b = little.AppendUint64(b, word)
	}
	return b
}

// snapshotReader reads a snapshot and sums up what it has read.
type snapshotReader struct {
	in     *bufio.Reader
	sum    hash.Hash
	path   string
	offset int64
}

func (r *snapshotReader) read(b []byte) error {
	n, err := io.ReadFull(r.in, b)
	r.sum.Write(b[:n])
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return damage(r.path, r.offset+int64(n), 0, "the snapshot ends too early")
	}
	r.offset += int64(n)
	return err
}

// readSnapshot reads and checks a whole snapshot.
func readSnapshot(path string) (s Snapshot, f *ledger.Fold, err error) {
	file, err := os.Open(path)
	if err != nil {
		return s, nil, fmt.Errorf("journal: %w", err)
	}
	defer file.Close()
	r := &snapshotReader{in: bufio.NewReaderSize(file, 1<<20), sum: sha256.New(), path: path}
	s.Path, f = path, ledger.NewFold()
	users, rooms, err := r.header(&s, f)
	if err != nil {
		return s, nil, err
	}
	if err := r.tables(f, users, rooms); err != nil {
		return s, nil, err
	}
	s.Sum, err = r.ending(f)
	return s, f, err
}

func (r *snapshotReader) header(s *Snapshot, f *ledger.Fold) (users, rooms uint64, err error) {
	b := make([]byte, snapshotHeaderBytes)
	if err := r.read(b); err != nil {
		return 0, 0, err
	}
	words := b[snapshotTimeAt:]
	s.id, s.Seq, s.Hash = ID(b[16:]), little.Uint64(b[snapshotSeqAt:]), Hash(b[snapshotHashAt:snapshotTimeAt])
	f.Head, f.TimeNs, f.Supply = s.Seq, little.Uint64(words), little.Uint64(words[8:])
	users, rooms = little.Uint64(b[snapshotUsersAt:]), little.Uint64(b[snapshotUsersAt+8:])
	named := snapshotSeq(r.path)
	switch {
	case [8]byte(b[:8]) != snapshotMagic || little.Uint32(b[12:]) != 0:
		return 0, 0, damage(r.path, 0, 0, "not a snapshot of a journal")
	case little.Uint32(b[8:]) != snapshotVersion:
		return 0, 0, r.otherVersion(little.Uint32(b[8:]))
	case s.Seq != named || s.Seq == 0:
		return 0, 0, damage(r.path, snapshotSeqAt, s.Seq, "the snapshot says that it stands for record %d", s.Seq)
	case users > snapshotUsersMax || rooms > snapshotRoomsMax:
		return 0, 0, damage(r.path, snapshotUsersAt, s.Seq, "%d users and %d rooms", users, rooms)
	}
	return users, rooms, nil
}

// otherVersion tells a newer snapshot from a damaged one: in all versions the last 32 bytes are the sum of those before.
func (r *snapshotReader) otherVersion(version uint32) error {
	rest, err := io.ReadAll(r.in)
	if err != nil {
		return err
	}
	body := max(0, len(rest)-sha256.Size)
	r.sum.Write(rest[:body])
	if version < snapshotVersion || !bytes.Equal(rest[body:], r.sum.Sum(nil)) {
		return damage(r.path, 8, 0, "the snapshot's version is %d", version)
	}
	return newer(r.path, version, snapshotVersion)
}

func (r *snapshotReader) tables(f *ledger.Fold, users, rooms uint64) error {
	b := make([]byte, snapshotUserBytes)
	for range users {
		if err := r.read(b); err != nil {
			return err
		}
		word := func(i int) uint64 { return binary.LittleEndian.Uint64(b[96+8*i:]) }
		f.Users = append(f.Users, ledger.User{
			Name: ledger.Name(b[:32]), Keys: ledger.Keys{Stored: [32]byte(b[32:64]), Server: [32]byte(b[64:96])}, Seq: word(4), KeysSeq: word(5),
		})
		f.Accounts = append(f.Accounts, ledger.Account{Balance: int64(word(0)), LastSeq: word(1), Deposited: word(2), Withdrawn: word(3)})
	}
	b = b[:snapshotRoomBytes]
	for range rooms {
		if err := r.read(b); err != nil {
			return err
		}
		f.Rooms = append(f.Rooms, ledger.Room{Name: ledger.Name(b[:32]), Seq: little.Uint64(b[32:])})
	}
	return nil
}

// ending compares the sum and sees to it that nothing follows.
func (r *snapshotReader) ending(f *ledger.Fold) (own Hash, err error) {
	want, at := r.sum.Sum(nil), r.offset
	b := make([]byte, sha256.Size+1)
	n, err := io.ReadFull(r.in, b)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return own, err
	}
	if n != sha256.Size || !bytes.Equal(b[:n], want) {
		return own, damage(r.path, at, f.Head, "the snapshot's checksum differs")
	}
	if err := f.Conserved(); err != nil {
		return own, &DamageError{File: r.path, Offset: snapshotTimeAt, Seq: f.Head, What: "its sums differ", Cause: err}
	}
	return Hash(want), nil
}

// syncFolder makes the names in a folder durable.
func syncFolder(dir string) error {
	folder, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	if err := errors.Join(folder.Sync(), folder.Close()); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return nil
}

// snapshotSeq is the seq in a snapshot's name.
func snapshotSeq(path string) uint64 {
	seq, _ := seqOf(filepath.Base(path), snapshotPrefix, "")
	return seq
}
