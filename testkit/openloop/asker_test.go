package openloop

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"tradechat.internal/libproto"
	"tradechat.internal/testkit/closedloop"
)

// serve answers the requests of a socket; answer says with what, in which order, and whether to go on.
func serve(t *testing.T, answer func(n int, f libproto.Frame) (frames []byte, more bool)) (fd int) {
	t.Helper()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	far := os.NewFile(uintptr(pair[1]), "server")
	server, err := net.FileConn(far) // a copy
	if err = errors.Join(err, far.Close()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	go func() {
		defer server.Close()
		decoder := libproto.Decoder{BodyLenMax: libproto.BodyLenMaxDefault}
		frame := make([]byte, libproto.HeaderLen+12) // a TRANSFER's
		for n := 0; ; n++ {
			if _, err := io.ReadFull(server, frame); err != nil {
				return
			}
			f, _, err := decoder.Next(frame)
			if err != nil {
				return
			}
			out, more := answer(n, f)
			if _, err := server.Write(out); err != nil || !more {
				return
			}
		}
	}()
	return pair[0]
}

func answerTo(reqID uint64, status libproto.Status) []byte {
	h := libproto.Header{Op: libproto.OpTransfer, ReqID: reqID, Flags: libproto.FlagResponse, Status: status}
	if status != libproto.StatusOK {
		return libproto.AppendFrame(nil, h, libproto.ErrorBody{})
	}
	return libproto.AppendFrame(nil, h, libproto.TxnResponse{})
}

func pay(dst []byte, reqID uint64) []byte {
	transfer := libproto.TransferRequest{ToUserID: 1, Amount: 1}
	return libproto.AppendFrame(dst, libproto.Header{Op: libproto.OpTransfer, ReqID: reqID}, transfer)
}

func run(t *testing.T, answer func(n int, f libproto.Frame) ([]byte, bool)) Result {
	t.Helper()
	return runOf(t, NewAsker(pay), answer)
}

func runOf(t *testing.T, exchange closedloop.Exchange, answer func(n int, f libproto.Frame) ([]byte, bool)) Result {
	t.Helper()
	loop, err := New([]closedloop.Peer{{FD: serve(t, answer), Exchange: exchange}})
	if err != nil {
		t.Fatal(err)
	}
	defer loop.Close()
	r, err := loop.Run(t.Context(), 1000, 100*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	if r.done() != 100 {
		t.Errorf("%d answers and %d failures of 100 requests", len(r.Latencies), r.Failed)
	}
	return r
}

// TestAnswersMayOvertake: each latency is that of its request; pushes in between are none.
func TestAnswersMayOvertake(t *testing.T) {
	push := libproto.AppendFrame(nil, libproto.Header{Op: libproto.OpGoingAway}, libproto.GoingAway{})
	testOvertaking(t, NewAsker(pay), push)
}

func TestTransfersMayOvertake(t *testing.T) { testOvertaking(t, closedloop.NewTransfer(1), nil) }

func testOvertaking(t *testing.T, exchange closedloop.Exchange, push []byte) {
	t.Helper()
	var kept uint64
	r := runOf(t, exchange, func(n int, f libproto.Frame) ([]byte, bool) {
		if n%2 == 0 {
			kept = f.ReqID
			return push, true
		}
		return append(answerTo(f.ReqID, libproto.StatusOK), answerTo(kept, libproto.StatusOK)...), true
	})
	if r.Failed != 0 || len(r.Latencies) != 100 || r.Failure != nil {
		t.Errorf("%d answers, %d failures: %v", len(r.Latencies), r.Failed, r.Failure)
	}
	// Requests are a millisecond apart: half of them waited for the next one.
	if least, most := r.Percentile(25), r.Percentile(90); most < least+500*time.Microsecond {
		t.Errorf("latencies from %v to %v", least, most)
	}
}

func TestRefusalsAreFailures(t *testing.T) {
	r := run(t, func(n int, f libproto.Frame) ([]byte, bool) {
		if n%10 == 3 {
			return answerTo(f.ReqID, libproto.StatusServerBusy), true
		}
		return answerTo(f.ReqID, libproto.StatusOK), true
	})
	if r.Failed != 10 || len(r.Latencies) != 90 || !errors.Is(r.Failure, closedloop.ErrAnswer) {
		t.Errorf("%d answers, %d failures: %v", len(r.Latencies), r.Failed, r.Failure)
	}
}

func TestALostConnectionFailsWhatWouldHaveBeenSent(t *testing.T) {
	r := run(t, func(n int, f libproto.Frame) ([]byte, bool) { return answerTo(f.ReqID, libproto.StatusOK), n < 39 })
	if r.Failed != 60 || len(r.Latencies) != 40 || !errors.Is(r.Failure, ErrLost) {
		t.Errorf("%d answers, %d failures: %v", len(r.Latencies), r.Failed, r.Failure)
	}
}

func TestAnAnswerToNothingIsAFailure(t *testing.T) {
	r := run(t, func(_ int, f libproto.Frame) ([]byte, bool) { return answerTo(f.ReqID+1000, libproto.StatusOK), true })
	if r.Failed != 100 || !errors.Is(r.Failure, closedloop.ErrAnswer) {
		t.Errorf("%d failures: %v", r.Failed, r.Failure)
	}
}
