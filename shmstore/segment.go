package shmstore

import (
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
	"tradechat.internal/ledger"
)

// Folder is where segments live: what shm_open(3) uses on Linux.
const Folder = "/dev/shm"

// Segment is one mapping of the shared memory.
type Segment struct {
	tables
	shape Shape
	path  string
	fd    int
	mem   []byte

	counterAt, latencyAt []int // column of each of this build's counters and latencies, -1: none
}

// plan is where each region lies and how long it is.
type plan struct {
	offset [regionCount]uint64
	bytes  [regionCount]uint64
	total  uint64
}

func (s Shape) plan() plan {
	slots, rooms := uint64(s.Slots()), uint64(s.RoomsMax)+1
	users, sessions := uint64(s.UsersMax)+1, uint64(s.SessionsMax)
	var p plan
	p.bytes = [regionCount]uint64{
		regionControl:      controlBytes,
		regionSlots:        slots * slotRowBytes,
		regionMetricNames:  sizeOf[metricNames](),
		regionMetrics:      slots * sizeOf[metricsRow](),
		regionDirty:        slots * s.dirtyWords() * 8,
		regionAccounts:     users * accountRowBytes,
		regionUsers:        users * userRowBytes,
		regionUserIndex:    s.indexBuckets() * 4,
		regionSessions:     sessions * sessionRowBytes,
		regionSessionUsers: sessions * 4,
		regionLog:          uint64(s.LogRecords) * ledger.RecordBytes,
		regionRooms:        rooms * roomRowBytes,
		regionMembers:      rooms * s.memberWords() * 8,
		regionCursors:      slots * rooms * cursorBytes,
		regionRoomRings:    rooms * uint64(s.RoomRingBytes),
		regionMailboxes:    slots * mailboxRowBytes,
		regionMailboxRings: slots * uint64(s.MailboxBytes),
		regionAddresses:    s.addressRows() * addressRowBytes,
	}
	p.total = superblockBytes
	for r := range p.bytes {
		p.offset[r] = p.total
		p.total += (p.bytes[r] + regionAlign - 1) / regionAlign * regionAlign
	}
	return p
}

// SegmentBytes is the size of a segment of this shape.
func (s Shape) SegmentBytes() int64 { return int64(s.plan().total) }

// Origin is what a segment says of where it comes from.
type Origin struct {
	Journal [16]byte // identity of the journal that it belongs to
	Realm   [16]byte // salt of the login keys
	Build   string   // version and commit of the build that made it
	Folder  string   // data folder: for messages
}

// Create makes and maps the segment name. Errors: ErrShape, ErrSegmentExists, ErrNoSpace; the file system's.
func Create(name string, shape Shape, from Origin) (*Segment, error) {
	if err := shape.Validate(); err != nil {
		return nil, err
	}
	path, err := segmentPath(name)
	if err != nil {
		return nil, err
	}
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0o600)
	if err == unix.EEXIST {
		return nil, fmt.Errorf("%s: %w", path, ErrSegmentExists)
	}
	if err != nil {
		return nil, fmt.Errorf("create %s: %w", path, err)
	}
	seg, err := format(fd, path, shape, from)
	if err != nil {
		unix.Close(fd)
		return nil, errors.Join(err, unix.Unlink(path))
	}
	return seg, nil
}

