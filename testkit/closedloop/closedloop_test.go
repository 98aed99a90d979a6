package closedloop

import (
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"tradechat.internal/libproto"
)

// server answers TRANSFERs on a real socket, each with what answer makes of it; it hangs up at nil.
type server struct {
	listener net.Listener
	requests atomic.Uint64
}

func serve(t *testing.T, answer func(dst []byte, request libproto.Frame) []byte) *server {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	s := &server{listener: listener}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go s.converse(conn, answer)
		}
	}()
	return s
}

func (s *server) converse(conn net.Conn, answer func([]byte, libproto.Frame) []byte) {
	defer conn.Close()
	decoder := libproto.Decoder{BodyLenMax: libproto.BodyLenMaxDefault}
	in, out := make([]byte, RequestLen), make([]byte, 0, ResponseLen)
	for {
		if _, err := io.ReadFull(conn, in); err != nil {
			return
		}
		frame, _, err := decoder.Next(in)
		if err != nil || frame.Op != libproto.OpTransfer {
			return
		}
		s.requests.Add(1)
		if out = answer(out[:0], frame); out == nil {
			return
		}
		if _, err := conn.Write(out); err != nil {
			return
		}
	}
}

func right(dst []byte, request libproto.Frame) []byte {
	dst = libproto.AppendHeader(dst, libproto.Header{Op: request.Op, ReqID: request.ReqID, Flags: libproto.FlagResponse})
	dst = libproto.TransferResponse{Balance: 7, TxnID: request.ReqID}.AppendTo(dst)
	libproto.Seal(dst)
	return dst
}

func (s *server) loop(t *testing.T, connections, depth int) *Loop {
	t.Helper()
	var peers []Peer
	for range connections {
		conn, err := net.Dial("tcp4", s.listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		file, err := conn.(*net.TCPConn).File()
		if err != nil {
			t.Fatal(err)
		}
		fd, err := unix.FcntlInt(file.Fd(), unix.F_DUPFD_CLOEXEC, 0)
		if err := errors.Join(err, file.Close(), conn.Close()); err != nil {
			t.Fatal(err)
		}
		peers = append(peers, Peer{FD: fd, Exchange: NewTransfer(9)})
	}
	l, err := New(peers, depth)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

func TestFrameLengths(t *testing.T) {
	if RequestLen != 44 || ResponseLen != 48 {
		t.Errorf("a TRANSFER has %d bytes and its answer %d; the protocol says 44 and 48", RequestLen, ResponseLen)
	}
}

func TestRunCountsWhatTheServerGot(t *testing.T) {
	for _, depth := range []int{1, 16} {
		s := serve(t, right)
		l := s.loop(t, 3, depth)
		var sent uint64
		for range 2 { // the second begins where the first has left nothing under way
			r, err := l.Run(t.Context(), 20*time.Millisecond)
			if err != nil {
				t.Fatal(err)
			}
			if r.Requests < uint64(3*depth) || r.Elapsed < 20*time.Millisecond || r.PerSecond() <= 0 {
				t.Errorf("depth %d: %+v", depth, r)
			}
			sent += r.Requests
		}
		if got := s.requests.Load(); got != sent {
			t.Errorf("depth %d: %d requests counted, the server got %d", depth, sent, got)
		}
	}
}

// TestAnswersInAnotherOrder: pairs of answers change places.
func TestAnswersInAnotherOrder(t *testing.T) {
	var held []byte
	s := serve(t, func(dst []byte, f libproto.Frame) []byte {
		if f.ReqID%2 == 1 {
			held = right(held[:0], f)
			return dst
		}
		return append(right(dst, f), held...)
	})
	if r, err := s.loop(t, 1, 4).Run(t.Context(), 20*time.Millisecond); err != nil || r.Requests < 4 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestAnAnswerThatComesTwice(t *testing.T) {
	s := serve(t, func(dst []byte, f libproto.Frame) []byte {
		f.ReqID = 1
		return right(dst, f)
	})
	if _, err := s.loop(t, 1, 2).Run(t.Context(), time.Minute); !errors.Is(err, ErrAnswer) {
		t.Errorf("%v", err)
	}
}

func TestWrongAnswersAreFound(t *testing.T) {
	for name, answer := range map[string]func([]byte, libproto.Frame) []byte{
		"an error": func(dst []byte, f libproto.Frame) []byte {
			return libproto.AppendFrame(dst, libproto.Header{Op: f.Op, ReqID: f.ReqID, Status: libproto.StatusInsufficientFunds,
				Flags: libproto.FlagResponse}, libproto.ErrorBody{Detail: []byte("poor")})
		},
		"another request's": func(dst []byte, f libproto.Frame) []byte {
			f.ReqID++
			return right(dst, f)
		},
		"another opcode's": func(dst []byte, f libproto.Frame) []byte {
			f.Op = libproto.OpDeposit
			return right(dst, f)
		},
	} {
		_, err := serve(t, answer).loop(t, 1, 1).Run(t.Context(), time.Minute)
		if !errors.Is(err, ErrAnswer) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAServerThatHangsUp(t *testing.T) {
	s := serve(t, func([]byte, libproto.Frame) []byte { return nil })
	if _, err := s.loop(t, 2, 1).Run(t.Context(), time.Minute); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%v", err)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	r, err := serve(t, right).loop(t, 2, 1).Run(ctx, time.Hour)
	if !errors.Is(err, context.DeadlineExceeded) || r.Requests == 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestDepthIsBounded(t *testing.T) {
	for _, depth := range []int{-1, 0, DepthMax + 1} {
		if _, err := New(nil, depth); !errors.Is(err, ErrDepth) {
			t.Errorf("depth %d: %v", depth, err)
		}
	}
}

// What the loop does to the garbage collector it would do to the figures.
func TestRunAllocatesNothing(t *testing.T) {
	l := serve(t, right).loop(t, 2, 1)
	if _, err := l.Run(t.Context(), 10*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r, err := l.Run(t.Context(), 200*time.Millisecond)
	runtime.ReadMemStats(&after)
	if err != nil {
		t.Fatal(err)
	}
	// The runtime, the testing package and the server's goroutines share the count; what each request allocates would
	// exceed all of theirs.
	if allocs := after.Mallocs - before.Mallocs; allocs > 500+r.Requests/10 {
		t.Errorf("%d allocations in %d requests", allocs, r.Requests)
	}
}
