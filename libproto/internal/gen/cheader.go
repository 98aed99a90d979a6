package gen

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

const cLineMax = 125

// cStatuses and cOpcodes are the enums of the header; cEnums are the small ones, in their order there.
var cEnums = []struct{ goType, comment string }{
	{"Flags", "Bits of a header's flags."},
	{"Capabilities", "Bits of capabilities."},
	{"GoingAwayReason", "tc_proto_going_away.reason"},
	{"ChatFlags", "tc_proto_chat_broadcast.flags"},
	{"RoomEventKind", "tc_proto_room_event.kind"},
	{"TxnKind", "tc_proto_txn_info.kind"},
	{"TxnOutcome", "tc_proto_txn_status_response.outcome"},
}

// cMember is one line of an enum or a struct.
type cMember struct{ code, comment string }

// cMembers writes lines, the comments of neighbours below each other. One that is too long goes above its member.
func cMembers(members []cMember) string {
	var b strings.Builder
	for i := 0; i < len(members); {
		end, width := i, 0
		for end < len(members) && members[end].comment != "" {
			width = max(width, len(members[end].code))
			end++
		}
		for ; i < end; i++ {
			m := members[i]
			line := fmt.Sprintf("    %-*s /* %s */\n", width, m.code, m.comment)
			if utf8.RuneCountInString(line) > cLineMax {
				line = cComment("    ", m.comment) + "    " + m.code + "\n"
			}
			b.WriteString(line)
		}
		for ; i < len(members) && members[i].comment == ""; i++ {
			fmt.Fprintf(&b, "    %s\n", members[i].code)
		}
	}
	return b.String()
}

// cComment writes a comment in as many lines as it takes.
func cComment(indent, text string) string {
	var b strings.Builder
	line := indent + "/*"
	for word := range strings.FieldsSeq(text) {
		if utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > cLineMax-3 {
			b.WriteString(line + "\n")
			line = indent + " *"
		}
		line += " " + word
	}
	return b.String() + line + " */\n"
}

func (p *Protocol) cOpcodes() string {
	var members []cMember
	for i, op := range p.Ops {
		m := cMember{code: fmt.Sprintf("%s = 0x%04X,", cConstant("Opcode", op.Go), op.Value)}
		if i == len(p.Ops)-1 {
			m.code = strings.TrimSuffix(m.code, ",")
		}
		switch {
		case op.Push != nil:
			m.comment = "push"
		case op.Value>>8 == groupAdmin:
			m.comment = "admin socket only"
		}
		members = append(members, m)
	}
	return "typedef enum tc_proto_opcode {\n" + cMembers(members) + "} tc_proto_opcode;\n"
}

func (p *Protocol) cStatuses() string {
	return "typedef enum tc_proto_status {\n" + cMembers(p.constants("Status")) + "} tc_proto_status;\n"
}

// constants are the members of an enum.
func (p *Protocol) constants(goType string) (members []cMember) {
	list := p.Enums[goType]
	for i, c := range list {
		m := cMember{fmt.Sprintf("%s = %d,", cConstant(goType, c.Go), c.Value), p.inC(c.Comment)}
		if i == len(list)-1 {
			m.code = strings.TrimSuffix(m.code, ",")
		}
		members = append(members, m)
	}
	return members
}

func (p *Protocol) cEnums() string {
	var b strings.Builder
	for i, e := range cEnums {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%senum {\n%s};\n", cComment("", e.comment), cMembers(p.constants(e.goType)))
	}
	return b.String()
}

// cBodies are the structs and the prototypes.
func (p *Protocol) cBodies() string {
	var structs, functions strings.Builder
	for _, body := range p.Bodies {
		if len(body.Fields) == 0 {
			continue
		}
		comment := body.usage()
		if comment != "" && body.Doc != "" {
			comment += ": "
		}
		fmt.Fprintf(&structs, "%stypedef struct %s {\n%s} %[2]s;\n\n", cComment("", p.inC(comment+body.Doc)), body.cName(), cMembers(p.cFields(body)))
		if body.IsBody {
			short, full := strings.TrimPrefix(body.cName(), "tc_proto_"), body.cName()
			fmt.Fprintf(&functions, "int tc_proto_encode_%s(const tc_proto_header *header, const %s *body,\n"+
				"    uint8_t *out, size_t cap, size_t *len);\n", short, full)
			fmt.Fprintf(&functions, "int tc_proto_decode_%s(const tc_proto_frame *frame, %s *body);\n", short, full)
		}
	}
	return p.cEmpty() + "\n" + structs.String() + functions.String()
}

