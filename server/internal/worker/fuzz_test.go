package worker

import (
	"io"
	"testing"
	"time"

	"tradechat.internal/libproto"
)

// FuzzWorker sends anything to a live worker, before and after LOGIN. Each connection must end in order, and the worker
// must go on serving another one.
//
// The first byte of the input chooses: raw bytes, or pieces of it as bodies of well-formed requests, so that the
// checksum does not keep everything out.
func FuzzWorker(f *testing.F) {
	for _, g := range goldenFrames(f) {
		f.Add(append([]byte{0}, g.bytes(f)...))
		f.Add(append([]byte{1}, g.bytes(f)[10:]...))
	}
	for i, op := range libproto.Opcodes() {
		if q := libproto.NewRequest(op); q != nil {
			body := q.AppendTo(nil)
			f.Add(append([]byte{1, byte(i), byte(len(body))}, body...))
		}
	}
	c := startCluster(f, nil)
	c.addUser("alice", 1000)
	c.addUser("witness", 0)
	witness := c.workers[0].enter(f, "witness")
	f.Fuzz(func(t *testing.T, input []byte) {
		if len(input) == 0 {
			return
		}
		input = wellFormed(input)
		fresh := dial(t, c.workers[0].addr)
		ready := c.workers[0].enter(t, "alice")
		for _, p := range []*peer{fresh, ready} {
			p.assault(input)
		}
		witness.t = t
		witness.call(libproto.OpBalance, libproto.Empty{})
	})
}

// wellFormed makes requests of an input that begins with an odd byte: opcode index, body length, body, and so on.
func wellFormed(input []byte) []byte {
	if input[0]%2 == 0 {
		return input[1:]
	}
	ops := libproto.Opcodes()
	var out []byte
	for rest := input[1:]; len(rest) >= 2; {
		op, n := ops[int(rest[0])%len(ops)], min(int(rest[1]), len(rest)-2)
		start := len(out)
		out = libproto.AppendHeader(out, libproto.Header{Op: op, ReqID: uint64(start)})
		out = append(out, rest[2:2+n]...)
		libproto.Seal(out[start:])
		rest = rest[2+n:]
	}
	return out
}

// assault writes the bytes, closes its side and reads whatever comes until the server closes as well.
func (p *peer) assault(b []byte) {
	p.t.Helper()
	_ = p.socket.SetDeadline(time.Now().Add(patience))
	_, _ = p.socket.Write(b)
	_ = p.socket.CloseWrite()
	if _, err := io.Copy(io.Discard, p.socket); isTimeout(err) {
		p.t.Error("the server neither answers nor closes")
	}
	_ = p.socket.Close()
}

func isTimeout(err error) bool {
	timeout, ok := err.(interface{ Timeout() bool })
	return ok && timeout.Timeout()
}
