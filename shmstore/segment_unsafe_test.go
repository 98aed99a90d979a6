package shmstore

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"unsafe"
)

// createClosed leaves a segment behind that no process uses.
func createClosed(t *testing.T, shape Shape) (name string) {
	t.Helper()
	name = fmt.Sprintf("tradechat-test-%d-closed-%d", os.Getpid(), segmentNumber.Add(1))
	seg, err := Create(name, shape, Origin{Realm: [16]byte{7}, Folder: "/some/folder", Journal: [16]byte{9}, Build: "this build"})
	if err != nil {
		t.Fatal(err)
	}
	if err := seg.Close(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(Folder + "/" + name) })
	return name
}

func TestASegmentIsOpenedAsItWasMade(t *testing.T) {
	shape := smallShape()
	shape.LockMode = LockGlobal
	name := createClosed(t, shape)
	seg, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer seg.Close()
	if seg.Shape() != shape || seg.Owner() != "/some/folder" || seg.RealmSalt() != [16]byte{7} {
		t.Errorf("%+v owner %q salt %x", seg.Shape(), seg.Owner(), seg.RealmSalt())
	}
	if _, err := Open(name); !errors.Is(err, ErrSegmentInUse) {
		t.Errorf("second server: %v", err)
	}
	if err := Remove(name); !errors.Is(err, ErrSegmentInUse) {
		t.Errorf("removal while in use: %v", err)
	}
	if _, err := Create(name, shape, Origin{}); !errors.Is(err, ErrSegmentExists) {
		t.Errorf("second creation: %v", err)
	}
	look, err := OpenReadOnly(name)
	if err != nil {
		t.Fatal(err)
	}
	if look.Shape() != shape {
		t.Errorf("read-only look: %+v", look.Shape())
	}
	if err := look.Close(); err != nil {
		t.Error(err)
	}
}

func TestRemove(t *testing.T) {
	name := createClosed(t, smallShape())
	if err := Remove(name); err != nil {
		t.Fatal(err)
	}
	if err := Remove(name); !errors.Is(err, ErrSegmentAbsent) {
		t.Errorf("second removal: %v", err)
	}
	if _, err := Open(name); !errors.Is(err, ErrSegmentAbsent) {
		t.Errorf("open after removal: %v", err)
	}
}

func TestAnotherLayoutOrADamagedSegmentIsRefused(t *testing.T) {
	cases := []struct {
		name   string
		offset uintptr
		want   error
	}{
		{"magic", unsafe.Offsetof(superblock{}.magic), ErrLayout},
		{"version", unsafe.Offsetof(superblock{}.version), ErrLayout},
		{"hash", unsafe.Offsetof(superblock{}.layoutHash), ErrLayout},
		{"never finished", unsafe.Offsetof(superblock{}.ready), ErrDamaged},
		{"size", unsafe.Offsetof(superblock{}.segmentBytes), ErrDamaged},
		{"shape out of bounds", unsafe.Offsetof(superblock{}.workers) + 3, ErrDamaged},
		{"other shape", unsafe.Offsetof(superblock{}.usersMax) + 1, ErrDamaged},
		{"region", unsafe.Offsetof(superblock{}.regionOffset), ErrDamaged},
		{"users", superblockBytes + unsafe.Offsetof(control{}.userCount) + 2, ErrDamaged},
		{"rooms", superblockBytes + unsafe.Offsetof(control{}.roomCount), ErrDamaged},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			name := createClosed(t, smallShape())
			flipByte(t, Folder+"/"+name, int64(c.offset))
			if seg, err := Open(name); !errors.Is(err, c.want) || seg != nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%v, want %v and the name", err, c.want)
			}
		})
	}
}

func flipByte(t *testing.T, path string, offset int64) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := make([]byte, 1)
	if _, err := f.ReadAt(b, offset); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 0x11
	if _, err := f.WriteAt(b, offset); err != nil {
		t.Fatal(err)
	}
}

