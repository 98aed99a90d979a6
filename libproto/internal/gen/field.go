package gen

import (
	"fmt"
	"go/types"
	"regexp"
	"strconv"
	"strings"
)

var (
	lead      = regexp.MustCompile(`^(str|bytes)\b[,;:]? ?`)
	rowBounds = regexp.MustCompile(`^(\d+) … (\w+)`)
)

// field reads one member. Its comment tells a text from bytes, and how many rows a list has.
func (s *source) field(p *Protocol, body string, v *types.Var) (Field, error) {
	member := body + "." + v.Name()
	f := Field{Go: v.Name(), Comment: s.fields[member]}
	if strings.Contains(Snake(f.Go), "_") {
		p.words[f.Go] = Snake(f.Go)
	}
	switch t := v.Type().Underlying().(type) {
	case *types.Basic:
		if named, ok := v.Type().(*types.Named); ok {
			f.Enum = named.Obj().Name()
		}
		return f, f.basic(t)
	case *types.Array:
		f.Kind, f.Size, f.Length = Fixed, t.Len(), s.lengths[member]
		return f, nil
	case *types.Slice:
		if named, ok := types.Unalias(t.Elem()).(*types.Named); ok {
			return s.list(p, f, named.Obj().Name())
		}
		return f, f.text()
	}
	return f, fmt.Errorf("%w: %s is a %v", ErrSource, f.Go, v.Type())
}

func (f *Field) basic(t *types.Basic) error {
	switch t.Kind() {
	case types.Bool:
		f.Kind = Bool
	case types.Uint8:
		f.Bits = 8
	case types.Uint16:
		f.Bits = 16
	case types.Uint32:
		f.Bits = 32
	case types.Uint64:
		f.Bits = 64
	case types.Int64:
		f.Bits, f.Signed = 64, true
	default:
		return fmt.Errorf("%w: %s is a %v", ErrSource, f.Go, t)
	}
	return nil
}

// text tells a str from bytes by the first word of the comment.
func (f *Field) text() error {
	m := lead.FindStringSubmatch(f.Comment)
	if m == nil {
		return fmt.Errorf("%w: the comment of %s says neither str nor bytes", ErrSource, f.Go)
	}
	f.Comment = strings.TrimPrefix(f.Comment, m[0])
	if f.Kind = Bytes; m[1] == "str" {
		f.Kind = Text
	}
	return nil
}

func (s *source) list(p *Protocol, f Field, row string) (_ Field, err error) {
	f.Kind, f.Least, f.Most = List, 0, "ListRowsMax"
	if m := rowBounds.FindStringSubmatch(f.Comment); m != nil {
		f.Least, _ = strconv.Atoi(m[1]) // digits
		f.Most = m[2]
	}
	f.Row, err = s.structOf(p, row)
	return f, err
}
