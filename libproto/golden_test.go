package libproto

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"
)

// vector is one golden frame: what it decodes to, or the status that a server answers it with.
type vector struct {
	Name   string   `json:"name"`
	Expect string   `json:"expect"`
	Hex    hexBytes `json:"hex"`
	Opcode Opcode   `json:"opcode"`
	Flags  Flags    `json:"flags"`
	Status Status   `json:"status"`
	ReqID  uint64   `json:"req_id"`
	Body   hexBytes `json:"body"`
	Closes bool     `json:"closes"`
}

type hexBytes []byte

func (h *hexBytes) UnmarshalText(text []byte) (err error) {
	*h, err = hex.AppendDecode(nil, text)
	return err
}

func (h hexBytes) array32() [32]byte { return [32]byte(h) }

type loginVector struct {
	Password        string   `json:"password"`
	Username        string   `json:"username"`
	RealmSalt       hexBytes `json:"realm_salt"`
	KDFIterations   int      `json:"kdf_iterations"`
	ClientNonce     hexBytes `json:"client_nonce"`
	ServerNonce     hexBytes `json:"server_nonce"`
	ChannelBinding  hexBytes `json:"channel_binding"`
	StoredKey       hexBytes `json:"stored_key"`
	ServerKey       hexBytes `json:"server_key"`
	Proof           hexBytes `json:"proof"`
	ServerSignature hexBytes `json:"server_signature"`
}

func goldenFile(t testing.TB) (frames []vector, login loginVector) {
	t.Helper()
	text, err := os.ReadFile("testdata/frames.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Frames []vector    `json:"frames"`
		Login  loginVector `json:"login"`
	}
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	return file.Frames, file.Login
}

// newBodyFor returns the zero body that a frame with this header carries, nil when its opcode is unknown.
func newBodyFor(h Header) DecodableBody {
	switch {
	case h.Flags&FlagResponse != 0 && h.Status != StatusOK:
		return new(ErrorBody)
	case h.Flags&FlagResponse != 0:
		return NewResponse(h.Op)
	}
	if push := NewPush(h.Op); push != nil {
		return push
	}
	return NewRequest(h.Op)
}

func TestGoldenFramesDecodeAndEncode(t *testing.T) {
	frames, _ := goldenFile(t)
	for _, v := range frames {
		if v.Expect == "ok" {
			t.Run(v.Name, func(t *testing.T) { checkGoodFrame(t, v) })
		}
	}
}

func checkGoodFrame(t *testing.T, v vector) {
	f, n, err := (&Decoder{BodyLenMax: BodyLenMaxDefault}).Next(v.Hex)
	if err != nil || n != len(v.Hex) {
		t.Fatalf("Next: %d bytes of %d, %v", n, len(v.Hex), err)
	}
	if f.Op != v.Opcode || f.Flags != v.Flags || f.Status != v.Status || f.ReqID != v.ReqID {
		t.Errorf("header %+v, want %+v", f.Header, v)
	}
	if !bytes.Equal(f.Body, v.Body) {
		t.Errorf("body %x, want %x", f.Body, v.Body)
	}
	body := newBodyFor(f.Header)
	if err := body.Decode(f.Body); err != nil {
		t.Fatalf("body: %v", err)
	}
	if again := AppendFrame(nil, f.Header, body); !bytes.Equal(again, v.Hex) {
		t.Errorf("encoded again:\n%x, want\n%x", again, v.Hex)
	}
}

// The fault behind each golden frame that a server refuses.
var goldenFaults = map[string]error{
	"bad magic":                ErrMagic,
	"bad version":              ErrVersion,
	"bad header_len":           ErrHeaderLen,
	"unknown flag":             ErrFlags,
	"reserved not zero":        ErrReserved,
	"length bomb":              ErrBodyTooLong,
	"checksum off by one bit":  ErrChecksum,
	"body flipped":             ErrChecksum,
	"trailing byte in body":    ErrTrailing,
	"short body":               ErrShortBody,
	"string longer than body":  ErrShortBody,
	"invalid utf-8":            ErrUTF8,
	"request with is_response": ErrNotRequest,
	"request with status":      ErrNotRequest,
	"unknown opcode":           nil, // no fault of the frame: nothing is known about its body
}

func TestGoldenFaults(t *testing.T) {
	frames, _ := goldenFile(t)
	for _, v := range frames {
		if v.Expect == "ok" {
			continue
		}
		t.Run(v.Name, func(t *testing.T) {
			want, ok := goldenFaults[v.Name]
			if !ok {
				t.Fatal("a vector that this test does not know")
			}
			status, fault := receive(v.Hex)
			if fault != want || status.String() != v.Expect || IsFatal(fault) != v.Closes {
				t.Errorf("%v, %v, fatal %v; want %v, %s, fatal %v", fault, status, IsFatal(fault), want, v.Expect, v.Closes)
			}
		})
	}
}

// receive looks at a client's frame as a server in state READY does.
func receive(frame []byte) (Status, error) {
	f, _, err := (&Decoder{BodyLenMax: BodyLenMaxDefault}).Next(frame)
	if err == ErrChecksum {
		return StatusChecksumFail, err
	}
	if err != nil {
		return StatusBadPacket, err
	}
	if err := f.CheckRequest(); err != nil {
		return StatusBadPacket, err
	}
	body := NewRequest(f.Op)
	if body == nil {
		return StatusUnsupported, nil
	}
	if err := body.Decode(f.Body); err != nil {
		return StatusBadPacket, err
	}
	return StatusOK, nil
}