// format allocates every page now, so that a full /dev/shm is an error here and not
// a SIGBUS later, and writes the superblock; ready comes last.
func format(fd int, path string, shape Shape, from Origin) (*Segment, error) {
	if err := flock(fd, path); err != nil {
		return nil, err
	}
	if err := allocate(fd, path, shape.SegmentBytes()); err != nil {
		return nil, err
	}
	seg, err := mapSegment(fd, path, shape, unix.PROT_READ|unix.PROT_WRITE)
	if err != nil {
		return nil, err
	}
	sb := seg.super
	*sb = superblock{
		prefix: prefix{
			magic: segmentMagic, version: layoutVersion, layoutHash: layoutHash,
			segmentBytes: uint64(len(seg.mem)), createdUnixNs: uint64(time.Now().UnixNano()),
			headAt: superblockBytes + headOffset, durableAt: superblockBytes + durableOffset, stateAt: superblockBytes + stateOffset,
			journal: from.Journal, realmSalt: from.Realm,
		},
		workers: uint32(shape.Workers), usersMax: shape.UsersMax, sessionsMax: shape.SessionsMax,
		roomsMax: shape.RoomsMax, logRecords: shape.LogRecords, roomRingBytes: shape.RoomRingBytes,
		mailboxBytes: shape.MailboxBytes, messageBytesMax: shape.MessageBytesMax, lockMode: uint32(shape.LockMode),
		regionOffset: shape.plan().offset,
	}
	seg.control.madeNs = sinceBootNs()
	if _, err := rand.Read(seg.control.addressSecret[:]); err != nil {
		return nil, err
	}
	copy(sb.build[:len(sb.build)-1], from.Build)
	copy(sb.owner[:len(sb.owner)-1], from.Folder)
	seg.metricNames.write(tableNames(Counters[:]), tableNames(Latencies[:]))
	seg.nameMetrics(tableNames(Counters[:]), tableNames(Latencies[:]))
	atomic.StoreUint32(&sb.ready, 1)
	return seg, nil
}

func allocate(fd int, path string, size int64) error {
	if err := unix.Ftruncate(fd, size); err != nil {
		return fmt.Errorf("size %s to %d bytes: %w", path, size, err)
	}
	var err error
	for err = unix.EINTR; err == unix.EINTR; {
		err = unix.Fallocate(fd, 0, 0, size)
	}
	if err == unix.ENOSPC || err == unix.EFBIG || err == unix.ENOMEM {
		return fmt.Errorf("%s: %w: %d bytes needed, %s free", path, ErrNoSpace, size, freeBytes(Folder))
	}
	if err != nil {
		return fmt.Errorf("allocate %d bytes for %s: %w", size, path, err)
	}
	return nil
}

func freeBytes(folder string) string {
	var fs unix.Statfs_t
	if err := unix.Statfs(folder, &fs); err != nil {
		return "an unknown number"
	}
	return fmt.Sprint(fs.Bavail * uint64(fs.Bsize))
}

// Open maps a segment that exists, and takes the lock that only one server holds.
// Errors: ErrSegmentAbsent, ErrSegmentInUse, ErrLayout, ErrDamaged.
func Open(name string) (*Segment, error) {
	fd, path, err := openExisting(name, unix.O_RDWR)
	if err != nil {
		return nil, err
	}
	if err := flock(fd, path); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return attach(fd, path, unix.PROT_READ|unix.PROT_WRITE)
}

// OpenReadOnly maps a segment for looking at, beside a server that runs.
func OpenReadOnly(name string) (*Segment, error) {
	fd, path, err := openExisting(name, unix.O_RDONLY)
	if err != nil {
		return nil, err
	}
	return attach(fd, path, unix.PROT_READ)
}

// AttachFD maps the segment behind an inherited descriptor, which it then owns.
func AttachFD(fd int) (*Segment, error) {
	return attach(fd, fmt.Sprintf("segment descriptor %d", fd), unix.PROT_READ|unix.PROT_WRITE)
}

func attach(fd int, path string, protection int) (*Segment, error) {
	shape, err := readShape(fd, path)
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	seg, err := mapSegment(fd, path, shape, protection)
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	seg.nameMetrics(tableNames(Counters[:]), tableNames(Latencies[:]))
	if err := seg.checkCounts(); err != nil {
		return nil, errors.Join(err, seg.Close())
	}
	return seg, nil
}

// checkCounts tells whether the numbers of users and rooms fit their tables.
func (seg *Segment) checkCounts() error {
	users, rooms := seg.control.userCount.Load(), seg.control.roomCount.Load()
	if users > seg.shape.UsersMax || rooms > seg.shape.RoomsMax {
		return fmt.Errorf("%s: %w: it counts %d users of %d and %d rooms of %d", seg.path, ErrDamaged,
			users, seg.shape.UsersMax, rooms, seg.shape.RoomsMax)
	}
	return nil
}

