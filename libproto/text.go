package libproto

import (
	"bytes"
	"unicode/utf8"
)

// ValidText reports whether s may travel as a str: valid UTF-8 without NUL. Encoding does not check it, decoding does.
func ValidText(s []byte) bool {
	return CheckText(s) == nil
}

// CheckText is ValidText with a reason: nil, ErrUTF8 or ErrNUL.
func CheckText(s []byte) error {
	switch {
	case !utf8.Valid(s):
		return ErrUTF8
	case bytes.IndexByte(s, 0) >= 0:
		return ErrNUL
	}
	return nil
}

// ValidName reports whether name may be a user's or a room's: 1 … NameLenMax bytes of A–Z a–z 0–9 _ . -
func ValidName(name []byte) bool {
	if len(name) == 0 || len(name) > NameLenMax {
		return false
	}
	for _, c := range name {
		if !nameByte(c) {
			return false
		}
	}
	return true
}

func nameByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '.' || c == '-'
}
