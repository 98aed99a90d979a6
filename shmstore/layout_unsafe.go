package shmstore

import (
	"fmt"
	"hash/fnv"
	"reflect"
	"unsafe"

	"tradechat.internal/ledger"
)

// The sizes that the segment's arithmetic relies on. A wrong one does not compile.
var (
	_ = [1]struct{}{}[unsafe.Sizeof(slotRow{})-slotRowBytes]
	_ = [1]struct{}{}[unsafe.Sizeof(metricNames{})-metricNamesBytes]
	_ = [1]struct{}{}[unsafe.Sizeof(accountRow{})-accountRowBytes]
	_ = [1]struct{}{}[unsafe.Sizeof(userRow{})-userRowBytes]
	_ = [1]struct{}{}[unsafe.Sizeof(sessionRow{})-sessionRowBytes]
	_ = [1]struct{}{}[unsafe.Sizeof(roomRow{})-roomRowBytes]
	_ = [1]struct{}{}[unsafe.Sizeof(mailboxRow{})-mailboxRowBytes]
	_ = [1]struct{}{}[unsafe.Sizeof(addressRow{})-addressRowBytes]
	_ = [1]struct{}{}[unsafe.Sizeof(cursor{})-cursorBytes]
	_ = [1]struct{}{}[unsafe.Sizeof(entryHeader{})-entryBytes]
	_ = [superblockBytes - unsafe.Sizeof(superblock{})]struct{}{}
	_ = [controlBytes - unsafe.Sizeof(control{})]struct{}{}
)

// The prefix of every layout there will be.
var (
	_ = [1]struct{}{}[unsafe.Offsetof(superblock{}.prefix)]
	_ = [1]struct{}{}[unsafe.Offsetof(prefix{}.version)-8]
	_ = [1]struct{}{}[unsafe.Offsetof(prefix{}.ready)-12]
	_ = [1]struct{}{}[unsafe.Offsetof(prefix{}.layoutHash)-16]
	_ = [1]struct{}{}[unsafe.Offsetof(prefix{}.segmentBytes)-24]
	_ = [1]struct{}{}[unsafe.Offsetof(prefix{}.createdUnixNs)-32]
	_ = [1]struct{}{}[unsafe.Offsetof(prefix{}.headAt)-40]
	_ = [1]struct{}{}[unsafe.Offsetof(prefix{}.durableAt)-48]
	_ = [1]struct{}{}[unsafe.Offsetof(prefix{}.stateAt)-56]
	_ = [1]struct{}{}[unsafe.Offsetof(prefix{}.journal)-64]
	_ = [1]struct{}{}[unsafe.Offsetof(prefix{}.realmSalt)-80]
	_ = [1]struct{}{}[unsafe.Offsetof(prefix{}.build)-96]
	_ = [1]struct{}{}[unsafe.Offsetof(prefix{}.owner)-224]
	_ = [1]struct{}{}[unsafe.Sizeof(prefix{})-prefixBytes]
)

// Where control has what the prefix points to.
const (
	headOffset    = uint64(unsafe.Offsetof(control{}.head))
	durableOffset = uint64(unsafe.Offsetof(control{}.durable))
	stateOffset   = uint64(unsafe.Offsetof(control{}.journal))
)

// Words that must not share a cache line.
var (
	_ = [1]struct{}{}[unsafe.Offsetof(slotRow{}.announced)-64]
	_ = [1]struct{}{}[unsafe.Offsetof(slotRow{}.pendingSeq)-96]
	_ = [1]struct{}{}[unsafe.Offsetof(slotRow{}.armed)-128]
	_ = [1]struct{}{}[unsafe.Offsetof(control{}.globalLock)-64]
	_ = [1]struct{}{}[unsafe.Offsetof(control{}.logLock)-128]
	_ = [1]struct{}{}[unsafe.Offsetof(control{}.head)-136]
	_ = [1]struct{}{}[unsafe.Offsetof(control{}.userCount)-192]
	_ = [1]struct{}{}[unsafe.Offsetof(control{}.durable)-256]
	_ = [1]struct{}{}[unsafe.Offsetof(roomRow{}.ring)-64]
	_ = [1]struct{}{}[unsafe.Offsetof(roomRow{}.bySlot)-128]
	_ = [1]struct{}{}[unsafe.Offsetof(mailboxRow{}.ring)-64]
)

// structures lists what the layout hash covers and docs/shm-layout.md shows.
var structures = []reflect.Type{
	reflect.TypeFor[prefix](), reflect.TypeFor[superblock](), reflect.TypeFor[control](), reflect.TypeFor[slotRow](),
	reflect.TypeFor[metricNames](), reflect.TypeFor[metricsRow](), reflect.TypeFor[accountRow](), reflect.TypeFor[userRow](),
	reflect.TypeFor[ledger.Keys](), reflect.TypeFor[sessionRow](), reflect.TypeFor[ledger.Record](),
	reflect.TypeFor[ledger.NameRecord](), reflect.TypeFor[roomRow](), reflect.TypeFor[ringHead](),
	reflect.TypeFor[ringState](), reflect.TypeFor[entryHeader](), reflect.TypeFor[cursor](),
	reflect.TypeFor[mailboxRow](), reflect.TypeFor[addressRow](),
}

// layoutHash tells two builds with different structures apart: FNV-1a over every
// field's name, offset and size.
var layoutHash = func() uint64 {
	h := fnv.New64a()
	for _, t := range structures {
		fmt.Fprintln(h, t.Name(), t.Size())
		for f := range t.Fields() {
			fmt.Fprintln(h, f.Name, f.Offset, f.Type.Size())
		}
	}
	return h.Sum64()
}()
