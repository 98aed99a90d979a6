package gen

import (
	"fmt"
	"regexp"
	"strings"
)

var (
	lowerUpper   = regexp.MustCompile(`([a-z0-9])([A-Z])`)
	acronymUpper = regexp.MustCompile(`([A-Z]+)([A-Z][a-z])`)
)

// Snake makes a C name of a Go name: KDFIterations is kdf_iterations.
func Snake(name string) string {
	name = lowerUpper.ReplaceAllString(name, "${1}_$2")
	return strings.ToLower(acronymUpper.ReplaceAllString(name, "${1}_$2"))
}

// The page puts neither unit nor qualifier into some names.
var wireNames = map[string]string{
	"BodyLenMax":    "max_body_len",
	"MessageLenMax": "max_message_len",
	"RowsMax":       "limit",
	"TimeNs":        "time",
	"ClientTimeNs":  "client_time",
	"ServerTimeNs":  "server_time",
}

// WireName is what the protocol's page calls a field.
func WireName(goName string) string {
	if name, ok := wireNames[goName]; ok {
		return name
	}
	return Snake(goName)
}

// cPrefixes are what C puts before the constants of a Go type, and what their Go names begin with.
var cPrefixes = map[string]struct{ goPrefix, c string }{
	"Opcode":          {"Op", "OP_"},
	"Status":          {"Status", "STATUS_"},
	"Flags":           {"Flag", "FLAG_"},
	"Capabilities":    {"Cap", "CAP_"},
	"GoingAwayReason": {"GoingAway", "AWAY_"},
	"ChatFlags":       {"Chat", "CHAT_"},
	"RoomEventKind":   {"RoomEvent", "ROOM_"},
	"TxnKind":         {"Txn", "TXN_"},
	"TxnOutcome":      {"Txn", "TXN_"},
}

// cConstant is a constant's name in C.
func cConstant(goType, name string) string {
	prefix := cPrefixes[goType]
	return "TC_PROTO_" + prefix.c + strings.ToUpper(Snake(strings.TrimPrefix(name, prefix.goPrefix)))
}

var goWord = regexp.MustCompile(`\b[A-Z]\w+\b`)

// cFunctions are functions that comments name.
var cFunctions = map[string]string{"Proof": "tc_proto_login_proof", "ServerSignature": "tc_proto_check_server_signature"}

// inC writes a comment's Go names as C has them.
func (p *Protocol) inC(comment string) string {
	return goWord.ReplaceAllStringFunc(comment, func(word string) string {
		if c, ok := cFunctions[word]; ok {
			return c
		}
		if c, ok := p.words[word]; ok {
			return c
		}
		return word
	})
}

// wireType is a field's type on the protocol's page.
func (f *Field) wireType() string {
	switch {
	case f.Kind == Text:
		return "str"
	case f.Kind == Bytes, f.Kind == Fixed:
		return "bytes"
	case f.Kind == Bool:
		return "u8"
	case f.Signed:
		return fmt.Sprintf("i%d", f.Bits)
	}
	return fmt.Sprintf("u%d", f.Bits)
}

func (s *Struct) cName() string { return "tc_proto_" + Snake(s.Go) }

// list is the struct's list; nil if it has none.
func (s *Struct) list() *Field {
	for i := range s.Fields {
		if s.Fields[i].Kind == List {
			return &s.Fields[i]
		}
	}
	return nil
}
