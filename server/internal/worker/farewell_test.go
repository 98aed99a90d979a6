package worker

import (
	"errors"
	"io"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"tradechat.internal/libproto"
	"tradechat.internal/server/internal/config"
	"tradechat.internal/shmstore"
)

// socketSock is a fakeSock that has a descriptor.
type socketSock struct {
	*fakeSock
	fd int
}

func (s socketSock) Fd() int { return s.fd }

// TestAFarewellIsCountedOnce: an answer may become durable in the very turn in which the client is found to have closed its side.
// The connection is counted down once then too, or --max-connections would let one more in each time.
func TestAFarewellIsCountedOnce(t *testing.T) {
	s, j, socks := parkedStage(t, "alice", "bert")
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	must(t, err)
	defer unix.Close(pair[0])
	socks[0].turn(depositFrame(10))
	j.sync()
	s.w.OnClose(socketSock{socks[0], pair[1]}, io.EOF)
	must(t, unix.Close(pair[1]))
	answer := make([]byte, 256)
	if n, err := unix.Read(pair[0], answer); err != nil || n == 0 {
		t.Errorf("the answer: %d bytes, %v", n, err)
	}
	if n, err := unix.Read(pair[0], answer); err != nil || n != 0 {
		t.Errorf("behind the answer: %d bytes, %v", n, err)
	}
	if open := s.w.gate.open.Load(); open != 1 || len(s.w.farewells) != 0 {
		t.Errorf("%d connections are counted as open, beside %d farewells; only bert's is", open, len(s.w.farewells))
	}
}

// TestHalfClosedAndSlowGetsItsAnswers: a client that says no more, and takes its answers later than its socket holds them, gets them all.
func TestHalfClosedAndSlowGetsItsAnswers(t *testing.T) {
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
	before := c.metrics(0).Counters[shmstore.CounterRequests]
	p.write(batch)
	must(t, p.socket.CloseWrite())
	for c.metrics(0).Counters[shmstore.CounterRequests] == before { // it has begun to answer, and then waits for the client
		runtime.Gosched()
	}
	for i := range uint64(asked) {
		var history libproto.TxnHistoryResponse
		f, err := p.next()
		if err != nil {
			t.Fatalf("answer %d of %d: %v", i, asked, err)
		}
		if f.ReqID != first+i {
			t.Fatalf("answer %d is to %d", i, f.ReqID)
		}
		decode(t, f, &history)
	}
	if _, err := p.next(); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %v", err)
	}
}
