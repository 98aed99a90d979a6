package worker

import (
	"errors"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"tradechat.internal/libnet"
	"tradechat.internal/shmstore"
)

// journal is the test in the journal's place: records become durable when it says so.
type journal struct {
	*cluster
	store *shmstore.Store
}

// openJournal has answers wait from now on. What is in the log already is durable.
func (c *cluster) openJournal() *journal {
	c.t.Helper()
	store, err := c.segment.Bind(c.segment.Shape().LogWriterSlot(), func(slot int) { _ = libnet.EventFD(c.events[slot]).Signal() })
	must(c.t, err)
	c.segment.UseJournal(c.segment.Head())
	return &journal{cluster: c, store: store}
}

// sync makes everything durable that is in the log.
func (j *journal) sync() { j.store.PublishDurable(j.segment.Head()) }

// step makes the next n records durable.
func (j *journal) step(n uint64) { j.store.PublishDurable(j.segment.Durable() + n) }

// follow makes records durable as they come, until the test ends, without a disk.
func (j *journal) follow() {
	var following sync.WaitGroup
	var stop atomic.Bool
	following.Go(func() {
		for !stop.Load() {
			durable := j.segment.Durable()
			if head := j.segment.Head(); head != durable {
				j.store.PublishDurable(head)
			} else {
				j.store.AwaitRecords(durable, tickInterval)
			}
		}
	})
	j.t.Cleanup(func() {
		stop.Store(true)
		following.Wait()
	})
}

// behind is how many records are not durable.
func (j *journal) behind() uint64 { return j.segment.Head() - j.segment.Durable() }

// woken reports whether a slot's eventfd was written since the last time.
func (c *cluster) woken(slot int) bool {
	c.t.Helper()
	var count [8]byte
	_, err := unix.Read(c.events[slot], count[:])
	if err != nil && !errors.Is(err, unix.EAGAIN) {
		c.t.Fatal(err)
	}
	return err == nil
}