// readShape checks the superblock before anything is mapped by what it says.
func readShape(fd int, path string) (Shape, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return Shape{}, fmt.Errorf("stat %s: %w", path, err)
	}
	block := make([]byte, superblockBytes)
	n, err := unix.Pread(fd, block, 0)
	if err != nil {
		return Shape{}, fmt.Errorf("read %s: %w", path, err)
	}
	if n < superblockBytes {
		return Shape{}, fmt.Errorf("%s: %w: its superblock has %d bytes", path, ErrDamaged, n)
	}
	sb := asSuperblock(block)
	switch {
	case sb.magic != segmentMagic:
		return Shape{}, fmt.Errorf("%s: %w: not a segment of this server", path, ErrLayout)
	case sb.version != layoutVersion:
		return Shape{}, fmt.Errorf("%s: %w: version %d, this build has %d", path, ErrLayout, sb.version, layoutVersion)
	case sb.layoutHash != layoutHash:
		return Shape{}, fmt.Errorf("%s: %w: hash %016x, this build has %016x", path, ErrLayout, sb.layoutHash, layoutHash)
	case sb.ready != 1:
		return Shape{}, fmt.Errorf("%s: %w: its creation was never finished", path, ErrDamaged)
	}
	shape := sb.shape()
	if err := shape.Validate(); err != nil {
		return Shape{}, fmt.Errorf("%s: %w: %w", path, ErrDamaged, err)
	}
	if p := shape.plan(); uint64(st.Size) != p.total || sb.segmentBytes != p.total || sb.regionOffset != p.offset {
		return Shape{}, fmt.Errorf("%s: %w: %d bytes, want %d", path, ErrDamaged, st.Size, p.total)
	}
	return shape, nil
}

func (sb *superblock) shape() Shape {
	return Shape{
		Workers: int(sb.workers), UsersMax: sb.usersMax, SessionsMax: sb.sessionsMax, RoomsMax: sb.roomsMax,
		LogRecords: sb.logRecords, RoomRingBytes: sb.roomRingBytes, MailboxBytes: sb.mailboxBytes,
		MessageBytesMax: sb.messageBytesMax, LockMode: LockMode(sb.lockMode),
	}
}

func mapSegment(fd int, path string, shape Shape, protection int) (*Segment, error) {
	p := shape.plan()
	mem, err := unix.Mmap(fd, 0, int(p.total), protection, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map %s: %w", path, err)
	}
	return &Segment{tables: mapTables(mem, p), shape: shape, path: path, fd: fd, mem: mem}, nil
}

// flock marks the segment as used for as long as any process holds this description.
func flock(fd int, path string) error {
	err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB)
	if err == unix.EWOULDBLOCK {
		return fmt.Errorf("%s: %w", path, ErrSegmentInUse)
	}
	if err != nil {
		return fmt.Errorf("lock %s: %w", path, err)
	}
	return nil
}

func segmentPath(name string) (string, error) {
	if name == "" || len(name) > unix.NAME_MAX || strings.ContainsAny(name, "/\x00") || name == "." || name == ".." {
		return "", fmt.Errorf("%w: segment name %q must be a file name of 1 to %d bytes", ErrShape, name, unix.NAME_MAX)
	}
	return filepath.Join(Folder, name), nil
}

// FD is the descriptor, for handing to a child. It stays the segment's.
func (seg *Segment) FD() int { return seg.fd }

// Path is the segment's file, or a description of the descriptor it came by.
func (seg *Segment) Path() string { return seg.path }

// Shape is the segment's shape.
func (seg *Segment) Shape() Shape { return seg.shape }

// RealmSalt is the salt of this server's login keys.
func (seg *Segment) RealmSalt() [16]byte { return seg.super.realmSalt }

// Close unmaps the segment and closes its descriptor. No Store of it may be used after.
func (seg *Segment) Close() error {
	return errors.Join(unix.Munmap(seg.mem), unix.Close(seg.fd))
}
