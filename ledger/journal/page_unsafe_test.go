package journal

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"unsafe"

	"tradechat.internal/ledger"
)

// TestThePageIsTheCode holds docs/journal.md against the constants: each row must be there, with its offset and size.
func TestThePageIsTheCode(t *testing.T) {
	text, err := os.ReadFile("../../docs/journal.md")
	must(t, err)
	page := string(text)
	var r ledger.Record
	for _, row := range []string{
		fmt.Sprintf("| 0 | 8 | magic `%s` |", fileMagic[:]), fmt.Sprintf("| 0 | 8 | magic `%s` |", blockMagic[:]),
		fmt.Sprintf("| 0 | 8 | magic `%s` |", snapshotMagic[:]), fmt.Sprintf("| 0 | 8 | magic `%s` |", markMagic[:]),
		fmt.Sprintf("| 8 | 4 | version, %d |\n| 12 | 4 | length of this header, %d |", fileVersion, fileHeaderBytes),
		fmt.Sprintf("| %d | 16 | the journal's id, random", fileIDAt), fmt.Sprintf("| %d | 8 | first record |\n| %d | 32 | hash of the last block", fileFirstAt, filePrevAt),
		fmt.Sprintf("| %d | 8 | when it was made", fileMadeAt), fmt.Sprintf("| %d | %d | zeros |", fileZeroAt, fileCRCAt-fileZeroAt),
		fmt.Sprintf("| %d | 4 | checksum of bytes 0–%d |\n| %d | | blocks", fileCRCAt, fileCRCAt-1, fileHeaderBytes),
		fmt.Sprintf("| %d | 8 | first record |\n| %d | 4 | number of records, 1 … %d |", blockFirstAt, blockCountAt, BlockRecordsMax),
		fmt.Sprintf("| %d | 32 | hash of the whole block before", blockPrevAt), fmt.Sprintf("| %d | 8 | record up to which all was on disk when the block was written; 0: none |\n| %d | %d × n | records |", blockSyncAt, blockHeaderBytes, recordBytes),
		fmt.Sprintf("| 0 | 8 | magic `%s` |", sealMagic[:]), fmt.Sprintf("| %d | 8 | record that the snapshot stands for", sealSeqAt),
		fmt.Sprintf("| %d | 32 | the snapshot's last 32 bytes", sealSumAt), fmt.Sprintf("| %d | %d | zeros |\n| %d | 4 | checksum of bytes 0–%d |",
			sealZeroAt, sealCRCAt-sealZeroAt, sealCRCAt, sealCRCAt-1),
		fmt.Sprintf("| %d | 16 | realm", fileRealmAt), fmt.Sprintf("| %d | 4 | PBKDF2 iterations", fileKDFAt),
		fmt.Sprintf("| %d | 8 | record that it stands for", snapshotSeqAt), fmt.Sprintf("| %d | 32 | hash of that block", snapshotHashAt),
		fmt.Sprintf("| %d | 8 | time of that record |\n| 80 | 8 | sum", snapshotTimeAt), fmt.Sprintf("| %d | 8 | number of users |", snapshotUsersAt),
		fmt.Sprintf("| %d | %d × users |", snapshotHeaderBytes, snapshotUserBytes), fmt.Sprintf("| | %d × rooms |", snapshotRoomBytes),
		fmt.Sprintf("| %d | 8 | amount", unsafe.Offsetof(r.Amount)), fmt.Sprintf("| %d | 8 | session id", unsafe.Offsetof(r.SessionID)),
		fmt.Sprintf("| %d | 8 | req_id", unsafe.Offsetof(r.ReqID)), fmt.Sprintf("| %d | 4 | flags", unsafe.Offsetof(r.Flags)),
		fmt.Sprintf("| %d | 8 | the log's head when the batch", unsafe.Offsetof(r.BatchHead)), fmt.Sprintf("kinds %d deposit, %d withdrawal, %d transfer) | name (%d user, %d user's keys, %d room)",
			ledger.KindDeposit, ledger.KindWithdraw, ledger.KindTransfer, ledger.KindUserCreate, ledger.KindUserKeys, ledger.KindRoomCreate),
	} {
		if !strings.Contains(page, row) {
			t.Errorf("docs/journal.md lacks %q", row)
		}
	}
}
