package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// errPayload is the error of a length that cannot be read.
var errPayload = errors.New("want a number of bytes, such as 64, or a range, such as 32-1024")

// Payload is the length of chat messages, in bytes: lengths are drawn evenly from Least to Most. It is a flag's value.
type Payload struct{ Least, Most int }

// String is the text that Set reads.
func (p *Payload) String() string {
	if p.Least == p.Most {
		return strconv.Itoa(p.Least)
	}
	return fmt.Sprintf("%d-%d", p.Least, p.Most)
}

// Type is the name of the value in help texts.
func (p *Payload) Type() string { return "bytes" }

// Set parses the text; p keeps its value if that fails.
func (p *Payload) Set(text string) error {
	least, most, ranged := strings.Cut(text, "-")
	if !ranged {
		most = least
	}
	from, err := strconv.ParseUint(strings.TrimSpace(least), 10, 31)
	to, err2 := strconv.ParseUint(strings.TrimSpace(most), 10, 31)
	if err != nil || err2 != nil || to < from {
		return fmt.Errorf("%q: %w", text, errPayload)
	}
	*p = Payload{int(from), int(to)}
	return nil
}

// MarshalJSON writes a number for one length, and text for a range.
func (p Payload) MarshalJSON() ([]byte, error) {
	if p.Least == p.Most {
		return json.Marshal(p.Least)
	}
	return json.Marshal(p.String())
}

// UnmarshalJSON reads either.
func (p *Payload) UnmarshalJSON(text []byte) error { return p.Set(strings.Trim(string(text), `"`)) }
