package journal

import (
	"hash/crc32"
)

// A seal puts a snapshot into the chain: it stands between blocks, and holds the snapshot's own sum. Who changes a snapshot and its sum
// would have to write all blocks behind the seal anew. It is written once the snapshot is on disk, so the newest snapshot may lack one
// after a crash; a start does not believe such a one, but compares it.
//
//	0    magic "NSSEAL01"
//	8    the next record's seq u64
//	16   the snapshot's seq u64
//	24   SHA-256 of the whole block, or seal, before
//	56   seq up to which all was synced when the seal was written u64
//	64   SHA-256 of the snapshot: its last 32 bytes
//	96   zeros
//	120  CRC-32C of all of that u32 · zero u32
const (
	sealBytes  = 128
	sealSeqAt  = 16
	sealSumAt  = 64
	sealZeroAt = 96
	sealCRCAt  = 120
)

var sealMagic = [8]byte{'N', 'S', 'S', 'E', 'A', 'L', '0', '1'}

// seal is what one says: that the snapshot of a record has a sum.
type seal struct {
	seq uint64 // 0: it is a block, and no seal
	sum Hash
}

func appendSeal(dst []byte, prev Hash, synced, next uint64, s seal) []byte {
	start := len(dst)
	dst = append(dst, sealMagic[:]...)
	dst = little.AppendUint64(dst, next)
	dst = little.AppendUint64(dst, s.seq)
	dst = append(dst, prev[:]...)
	dst = little.AppendUint64(dst, synced)
	dst = append(dst, s.sum[:]...)
	dst = append(dst, make([]byte, sealCRCAt-sealZeroAt)...)
	dst = little.AppendUint32(dst, crc32.Checksum(dst[start:], castagnoli))
	return little.AppendUint32(dst, 0)
}

// parseSeal reads the seal at the begin of b; its results are parseBlock's.
func parseSeal(b []byte) (parsed block, size, need int64, fault string) {
	if len(b) < sealBytes {
		return parsed, 0, sealBytes, ""
	}
	b = b[:sealBytes]
	parsed = block{
		first: little.Uint64(b[blockFirstAt:]), prev: Hash(b[blockPrevAt:blockSyncAt]), synced: little.Uint64(b[blockSyncAt:]),
		hash: hashOf(b), seal: seal{seq: little.Uint64(b[sealSeqAt:]), sum: Hash(b[sealSumAt:sealZeroAt])},
	}
	switch {
	case crc32.Checksum(b[:sealCRCAt], castagnoli) != little.Uint32(b[sealCRCAt:]):
		return block{}, 0, 0, "the seal's checksum differs"
	case !allZero(b[sealZeroAt:sealCRCAt]) || !allZero(b[sealCRCAt+4:]):
		return block{}, 0, 0, "a reserved field is not zero"
	case parsed.seal.seq == 0 || parsed.seal.seq >= parsed.first || parsed.synced < parsed.seal.seq || parsed.synced >= parsed.first:
		return block{}, 0, 0, "a seal of what was not on disk"
	}
	return parsed, sealBytes, 0, ""
}

// seals are those that a walk has met, by the snapshots' seqs.
type seals map[uint64]Hash

// check compares a snapshot with its seal, if it has one.
func (s seals) check(of *Snapshot) (sealed bool, err error) {
	sum, sealed := s[of.Seq]
	if sealed && sum != of.Sum {
		return true, damage(of.Path, 0, of.Seq, "the snapshot is not the one that the journal names → remove it: an older one, or the records, are read instead")
	}
	return sealed, nil
}
