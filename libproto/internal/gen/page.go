package gen

import (
	"fmt"
	"strings"
)

// The groups of opcodes, by their high bytes.
var groups = []string{"connection", "chat", "trading", "admin"}

const groupAdmin = 3

// pageOpcodes are a group's tables: requests with their responses, then pushes.
func (p *Protocol) pageOpcodes(group int) string {
	asked := [][]string{{"opcode", "name", "request", "response, status OK"}}
	pushed := [][]string{{"opcode", "name", "push"}}
	for _, op := range p.Ops {
		number := fmt.Sprintf("0x%04X", op.Value)
		switch {
		case int(op.Value>>8) != group:
		case op.Push != nil:
			pushed = append(pushed, []string{number, op.Wire, op.Push.layout()})
		default:
			asked = append(asked, []string{number, op.Wire, op.Request.layout(), op.Response.layout()})
		}
	}
	text := pageTable(asked)
	if len(pushed) > 1 {
		text += "\n" + pageTable(pushed)
	}
	return text
}

func pageTable(rows [][]string) string {
	var b strings.Builder
	for i, row := range rows {
		fmt.Fprintf(&b, "| %s |\n", strings.Join(row, " | "))
		if i == 0 {
			b.WriteString(strings.Repeat("|---", len(row)) + "|\n")
		}
	}
	return b.String()
}

// layout is a body in the page's notation.
func (s *Struct) layout() string {
	if len(s.Fields) == 0 {
		return "—"
	}
	var fields []string
	for i := range s.Fields {
		f := &s.Fields[i]
		switch f.Kind {
		case Fixed:
			fields = append(fields, fmt.Sprintf("bytes %s (%d)", WireName(f.Go), f.Size))
		case List:
			fields = append(fields, "u16 count × {"+f.Row.layout()+"}")
		default:
			fields = append(fields, f.wireType()+" "+WireName(f.Go))
		}
	}
	return strings.Join(fields, ", ")
}

// pageStatuses is the table of statuses.
func (p *Protocol) pageStatuses() string {
	rows := [][]string{{"status", "name", "meaning"}}
	for i, s := range p.Statuses {
		if int64(i) == s.Value { // the other name of one comes after all of them
			rows = append(rows, []string{fmt.Sprint(s.Value), s.wireStatus(), s.Comment})
		}
	}
	return pageTable(rows)
}
