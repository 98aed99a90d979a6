package libproto

import (
	"bytes"
	"testing"
)

func TestAppendHeaderBytes(t *testing.T) {
	got := AppendHeader([]byte("before"), Header{
		BodyLen:  0xFFFFFFFF, // Seal's business
		ReqID:    0x1122334455667788,
		Checksum: 0xFFFFFFFF, // Seal's business
		Op:       OpTransfer,
		Status:   StatusInternal,
		Flags:    FlagResponse | FlagReplayed,
	})
	want := []byte("before" +
		"NS\x01\x0c\x00\x20\x00\x00\x00\x00\x02\x03\x00\x0e" +
		"\x11\x22\x33\x44\x55\x66\x77\x88\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00")
	if !bytes.Equal(got, want) {
		t.Errorf("%x, want %x", got, want)
	}
}

// Sealing again, after the body was changed, gives what sealing once would have given.
func TestSealTwice(t *testing.T) {
	message := bytes.Repeat([]byte("x"), FieldLenMax) // so that body_len needs its upper half
	long := AppendFrame(nil, Header{Op: OpChatSend, ReqID: 1}, ChatSendRequest{RoomID: 1, Message: message})
	if _, n, err := (&Decoder{BodyLenMax: 1 << 20}).Next(long); n != len(long) || err != nil {
		t.Fatalf("%d of %d bytes, %v", n, len(long), err)
	}
	short := long[:HeaderLen+6]
	copy(short[HeaderLen:], ChatSendRequest{RoomID: 1}.AppendTo(nil))
	Seal(short)
	want := AppendFrame(nil, Header{Op: OpChatSend, ReqID: 1}, ChatSendRequest{RoomID: 1})
	if !bytes.Equal(short, want) {
		t.Errorf("%x, want %x", short, want)
	}
}

func TestSealRefusesLessThanAHeader(t *testing.T) {
	mustPanic(t, func() { Seal(make([]byte, HeaderLen-1)) })
}

func mustPanic(t *testing.T, f func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	f()
}

func TestCheckRequest(t *testing.T) {
	cases := []struct {
		h    Header
		want error
	}{
		{Header{Op: OpBalance, ReqID: 1}, nil},
		{Header{Op: OpBalance, Flags: FlagEncrypted | FlagCompressed}, nil},
		{Header{Op: OpBalance, Flags: FlagResponse}, ErrNotRequest},
		{Header{Op: OpBalance, Flags: FlagReplayed}, ErrNotRequest},
		{Header{Op: OpBalance, Status: StatusInternal}, ErrNotRequest},
		{Header{Op: OpBalance, Status: 0x0100}, ErrNotRequest},
	}
	for _, c := range cases {
		if err := c.h.CheckRequest(); err != c.want {
			t.Errorf("%+v: %v, want %v", c.h, err, c.want)
		}
	}
}

func TestFlagAndCapabilityNames(t *testing.T) {
	cases := []struct{ got, want string }{
		{Flags(0).String(), ""},
		{(FlagEncrypted | FlagCompressed | FlagResponse | FlagReplayed).String(), "encrypted|compressed|is_response|replayed"},
		{Flags(0x84).String(), "is_response|bit(7)"},
		{(CapResume | CapBatch).String(), "resume|batch"},
		{Capabilities(1 << 31).String(), "bit(31)"},
	}
	for _, c := range cases {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}
