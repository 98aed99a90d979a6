package ledger

import "unsafe"

// A wrong size or offset does not compile.
var (
	_ = [1]struct{}{}[unsafe.Sizeof(Record{})-RecordBytes]
	_ = [1]struct{}{}[unsafe.Sizeof(NameRecord{})-RecordBytes]
	_ = [1]struct{}{}[unsafe.Offsetof(Record{}.Peer)-32]
	_ = [1]struct{}{}[unsafe.Offsetof(Record{}.BatchHead)-112]
	_ = [1]struct{}{}[unsafe.Offsetof(NameRecord{}.Name)-32]
	_ = [1]struct{}{}[unsafe.Offsetof(Record{}.Subject)-unsafe.Offsetof(NameRecord{}.Subject)]
	_ = [1]struct{}{}[unsafe.Offsetof(Record{}.Kind)-unsafe.Offsetof(NameRecord{}.Kind)]
)

// AsName reads a record as one of the kinds that name a user or a room, in the same memory.
func (r *Record) AsName() *NameRecord { return (*NameRecord)(unsafe.Pointer(r)) }

func (r *NameRecord) asRecord() *Record { return (*Record)(unsafe.Pointer(r)) }

// Bytes is the records' memory. It is what lies on disk where integers are little-endian.
func Bytes(records []Record) []byte {
	if len(records) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&records[0])), len(records)*RecordBytes)
}

// View is whole records in b's memory, which must be aligned to 8 bytes.
func View(b []byte) []Record {
	if len(b) < RecordBytes {
		return nil
	}
	if uintptr(unsafe.Pointer(&b[0]))%8 != 0 {
		panic("ledger: records that are not aligned")
	}
	return unsafe.Slice((*Record)(unsafe.Pointer(&b[0])), len(b)/RecordBytes)
}
