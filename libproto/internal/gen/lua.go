package gen

import (
	"fmt"
	"strings"
)

// luaTables is the part of the dissector that knows opcodes, statuses and bodies; dissector.lua in this folder is the rest.
func (p *Protocol) luaTables() string {
	var b strings.Builder
	b.WriteString("local statuses = {\n")
	for i, s := range p.Statuses {
		if int64(i) == s.Value {
			fmt.Fprintf(&b, "  [%d] = %q,\n", s.Value, s.wireStatus())
		}
	}
	b.WriteString("}\n\nlocal enums = {\n")
	for _, e := range cEnums[2:] {
		fmt.Fprintf(&b, "  %s = {", Snake(e.goType))
		for _, c := range p.Enums[e.goType] {
			fmt.Fprintf(&b, " [%d] = %q,", c.Value, strings.ReplaceAll(Snake(strings.TrimPrefix(c.Go, cPrefixes[e.goType].goPrefix)), "_", " "))
		}
		b.WriteString(" },\n")
	}
	b.WriteString("}\n\nlocal opcodes = {\n")
	for _, op := range p.Ops {
		fmt.Fprintf(&b, "  [0x%04X] = { name = %q", op.Value, op.Wire)
		for _, body := range []struct {
			what string
			s    *Struct
		}{{"request", op.Request}, {"response", op.Response}, {"push", op.Push}} {
			if body.s != nil {
				fmt.Fprintf(&b, ",\n    %s = %s", body.what, luaFields(body.s))
			}
		}
		b.WriteString(" },\n")
	}
	b.WriteString("}\n\nlocal error_body = ")
	for _, s := range p.Bodies {
		if s.Go == "ErrorBody" {
			b.WriteString(luaFields(s) + "\n")
		}
	}
	return b.String()
}

func luaFields(s *Struct) string {
	var fields []string
	for i := range s.Fields {
		f := &s.Fields[i]
		enum := ""
		switch {
		case f.Kind == List:
			fields = append(fields, fmt.Sprintf("{ %q, %q, %s }", "list", WireName(f.Go), luaFields(f.Row)))
			continue
		case f.Enum == "Status":
			enum = ", statuses"
		case f.Enum != "" && f.Enum != "Capabilities":
			enum = ", enums." + Snake(f.Enum)
		}
		fields = append(fields, fmt.Sprintf("{ %q, %q%s }", f.wireType(), WireName(f.Go), enum))
	}
	return "{ " + strings.Join(fields, ", ") + " }"
}
