package shmstore

import (
	"errors"
	"testing"

	"tradechat.internal/ledger"
)

// TestTheRingKeepsWhatIsNotDurable: a record that the journal has not taken is not overwritten, however long that lasts; a
// full ring can be read to its end, by a journal that goes on and by a start that compares it with disk.
func TestTheRingKeepsWhatIsNotDurable(t *testing.T) {
	shape := smallShape()
	shape.LogRecords = logRecordsMin
	st := newStore(t, shape)
	user := addUser(t, st, "alice")
	durable := st.seg.Head()
	st.seg.UseJournal(durable)
	for _, taken := range []uint64{0, 1, 7, logRecordsMin / 2} {
		durable += taken
		st.PublishDurable(durable)
		var err error
		for err == nil && st.seg.Head() < durable+2*logRecordsMin {
			_, err = st.DepositTo(user, 1)
		}
		if !errors.Is(err, ErrBusy) || st.seg.Head() != durable+logRecordsMin-recordsPerCommitMax {
			t.Fatalf("%v with records %d … %d to be written", err, durable+1, st.seg.Head())
		}
		var group [2 * logRecordsMin]ledger.Record
		n, err := st.seg.ReadLog(durable, group[:])
		if err != nil || uint64(n) != st.seg.Head()-durable {
			t.Fatalf("%d records, %v", n, err)
		}
		for i := range group[:n] {
			if group[i].Seq != durable+1+uint64(i) {
				t.Fatalf("record %d lies where %d is to be", group[i].Seq, durable+1+uint64(i))
			}
		}
	}
	mustVerify(t, st.seg)
	if err := st.seg.Continues(durable); err != nil {
		t.Error(err)
	}
}
