package chatcheck

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"tradechat.internal/libproto"
)

const testLengthMax = 300

func drawID(t *rapid.T) ID {
	conn := rapid.Uint32Range(0, ConnectionsMax-1).Draw(t, "conn")
	return MakeID(conn, rapid.Uint64Range(1, 1<<serialBits-1).Draw(t, "serial"))
}

func TestMessageRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		codec := NewCodec(rapid.Uint64().Draw(t, "run"), rapid.Uint64().Draw(t, "seed"), testLengthMax)
		room, id := rapid.Uint32().Draw(t, "room"), drawID(t)
		length := rapid.IntRange(MessageLenMin, testLengthMax).Draw(t, "length")
		text := codec.AppendMessage([]byte("before"), room, id, length)[len("before"):]
		if len(text) != length || !libproto.ValidText(text) {
			t.Fatalf("text of %d bytes, want %d of valid text: %q", len(text), length, text)
		}
		if got, ok := codec.Parse(room, text); !ok || got != id {
			t.Fatalf("Parse = %v, %v; want %v", got, ok, id)
		}
	})
}

// One changed byte anywhere, a cut or longer text, another room or another run: none of them passes as whole.
func TestMessageDamageShows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		codec := NewCodec(1, 2, testLengthMax)
		room, id := rapid.Uint32().Draw(t, "room"), drawID(t)
		length := rapid.IntRange(MessageLenMin+1, testLengthMax-1).Draw(t, "length")
		text := codec.AppendMessage(nil, room, id, length)
		at := rapid.IntRange(0, length-1).Draw(t, "at")
		damaged := slices.Clone(text)
		damaged[at] ^= rapid.ByteRange(1, 255).Draw(t, "flip")
		for what, parse := range map[string]func() (ID, bool){
			"flipped byte": func() (ID, bool) { return codec.Parse(room, damaged) },
			"cut":          func() (ID, bool) { return codec.Parse(room, text[:length-1]) },
			"longer":       func() (ID, bool) { return codec.Parse(room, append(slices.Clone(text), 'A')) },
			"other room":   func() (ID, bool) { return codec.Parse(room+1, text) },
			"other run":    func() (ID, bool) { return NewCodec(3, 2, testLengthMax).Parse(room, text) },
		} {
			if got, ok := parse(); ok || !got.Foreign() {
				t.Fatalf("%s: Parse = %v, %v", what, got, ok)
			}
		}
	})
}

func TestParseAnyBytes(t *testing.T) {
	codec := NewCodec(1, 2, testLengthMax)
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SliceOfN(rapid.Byte(), 0, 2*testLengthMax).Draw(t, "text")
		if id, ok := codec.Parse(1, text); ok || !id.Foreign() {
			t.Fatalf("Parse(%q) = %v, %v", text, id, ok)
		}
	})
}