func TestATruncatedOrForeignFileIsRefused(t *testing.T) {
	short := createClosed(t, smallShape())
	if err := os.Truncate(Folder+"/"+short, 8192); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(short); !errors.Is(err, ErrDamaged) {
		t.Errorf("truncated: %v", err)
	}
	if err := os.Truncate(Folder+"/"+short, 10); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(short); !errors.Is(err, ErrDamaged) {
		t.Errorf("ten bytes: %v", err)
	}
	if err := os.WriteFile(Folder+"/"+short, make([]byte, 8192), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(short); !errors.Is(err, ErrLayout) {
		t.Errorf("zeros: %v", err)
	}
}

func TestSegmentNames(t *testing.T) {
	for _, name := range []string{"", "a/b", "..", ".", "nul\x00", strings.Repeat("x", 256)} {
		if _, err := Create(name, smallShape(), Origin{}); !errors.Is(err, ErrShape) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestNoSpaceIsAClearErrorAndLeavesNothing(t *testing.T) {
	shape := smallShape()
	shape.LogRecords, shape.UsersMax, shape.SessionsMax = logRecordsMax, usersMaxLimit, sessionsMaxLimit
	shape.RoomsMax, shape.RoomRingBytes = roomsMaxLimit, ringBytesMax
	name := fmt.Sprintf("tradechat-test-%d-huge", os.Getpid())
	_, err := Create(name, shape, Origin{})
	if !errors.Is(err, ErrNoSpace) || !strings.Contains(err.Error(), fmt.Sprint(shape.SegmentBytes())) {
		t.Errorf("%v, want %v with %d", err, ErrNoSpace, shape.SegmentBytes())
	}
	if _, err := os.Stat(Folder + "/" + name); !os.IsNotExist(err) {
		t.Errorf("the file is left: %v", err)
	}
}

func TestShapesAreBounded(t *testing.T) {
	if err := DefaultShape().Validate(); err != nil {
		t.Error(err)
	}
	if size := DefaultShape().SegmentBytes(); size > 64<<20 {
		t.Errorf("the default segment takes %d bytes", size)
	}
	for name, change := range map[string]func(*Shape){
		"workers":         func(s *Shape) { s.Workers = 65 },
		"users":           func(s *Shape) { s.UsersMax = 0 },
		"sessions":        func(s *Shape) { s.SessionsMax = 0 },
		"rooms":           func(s *Shape) { s.RoomsMax = roomsMaxLimit + 1 },
		"log records":     func(s *Shape) { s.LogRecords = 1000 },
		"room ring bytes": func(s *Shape) { s.RoomRingBytes = 1 << 11 },
		"mailbox bytes":   func(s *Shape) { s.MailboxBytes = 5000 },
		"message bytes":   func(s *Shape) { s.MessageBytesMax = s.RoomRingBytes },
		"lock mode":       func(s *Shape) { s.LockMode = 2 },
	} {
		shape := smallShape()
		change(&shape)
		if err := shape.Validate(); !errors.Is(err, ErrShape) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestASlotIsBoundOnce(t *testing.T) {
	seg := newSegment(t, smallShape())
	st := bind(t, seg, 0, nil)
	if _, err := seg.Bind(0, nil); !errors.Is(err, ErrBusy) {
		t.Errorf("bound twice: %v", err)
	}
	for _, slot := range []int{-1, 4} {
		if _, err := seg.Bind(slot, nil); !errors.Is(err, ErrShape) {
			t.Errorf("slot %d: %v", slot, err)
		}
	}
	if info := seg.SlotInfo(0); info.State != SlotRunning || info.PID != os.Getpid() || info.Generation != 1 {
		t.Errorf("%+v", info)
	}
	st.Close()
	bind(t, seg, 0, nil)
	if info := seg.SlotInfo(0); info.Generation != 2 {
		t.Errorf("%+v", info)
	}
}

func TestRowsDoNotStraddleCacheLinesAndWordsAreAligned(t *testing.T) {
	seg := newSegment(t, smallShape())
	for name, at := range map[string]unsafe.Pointer{
		"control": unsafe.Pointer(seg.control), "slots": unsafe.Pointer(&seg.slots[0]),
		"accounts": unsafe.Pointer(&seg.accounts[1]), "log": unsafe.Pointer(&seg.log[1]),
		"rooms": unsafe.Pointer(&seg.rooms[1]), "sessions": unsafe.Pointer(&seg.sessions[1]),
	} {
		if uintptr(at)%64 != 0 {
			t.Errorf("%s at %x", name, uintptr(at)%64)
		}
	}
}
