package libproto

import (
	"strings"
	"testing"
)

func TestValidName(t *testing.T) {
	for _, name := range []string{"a", "Z", "0", "_", ".", "-", "lobby", "Alice_01.b-c", strings.Repeat("x", NameLenMax)} {
		if !ValidName([]byte(name)) {
			t.Errorf("%q is refused", name)
		}
	}
	for _, name := range []string{"", " ", "a b", "é", "a\x00", "a/b", "@", "[", "`", "{", ":", strings.Repeat("x", NameLenMax+1)} {
		if ValidName([]byte(name)) {
			t.Errorf("%q is accepted", name)
		}
	}
}

func TestText(t *testing.T) {
	cases := map[string]error{
		"":               nil,
		"héllo, wörld ☕": nil,
		"\u007f\r\n":     nil,
		"a\x00b":         ErrNUL,
		"\xff\xfe":       ErrUTF8,
		"\xc3":           ErrUTF8,
		"\xed\xa0\x80":   ErrUTF8, // a surrogate
		"\xc0\x80":       ErrUTF8, // an overlong NUL
	}
	for text, want := range cases {
		body := ChatSendRequest{RoomID: 1, Message: []byte(text)}.AppendTo(nil)
		if err := new(ChatSendRequest).Decode(body); err != want {
			t.Errorf("%q: %v, want %v", text, err, want)
		}
		if ValidText([]byte(text)) != (want == nil) {
			t.Errorf("ValidText(%q) is %v", text, want != nil)
		}
	}
}
