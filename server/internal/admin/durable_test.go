package admin

import (
	"testing"
	"time"

	"tradechat.internal/libproto"
	"tradechat.internal/shmstore"
)

// newSyncBench is a bench whose answers wait for a journal, which is the test.
func newSyncBench(t *testing.T) (b *bench, journal *shmstore.Store) {
	t.Helper()
	b = makeBench(t, true)
	journal, err := b.segment.Bind(b.segment.Shape().LogWriterSlot(), func(int) {})
	check(t, err)
	b.segment.UseJournal(b.segment.Head())
	return b, journal
}

// await polls until the log has so many records.
func (b *bench) await(t *testing.T, records uint64) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); b.segment.Head() < records; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d records", b.segment.Head())
		}
	}
}

// TestAnswersWaitForTheDisk, and hold nobody up meanwhile.
func TestAnswersWaitForTheDisk(t *testing.T) {
	b, journal := newSyncBench(t)
	c, other := b.dial(t), b.dial(t)
	c.send(sealed(libproto.OpUserAdd, 1, userAdd("ann", 500)))
	b.await(t, 2)
	journal.PublishDurable(1)
	other.send(sealed(libproto.OpServerStats, 1, libproto.Empty{}))
	other.expect(libproto.OpServerStats, 1, libproto.StatusOK)
	c.send(sealed(libproto.OpServerStats, 2, libproto.Empty{})) // would be answered at once
	journal.PublishDurable(2)
	c.expect(libproto.OpUserAdd, 1, libproto.StatusOK)
	c.expect(libproto.OpServerStats, 2, libproto.StatusOK)
	c.send(sealed(libproto.OpUserSetKeys, 3, libproto.UserSetKeysRequest{Username: []byte("ann")}))
	b.await(t, 3)
	journal.PublishDurable(3)
	c.expect(libproto.OpUserSetKeys, 3, libproto.StatusOK)
}

// TestTheJournalFails: what was done is ERR_TIMEOUT, what comes later ERR_READ_ONLY.
func TestTheJournalFails(t *testing.T) {
	b, journal := newSyncBench(t)
	c := b.dial(t)
	c.send(sealed(libproto.OpUserAdd, 1, userAdd("ann", 500)))
	b.await(t, 2)
	journal.FailJournal("a test")
	if frame := c.expect(libproto.OpUserAdd, 1, libproto.StatusTimeout); detail(frame) == "" {
		t.Error("ERR_TIMEOUT without a word of explanation")
	}
	c.send(sealed(libproto.OpUserAdd, 2, userAdd("bob", 0)))
	c.expect(libproto.OpUserAdd, 2, libproto.StatusReadOnly)
	c.send(sealed(libproto.OpUserSetKeys, 3, libproto.UserSetKeysRequest{Username: []byte("ann")}))
	c.expect(libproto.OpUserSetKeys, 3, libproto.StatusReadOnly)
	c.send(sealed(libproto.OpServerStats, 4, libproto.Empty{}))
	c.expect(libproto.OpServerStats, 4, libproto.StatusOK)
}

// TestCloseDoesNotWaitForTheDisk as long as an answer would.
func TestCloseDoesNotWaitForTheDisk(t *testing.T) {
	b, _ := newSyncBench(t)
	b.dial(t).send(sealed(libproto.OpUserAdd, 1, userAdd("ann", 0)))
	b.await(t, 1)
	began := time.Now()
	b.server.Close()
	if took := time.Since(began); took > durableMax/2 {
		t.Errorf("%v", took)
	}
}
