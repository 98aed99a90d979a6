package client

import (
	"bytes"
	"testing"

	"tradechat.internal/libproto"
)

// FuzzFromServer feeds the reader whatever bytes, in whatever pieces: it must neither panic nor take a frame twice, and
// what the pieces are must not matter.
func FuzzFromServer(f *testing.F) {
	reply := libproto.AppendFrame(nil, libproto.Header{Op: libproto.OpBalance, ReqID: 1, Flags: libproto.FlagResponse}, libproto.BalanceResponse{Balance: 1})
	for _, op := range libproto.Opcodes() {
		if body := libproto.NewPush(op); body != nil {
			f.Add(libproto.AppendFrame(bytes.Clone(reply), libproto.Header{Op: op}, body), uint8(7))
		}
	}
	f.Add(append(bytes.Clone(reply), reply...), uint8(40))
	f.Fuzz(func(t *testing.T, stream []byte, piece uint8) {
		whole, wholeErr := intake(stream, len(stream)+1)
		parts, partsErr := intake(stream, int(piece)+1)
		if whole != parts || (wholeErr == nil) != (partsErr == nil) {
			t.Errorf("at once: %+v, %v; in pieces: %+v, %v", whole, wholeErr, parts, partsErr)
		}
	})
}

// taken counts what a stream held.
type taken struct{ pushes, answers int }

func intake(stream []byte, piece int) (got taken, err error) {
	c := &call{op: libproto.OpBalance, answer: make(chan answer, 1)}
	l := &link{pending: map[uint64]*call{1: c}, onPush: func(Push) { got.pushes++ }}
	l.receiveMax.Store(libproto.BodyLenMaxDefault)
	var have []byte
	for len(stream) > 0 && err == nil {
		n := min(piece, len(stream))
		have = append(have, stream[:n]...)
		stream = stream[n:]
		var used int
		used, err = l.consume(have)
		have = have[used:]
	}
	got.answers = len(c.answer)
	return got, err
}
