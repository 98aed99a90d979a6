package journal

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"tradechat.internal/ledger"
)

// A block is what one group commit writes.
//
//	0   magic "NSBLOCK1"
//	8   first seq u64
//	16  count u32 · zero u32
//	24  SHA-256 of the whole block before; zeros in the first one
//	56  seq up to which all was synced when the block was written u64
//	64  count × 128 bytes of records
//	    CRC-32C of all of that u32 · count u32
const (
	blockHeaderBytes  = 64
	blockTrailerBytes = 8
	recordBytes       = ledger.RecordBytes

	blockFirstAt = 8
	blockCountAt = 16
	blockPrevAt  = 24
	blockSyncAt  = 56
)

var (
	blockMagic = [8]byte{'N', 'S', 'B', 'L', 'O', 'C', 'K', '1'}
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
	little     = binary.LittleEndian
)

// Hash is a block's SHA-256, by which the next one names it.
type Hash = [sha256.Size]byte

// block is one that was read and checked in itself.
type block struct {
	file    string
	offset  int64
	first   uint64
	prev    Hash
	synced  uint64 // records up to it had come to disk before the block was written
	hash    Hash
	records []ledger.Record // in the memory that it was read into
	seal    seal            // of one that has no records
}

// last is the seq of the block's last record; for a seal, of the last one before it.
func (b *block) last() uint64 { return b.first + uint64(len(b.records)) - 1 }

// fold adds those records to f that come after its head, and returns how many those were.
func (b *block) fold(f *ledger.Fold) (folded uint64, err error) {
	skip := min(f.Head+1-min(b.first, f.Head+1), uint64(len(b.records)))
	n, err := f.ApplyAll(b.records[skip:])
	if errors.Is(err, ledger.ErrNewer) {
		return uint64(n), fmt.Errorf("%s: byte %d: %w", b.file, b.recordOffset(int(skip)+n), err)
	}
	if err != nil {
		at := int(skip) + n
		err = &DamageError{File: b.file, Offset: b.recordOffset(at), Seq: b.records[at].Seq, What: "the record is wrong", Cause: err}
	}
	return uint64(n), err
}

// recordOffset is where a record of the block lies in its file.
func (b *block) recordOffset(i int) int64 { return b.offset + blockHeaderBytes + int64(i)*recordBytes }

// end is the offset behind the block.
func (b *block) end() int64 {
	if b.seal.seq != 0 {
		return b.offset + sealBytes
	}
	return b.offset + blockSize(len(b.records))
}

func blockSize(records int) int64 {
	return blockHeaderBytes + int64(records)*recordBytes + blockTrailerBytes
}

// appendBlock makes the bytes of a block.
func appendBlock(dst []byte, prev Hash, synced uint64, records []ledger.Record) []byte {
	start := len(dst)
	dst = append(dst, blockMagic[:]...)
	dst = little.AppendUint64(dst, records[0].Seq)
	dst = little.AppendUint32(dst, uint32(len(records)))
	dst = little.AppendUint32(dst, 0)
	dst = append(dst, prev[:]...)
	dst = little.AppendUint64(dst, synced)
	dst = append(dst, ledger.Bytes(records)...)
	dst = little.AppendUint32(dst, crc32.Checksum(dst[start:], castagnoli))
	return little.AppendUint32(dst, uint32(len(records)))
}

// parseBlock reads the block, or the seal, at the begin of b, which is aligned to 8 bytes. size 0: more bytes are needed, as many as
// need says. fault says why there is no whole block.
func parseBlock(b []byte) (parsed block, size, need int64, fault string) {
	if len(b) < blockHeaderBytes {
		return parsed, 0, blockHeaderBytes, ""
	}
	if [8]byte(b[:8]) == sealMagic {
		return parseSeal(b)
	}
	count := little.Uint32(b[blockCountAt:])
	switch {
	case [8]byte(b[:8]) != blockMagic:
		return parsed, 0, 0, "no block begins here"
	case count == 0 || count > BlockRecordsMax:
		return parsed, 0, 0, "a block with an impossible number of records"
	}
	size = blockSize(int(count))
	if int64(len(b)) < size {
		return parsed, 0, size, ""
	}
	body, trailer := b[:size-blockTrailerBytes], b[size-blockTrailerBytes:size]
	switch {
	case crc32.Checksum(body, castagnoli) != little.Uint32(trailer) || little.Uint32(trailer[4:]) != count:
		return parsed, 0, 0, "the block's checksum differs"
	case little.Uint32(b[blockCountAt+4:]) != 0:
		return parsed, 0, 0, "a reserved field is not zero"
	case little.Uint64(b[blockSyncAt:]) >= little.Uint64(b[blockFirstAt:]):
		return parsed, 0, 0, "a block that says of itself that it was synced before it was written"
	}
	parsed = block{
		first: little.Uint64(b[blockFirstAt:]), prev: Hash(b[blockPrevAt:blockSyncAt]),
		synced: little.Uint64(b[blockSyncAt:]),
		hash:   hashOf(b[:size]), records: ledger.View(body[blockHeaderBytes:]),
	}
	return parsed, size, 0, ""
}

// hashOf is the hash by which the next block names this one.
func hashOf(b []byte) Hash { return sha256.Sum256(b) }
