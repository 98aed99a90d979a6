package logwriter

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"tradechat.internal/ledger"
	disk "tradechat.internal/ledger/journal"
	"tradechat.internal/liblog"
	"tradechat.internal/server/internal/config"
	"tradechat.internal/server/internal/datafolder"
	"tradechat.internal/server/internal/heritage"
	"tradechat.internal/shmstore"
)

var errDisk = errors.New("the disk fails")

// onlooker is the writer of a process, watched: looks are called before and after each of its steps. failing says which
// step fails instead.
type onlooker struct {
	*disk.Writer
	look    func(step string)
	failing string
}

func (o *onlooker) do(step string, do func() error) error {
	o.look("before " + step)
	if step == o.failing {
		return errDisk
	}
	err := do()
	o.look("after " + step)
	return err
}

func (o *onlooker) Append(records []ledger.Record) error {
	return o.do("append", func() error { return o.Writer.Append(records) })
}

func (o *onlooker) Sync() error { return o.do("sync", o.Writer.Sync) }

// desk is a log writer on a segment and a folder of its own, in this process.
type desk struct {
	*process
	watched *onlooker
	master  *shmstore.Store
}

func newDesk(t *testing.T, durability string) *desk {
	t.Helper()
	shape := shmstore.DefaultShape()
	shape.UsersMax, shape.SessionsMax, shape.RoomsMax, shape.LogRecords = 64, 64, 4, 1<<10
	segment, err := shmstore.Create(fmt.Sprintf("tradechat-test-journal-%d-%x", os.Getpid(), t.Name()), shape, shmstore.Origin{Realm: [16]byte{1}, Folder: t.Name()})
	must(t, err)
	t.Cleanup(func() { _ = errors.Join(segment.Unlink(), segment.Close()) })
	master, err := segment.Bind(shape.MasterSlot(), func(int) {})
	must(t, err)
	store, err := segment.Bind(shape.MasterSlot()+1, func(int) {})
	must(t, err)
	folder := filepath.Join(t.TempDir(), "journal")
	found, err := disk.Recover(folder, disk.RecoverOptions{})
	must(t, err)
	w, err := disk.NewWriter(folder, found, disk.WriterOptions{})
	must(t, err)
	t.Cleanup(func() { _ = w.Close() })
	segment.UseJournal(0)
	settings := config.Defaults()
	settings.Data = filepath.Dir(folder)
	settings.Durability = durability
	d := &desk{watched: &onlooker{Writer: w, look: func(string) {}}, master: master}
	d.process = &process{
		heritage: heritage.Heritage{Config: settings}, segment: segment, store: store,
		log:    liblog.New(liblog.Options{Writer: t.Output(), Format: liblog.FormatJSON}),
		writer: d.watched, group: make([]ledger.Record, disk.BlockRecordsMax),
	}
	return d
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// commit adds records to the log.
func (d *desk) commit(t *testing.T) {
	t.Helper()
	user, err := d.master.CreateUser(fmt.Appendf(nil, "user%d", d.segment.UserCount()), [32]byte{1}, [32]byte{2})
	must(t, err)
	_, err = d.master.DepositTo(user, 5)
	must(t, err)
}

// TestNothingIsPublishedBeforeItIsOnDisk: while a group is being written, and until what the mode promises is done, durable is
// what it was.
func TestNothingIsPublishedBeforeItIsOnDisk(t *testing.T) {
	for mode, last := range map[string]string{
		config.DurabilitySync: "after sync", config.DurabilityAsync: "after sync", config.DurabilityNone: "after append",
	} {
		t.Run(mode, func(t *testing.T) {
			d := newDesk(t, mode)
			for range 3 {
				before, seen := d.segment.Durable(), ""
				d.watched.look = func(step string) {
					seen = step
					if now := d.segment.Durable(); now != before {
						t.Errorf("%s: records up to %d are published, %d were before", step, now, before)
					}
				}
				d.commit(t)
				d.syncedAt = time.Time{} // for async: a sync is due
				_, err := d.step()
				must(t, err)
				if seen != last || d.segment.Durable() != d.segment.Head() {
					t.Errorf("the last step was %q; records up to %d of %d are published", seen, d.segment.Durable(), d.segment.Head())
				}
			}
		})
	}
}

// TestWhatFailsIsNotPublished: the step that fails is the last, and the server is read-only.
func TestWhatFailsIsNotPublished(t *testing.T) {
	for _, step := range []string{"append", "sync"} {
		t.Run(step, func(t *testing.T) {
			d := newDesk(t, config.DurabilitySync)
			d.commit(t)
			_, err := d.step()
			must(t, err)
			durable := d.segment.Durable()
			d.commit(t)
			d.watched.failing = step
			if _, err = d.step(); !errors.Is(err, errDisk) {
				t.Fatal(err)
			}
			d.fail(err)
			if d.segment.Durable() != durable || !d.segment.ReadOnly() {
				t.Errorf("records up to %d are published, %d were before; read-only %v", d.segment.Durable(), durable, d.segment.ReadOnly())
			}
			if _, err := d.master.DepositTo(1, 1); !errors.Is(err, shmstore.ErrReadOnly) {
				t.Errorf("a deposit after the failure: %v", err)
			}
		})
	}
}

// TestACleanStopReadsBack: a journal that was damaged under the server does not let the segment go.
func TestACleanStopReadsBack(t *testing.T) {
	for _, damaged := range []bool{false, true} {
		t.Run(fmt.Sprint("damaged ", damaged), func(t *testing.T) {
			d := newDesk(t, config.DurabilitySync)
			group := func() {
				d.commit(t)
				_, err := d.step()
				must(t, err)
			}
			group()
			if damaged {
				path := filepath.Join(datafolder.JournalFolder(d.heritage.Config.Data), "00000000000000000001.jnl")
				b, err := os.ReadFile(path)
				must(t, err)
				b[300] ^= 1
				file, err := os.OpenFile(path, os.O_WRONLY, 0)
				must(t, err)
				_, err = file.WriteAt(b[300:301], 300)
				must(t, errors.Join(err, file.Close()))
			}
			group()
			err := d.close(d.endScrub())
			state, failure := d.segment.JournalState()
			if errors.Is(err, disk.ErrDamaged) != damaged || (state == shmstore.JournalFailed) != damaged {
				t.Errorf("%v; the journal is %v: %s", err, state, failure)
			}
			if d.segment.Durable() != d.segment.Head() {
				t.Errorf("durable %d, head %d", d.segment.Durable(), d.segment.Head())
			}
		})
	}
}

func (o *onlooker) ReadBack(tail int) error {
	return o.do("read back", func() error { return o.Writer.ReadBack(tail) })
}

// TestTheHeartBeatsWhileItEnds: the last snapshot and what is read back of it may take longer than the master's patience with a heart
// that stands still.
func TestTheHeartBeatsWhileItEnds(t *testing.T) {
	d := newDesk(t, config.DurabilitySync)
	d.commit(t)
	_, err := d.step()
	must(t, err)
	slot, beats := d.segment.Shape().MasterSlot()+1, 0
	d.watched.look = func(step string) {
		if step != "before read back" {
			return
		}
		for deadline, age := time.Now().Add(30*beatEvery), time.Duration(0); beats < 2 && time.Now().Before(deadline); {
			now := d.segment.SlotInfo(slot).HeartAge
			if now < age {
				beats++
			}
			age = now
		}
	}
	must(t, d.close(d.endScrub()))
	if beats < 2 {
		t.Errorf("the heart has beaten %d times in %v", beats, 30*beatEvery)
	}
}
