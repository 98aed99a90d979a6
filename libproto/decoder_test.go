package libproto

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// deposit returns a whole valid frame of HeaderLen+8 bytes.
func deposit(reqID uint64) []byte {
	return AppendFrame(nil, Header{Op: OpDeposit, ReqID: reqID}, DepositRequest{Amount: 100})
}

func TestNextTakesFramesInOrder(t *testing.T) {
	var stream []byte
	for id := range uint64(3) {
		stream = append(stream, deposit(id)...)
	}
	d := Decoder{BodyLenMax: 8}
	for id := range uint64(3) {
		f, n, err := d.Next(stream)
		if err != nil || n != HeaderLen+8 || f.ReqID != id || f.Op != OpDeposit || f.BodyLen != 8 {
			t.Fatalf("frame %d: %+v, %d, %v", id, f, n, err)
		}
		stream = stream[n:]
	}
	if f, n, err := d.Next(stream); n != 0 || err != nil || f.Body != nil {
		t.Errorf("at the end: %+v, %d, %v", f, n, err)
	}
}

func TestNextWaitsForTheWholeFrame(t *testing.T) {
	frame := deposit(1)
	d := Decoder{BodyLenMax: 8}
	for have := range frame {
		bodyLen := uint32(0)
		if have >= HeaderLen {
			bodyLen = 8
		}
		if f, n, err := d.Next(frame[:have:have]); n != 0 || err != nil || f.Body != nil || f.BodyLen != bodyLen {
			t.Fatalf("%d bytes: %+v, %d, %v", have, f, n, err)
		}
	}
}

// The body is the buffer's own memory, and appending to it does not write over the next frame.
func TestNextAliasesWithoutRoom(t *testing.T) {
	stream := append(deposit(1), deposit(2)...)
	f, n, err := (&Decoder{BodyLenMax: 8}).Next(stream)
	if err != nil {
		t.Fatal(err)
	}
	if &f.Body[0] != &stream[HeaderLen] || cap(f.Body) != len(f.Body) {
		t.Errorf("cap %d, len %d", cap(f.Body), len(f.Body))
	}
	_ = append(f.Body, 0xFF)
	if stream[n] != 'N' {
		t.Error("the next frame was written over")
	}
}

// A fault of the header shows with the 32nd byte, whatever is there or missing behind it, and with what was read.
func TestHeaderFaults(t *testing.T) {
	put16 := func(at int, v uint16) func([]byte) {
		return func(frame []byte) { binary.BigEndian.PutUint16(frame[at:], v) }
	}
	put8 := func(at int, v byte) func([]byte) { return func(frame []byte) { frame[at] = v } }
	cases := []struct {
		name   string
		change func([]byte)
		want   error
	}{
		{"magic, first byte", put8(0, 'M'), ErrMagic},
		{"magic, second byte", put8(1, 'T'), ErrMagic},
		{"version 0", put8(2, 0), ErrVersion},
		{"version 2", put8(2, 2), ErrVersion},
		{"header_len 31", put16(4, 31), ErrHeaderLen},
		{"header_len 32 in the wrong order", put16(4, 32<<8), ErrHeaderLen},
		{"first reserved byte", put8(26, 1), ErrReserved},
		{"last reserved byte", put8(31, 0x80), ErrReserved},
		{"encrypted without agreement", put8(3, byte(FlagEncrypted)), ErrFlags},
		{"compressed without agreement", put8(3, byte(FlagCompressed)), ErrFlags},
		{"lowest unknown flag", put8(3, 16), ErrFlags},
		{"highest unknown flag", put8(3, 128), ErrFlags},
		{"one byte over the limit", put16(8, 9), ErrBodyTooLong},
		{"largest body", func(frame []byte) { binary.BigEndian.PutUint32(frame[6:], 1<<32-1) }, ErrBodyTooLong},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			frame := deposit(77)
			c.change(frame)
			for _, have := range []int{HeaderLen, len(frame)} {
				f, n, err := (&Decoder{BodyLenMax: 8}).Next(frame[:have:have])
				if err != c.want || n != 0 || !IsFatal(err) {
					t.Fatalf("%d bytes: %d, %v, want %v", have, n, err, c.want)
				}
				if f.ReqID != 77 || f.Op != OpDeposit || f.Body != nil {
					t.Errorf("%d bytes: %+v", have, f)
				}
			}
			if _, n, err := (&Decoder{BodyLenMax: 8}).Next(frame[:HeaderLen-1]); n != 0 || err != nil {
				t.Errorf("31 bytes: %d, %v", n, err)
			}
		})
	}
}