func (p *Protocol) cEmpty() string {
	comment := "No body at all: "
	for _, body := range p.Bodies {
		if len(body.Fields) == 0 {
			comment += body.usage() + "."
		}
	}
	return cComment("", comment) + "int tc_proto_encode_empty(const tc_proto_header *header, uint8_t *out, size_t cap, size_t *len);\n" +
		"int tc_proto_decode_empty(const tc_proto_frame *frame);\n"
}

// usage says where a body travels: "DEPOSIT and WITHDRAW request".
func (s *Struct) usage() string {
	var parts []string
	for _, use := range []struct {
		ops  []*Op
		what string
	}{{s.Request, "request"}, {s.Answer, "response"}, {s.Pushed, "push"}} {
		if len(use.ops) == 0 {
			continue
		}
		var names []string
		for _, op := range use.ops {
			names = append(names, op.Wire)
		}
		what := use.what
		if len(names) > 1 {
			what += "s"
		}
		parts = append(parts, enumerate(names)+" "+what)
	}
	return strings.Join(parts, "; ")
}

func enumerate(names []string) string {
	if n := len(names); n > 1 {
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
	return strings.Join(names, "")
}

// cField is a member with its size, by which members are put in order.
type cField struct {
	cMember
	unit, size int // of an element of it, and of all, in bytes
}

// cFields orders members so that none needs hidden padding: texts and lists, then numbers from wide to narrow, then arrays. What is
// left to the next multiple of the widest is a member called reserved.
func (p *Protocol) cFields(s *Struct) (members []cMember) {
	var all []cField
	for i := range s.Fields {
		all = append(all, p.cMember(&s.Fields[i])...)
	}
	widest, offset := 1, 0
	var last cField
	add := func(f cField) {
		members = append(members, f.cMember)
		offset += f.size
		last = f
	}
	for _, unit := range []int{16, 8, 4, 2, 1} {
		for _, f := range all {
			if f.unit == unit {
				add(f)
				widest = max(widest, min(unit, 8))
			}
		}
	}
	if gap := (widest - offset%widest) % widest; gap > 0 {
		members = append(members, cMember{code: reserved(gap, last.unit)})
	}
	for _, f := range all {
		if f.unit == 0 {
			members = append(members, f.cMember)
		}
	}
	return members
}

func reserved(gap, unit int) string {
	switch {
	case gap == unit && unit > 1:
		return fmt.Sprintf("uint%d_t reserved;", unit*8)
	case gap == 1:
		return "uint8_t reserved;"
	}
	return fmt.Sprintf("uint8_t reserved[%d];", gap)
}

// cMember is a field as C has it: a list is three members. A unit of 16 is a text, of 0 an array.
func (p *Protocol) cMember(f *Field) []cField {
	name, comment := Snake(f.Go), p.fieldComment(f)
	one := func(code string, unit int) []cField { return []cField{{cMember{code, comment}, unit, unit}} }
	switch f.Kind {
	case Text, Bytes:
		return one("tc_proto_bytes "+name+";", 16)
	case Fixed:
		return one(fmt.Sprintf("uint8_t %s[%s];", name, p.words[f.Length]), 0)
	case Bool:
		return one("uint8_t "+name+";", 1)
	case List:
		return []cField{
			{cMember{f.Row.cName() + " *rows;", comment}, 16, 8},
			{cMember{code: "size_t rows_cap;"}, 16, 8},
			{cMember{code: "size_t count;"}, 16, 8},
		}
	}
	return one(fmt.Sprintf("%s %s;", f.cType(), name), f.Bits/8)
}

func (f *Field) cType() string {
	if f.Signed {
		return fmt.Sprintf("int%d_t", f.Bits)
	}
	return fmt.Sprintf("uint%d_t", f.Bits)
}

// fieldComment is what is said of a member: its comment in Go, and what its Go type would have told.
func (p *Protocol) fieldComment(f *Field) string {
	comment := p.inC(f.Comment)
	kind := ""
	switch {
	case f.Kind == Text && strings.HasPrefix(comment, "a name"):
		return strings.TrimPrefix(comment, "a ")
	case f.Kind == Text:
		kind = "text"
	case f.Kind == Bool && comment != "":
		return "1: " + comment + "; else 0"
	case f.Kind == Bool:
		return "1 or 0"
	case f.Enum == "Status":
		kind = "a tc_proto_status"
	case f.Enum != "" && cPrefixes[f.Enum].c != "":
		kind = "TC_PROTO_" + cPrefixes[f.Enum].c + "…"
	}
	if kind != "" && comment != "" {
		return kind + "; " + comment
	}
	return kind + comment
}
