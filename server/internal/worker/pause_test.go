package worker

import (
	"errors"
	"io"
	"runtime"
	"testing"
	"time"

	"tradechat.internal/libproto"
	"tradechat.internal/server/internal/config"
	"tradechat.internal/shmstore"
)

// TestAReaderIsNeverCutOff: a client that pipelines requests whose answers are a hundred times as long gets them all, though neither its
// socket nor --max-outbound holds them.
func TestAReaderIsNeverCutOff(t *testing.T) {
	const txns, asked = 600, 1024
	c := newCluster(t, func(s *config.Config) { s.OutboundBytesMax = 128 << 10 })
	c.start()
	user := c.addUser("alice", 0)
	for range txns {
		_, err := c.master.DepositTo(user, 1)
		must(t, err)
	}
	p := c.workers[0].enter(t, "alice")
	first := p.reqID + 1
	var batch []byte
	for range asked {
		batch = append(batch, p.request(libproto.OpTxnHistory, libproto.TxnHistoryRequest{RowsMax: 512})...)
	}
	written := make(chan error, 1)
	go func() {
		_, err := p.socket.Write(batch)
		written <- err
	}()
	for i := range uint64(asked) {
		var history libproto.TxnHistoryResponse
		decode(t, p.answered(libproto.OpTxnHistory, first+i), &history)
		if len(history.Txns) != 512 {
			t.Fatalf("answer %d has %d rows", i, len(history.Txns))
		}
	}
	must(t, <-written)
	if n := c.metrics(0).Counters[shmstore.CounterSlowConsumers]; n != 0 {
		t.Errorf("%d slow consumers counted", n)
	}
	p.call(libproto.OpBalance, libproto.Empty{})
}

// TestOneWhoDoesNotReadIsNotReadFrom: what it sends stays in the sockets, however much that is.
func TestOneWhoDoesNotReadIsNotReadFrom(t *testing.T) {
	const much = 64 << 20
	c := slowCluster(t, func(w *Worker) { w.stallMax = ticks(time.Second) })
	c.addUser("alice", 0)
	p := c.workers[0].enter(t, "alice")
	var batch []byte
	for len(batch) < 1<<20 {
		batch = append(batch, p.request(libproto.OpRoomList, libproto.RoomListRequest{RowsMax: 512})...)
	}
	written := make(chan int, 1)
	go func() {
		sum := 0
		for sum < much {
			n, err := p.socket.Write(batch)
			if sum += n; err != nil {
				break
			}
		}
		written <- sum
	}()
	c.awaitCounter(0, shmstore.CounterSlowConsumers, 1)
	must(t, p.socket.Close())
	if n := <-written; n >= much/2 {
		t.Errorf("%d bytes were taken from a client that reads nothing", n)
	}
	if in := c.metrics(0).Counters[shmstore.CounterBytesIn]; in > 2<<20 {
		t.Errorf("%d bytes of requests were answered", in)
	}
}

// TestHalfClosedGetsItsAnswers: a client that says no more is answered what it has asked, also what waits for the disk.
func TestHalfClosedGetsItsAnswers(t *testing.T) {
	for _, durability := range []string{config.DurabilityNone, config.DurabilityAsync, config.DurabilitySync} {
		t.Run(durability, func(t *testing.T) {
			c := newCluster(t, func(s *config.Config) { s.Durability = durability })
			c.addUser("alice", 0)
			j := c.openJournal()
			c.start()
			const asked = 10
			p := c.workers[0].enter(t, "alice")
			first := p.reqID + 1
			var batch []byte
			for range asked {
				batch = append(batch, p.request(libproto.OpDeposit, libproto.DepositRequest{Amount: 1})...)
			}
			p.write(batch)
			must(t, p.socket.CloseWrite())
			for j.behind() < asked {
				runtime.Gosched()
			}
			c.awaitCounter(0, shmstore.CounterConnectionsClosed, 1) // gnet has let go of it
			j.sync()
			for i := range uint64(asked) {
				p.answered(libproto.OpDeposit, first+i)
			}
			if _, err := p.next(); !errors.Is(err, io.EOF) {
				t.Errorf("at the end: %v", err)
			}
			for c.workers[0].gate.open.Load() != 0 { // until then it is counted as open
				runtime.Gosched()
			}
		})
	}
}

func TestThePollerIsTheOneWithTheMember(t *testing.T) {
	const info = "pos:\t0\nflags:\t02\ntfd:       15 events:       19 data:               f  pos:0 ino:1 sdev:f\ntfd:        5 events: 1\n"
	for fd, want := range map[int]bool{15: true, 5: true, 1: false, 19: false} {
		if got := hasMember(info, fd); got != want {
			t.Errorf("member %d: %v", fd, got)
		}
	}
	if _, err := findPoller(1 << 20); !errors.Is(err, errNoPoller) {
		t.Errorf("%v", err)
	}
}
