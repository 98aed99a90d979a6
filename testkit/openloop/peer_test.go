package openloop

import (
	"errors"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"tradechat.internal/libproto"
	"tradechat.internal/testkit/closedloop"
)

// An answer that came before the end counts, even if a request was written behind the end before the answer was read.
func TestAnswersBeforeTheEndCount(t *testing.T) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	p := newPeer(closedloop.Peer{FD: pair[0], Exchange: NewAsker(pay)})
	defer p.close()
	var r Result
	ask := func() { p.expect(0); p.send(&r) }
	ask()
	_, err = unix.Write(pair[1], answerTo(1, libproto.StatusOK))
	if err := errors.Join(err, unix.Close(pair[1])); err != nil {
		t.Fatal(err)
	}
	ask()
	for !p.lost() {
		p.receive(time.Now(), &r)
	}
	if len(r.Latencies) != 1 || r.Failed != 1 || !errors.Is(r.Failure, ErrLost) {
		t.Errorf("%d answers, %d failures: %v", len(r.Latencies), r.Failed, r.Failure)
	}
}
