package libproto

import (
	"testing"

	"pgregory.net/rapid"
)

// Sealing a frame, taking it off the stream and decoding its body allocate nothing, whatever the body is, as long as
// the buffer has room and the struct was used before.
func TestNoAllocations(t *testing.T) {
	forEveryBody(t, func(t *rapid.T, b aBody) {
		body, used := drawBody(t, b), b.new()
		buf := AppendFrame(nil, b.header, body)
		if err := used.Decode(buf[HeaderLen:]); err != nil {
			t.Fatal(err)
		}
		d := Decoder{BodyLenMax: BodyLenMaxDefault}
		allocs := testing.AllocsPerRun(2, func() {
			buf = AppendFrame(buf[:0], b.header, body)
			f, n, err := d.Next(buf)
			if err != nil || n != len(buf) || used.Decode(f.Body) != nil {
				t.Errorf("%d of %d bytes, %v", n, len(buf), err)
			}
		})
		if allocs != 0 {
			t.Errorf("%v allocations", allocs)
		}
	})
}

// The way that hot paths take: concrete types, one buffer for several frames.
func TestNoAllocationsByValue(t *testing.T) {
	buf := make([]byte, 0, 4096)
	message, name := make([]byte, 200), []byte("alice")
	allocs := testing.AllocsPerRun(100, func() {
		buf = AppendHeader(buf[:0], Header{Op: OpTransfer, Flags: FlagResponse, ReqID: 1})
		buf = TransferResponse{Balance: 1, TxnID: 2}.AppendTo(buf)
		Seal(buf)
		start := len(buf)
		buf = AppendHeader(buf, Header{Op: OpChatBroadcast})
		buf = ChatBroadcast{RoomID: 1, FromName: name, Message: message}.AppendTo(buf)
		Seal(buf[start:])
		start = len(buf)
		buf = AppendHeader(buf, Header{Op: OpLogin, Flags: FlagResponse})
		buf = LoginResponse{UserID: 1}.AppendTo(buf)
		Seal(buf[start:])
	})
	if allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

// Faults are found without allocating too: a peer that sends only rubbish makes no garbage.
func TestNoAllocationsForFaults(t *testing.T) {
	broken := deposit(1)
	broken[HeaderLen] ^= 1
	d := Decoder{BodyLenMax: 8}
	var body ChatSendRequest
	notText := ChatSendRequest{RoomID: 1, Message: []byte{0xFF}}.AppendTo(nil)
	allocs := testing.AllocsPerRun(100, func() {
		_, _, checksumErr := d.Next(broken)
		_, _, headerErr := d.Next(broken[1:])
		if checksumErr != ErrChecksum || headerErr != ErrMagic || body.Decode(notText) != ErrUTF8 || body.Decode(nil) != ErrShortBody {
			t.Error("a fault was missed")
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}