func TestAgreedFlags(t *testing.T) {
	cases := []struct {
		agreed, flags Flags
		want          error
	}{
		{0, FlagResponse, nil},
		{0, FlagResponse | FlagReplayed, nil},
		{FlagEncrypted, FlagEncrypted | FlagResponse, nil},
		{FlagEncrypted, FlagCompressed, ErrFlags},
		{FlagCompressed, FlagCompressed, nil},
		{FlagCompressed, FlagEncrypted, ErrFlags},
		{FlagEncrypted | FlagCompressed, FlagEncrypted | FlagCompressed, nil},
		{0xFF, 16, ErrFlags},
	}
	for _, c := range cases {
		frame := AppendFrame(nil, Header{Op: OpBalance, Flags: c.flags}, Empty{})
		f, n, err := (&Decoder{Agreed: c.agreed}).Next(frame)
		if err != c.want || f.Flags != c.flags || (n == len(frame)) != (err == nil) {
			t.Errorf("agreed %v, frame %v: %d, %v, want %v", c.agreed, c.flags, n, err, c.want)
		}
	}
}

// Each single bit of a frame is covered: by the checksum, or by a rule for the header.
func TestEveryBitIsCovered(t *testing.T) {
	frame := AppendFrame(nil, Header{Op: OpTransfer, ReqID: 5, Flags: FlagResponse}, TransferResponse{Balance: 1, TxnID: 2})
	// With this limit a body_len with a bit more, or less, is either a fault or waits for bytes that do not come.
	d := Decoder{BodyLenMax: 1 << 10}
	for bit := range 8 * len(frame) {
		broken := bytes.Clone(frame)
		broken[bit/8] ^= 1 << (bit % 8)
		if _, n, err := d.Next(broken); err == nil && n > 0 {
			t.Errorf("bit %d of byte %d is not covered", bit%8, bit/8)
		}
	}
}

func TestDamagedFrameIsSkipped(t *testing.T) {
	broken := deposit(1)
	broken[HeaderLen] ^= 1
	stream := append(broken, deposit(2)...)
	d := Decoder{BodyLenMax: 8}
	f, n, err := d.Next(stream)
	if err != ErrChecksum || IsFatal(err) || n != HeaderLen+8 || f.ReqID != 1 || len(f.Body) != 8 {
		t.Fatalf("damaged frame: %+v, %d, %v", f, n, err)
	}
	f, n, err = d.Next(stream[n:])
	if err != nil || n != HeaderLen+8 || f.ReqID != 2 {
		t.Fatalf("the next one: %+v, %d, %v", f, n, err)
	}
}

func TestHeaderFaultComesBeforeChecksum(t *testing.T) {
	frame := deposit(1)
	frame[HeaderLen] ^= 1
	frame[reservedAt] = 1
	if _, n, err := (&Decoder{BodyLenMax: 8}).Next(frame); err != ErrReserved || n != 0 {
		t.Errorf("%d, %v", n, err)
	}
	if _, n, err := (&Decoder{BodyLenMax: 7}).Next(deposit(1)); err != ErrBodyTooLong || n != 0 {
		t.Errorf("%d, %v", n, err)
	}
}

func TestOnlyHeaderFaultsAreFatal(t *testing.T) {
	for _, err := range []error{nil, ErrChecksum, ErrNotRequest, ErrShortBody, ErrTrailing, ErrUTF8, ErrNUL, ErrLength, ErrCount, ErrBool} {
		if IsFatal(err) {
			t.Errorf("%v is fatal", err)
		}
	}
}
