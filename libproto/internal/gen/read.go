package gen

import (
	"errors"
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"strconv"
	"strings"
)

// ErrSource says that libproto's source does not have the form that is read here.
var ErrSource = errors.New("gen: unexpected source")

// Protocol is all that is generated from.
type Protocol struct {
	Ops      []*Op
	Bodies   []*Struct // in the order in which the table names them, rows before the lists that they are in
	Statuses []Const
	Enums    map[string][]Const // constants by the name of their Go type
	words    map[string]string  // exported names as C has them: constants, structs, fields of several words
}

// Op is one row of the table of opcodes.
type Op struct {
	Value                   uint16
	Go, Wire                string // OpHello, HELLO
	Request, Response, Push *Struct
}

// Struct is a body or a row of a list.
type Struct struct {
	Go      string
	Doc     string // without the type's name at its front
	Fields  []Field
	IsBody  bool
	Request []*Op // under which it travels in requests, as a response, as a push
	Answer  []*Op
	Pushed  []*Op
}

// Kind is a field's type on the wire.
type Kind int

// The kinds of fields.
const (
	Number Kind = iota
	Bool
	Text  // str
	Bytes // bytes
	Fixed // bytes of a fixed length
	List
)

// Field is one member of a struct.
type Field struct {
	Go      string
	Kind    Kind
	Bits    int    // of a Number
	Signed  bool   // a Number
	Enum    string // the named Go type of a Number, "" if it has none
	Length  string // the constant that a Fixed field is as long as
	Size    int64  // its value
	Row     *Struct
	Least   int    // rows of a List
	Most    string // the constant that bounds them
	Comment string // what is said of it beside its type
}

// Const is one named number.
type Const struct {
	Go, Comment string
	Value       int64
}

// source is the parsed and checked package.
type source struct {
	pkg     *types.Package
	info    *types.Info
	files   []*ast.File
	structs map[string]*Struct
	docs    map[string]string // of types
	fields  map[string]string // comments of fields: "Type.Field"
	lengths map[string]string // constants that arrays are as long as, likewise
}

// Read takes a folder with libproto's source apart.
func Read(folder string) (*Protocol, error) {
	s, err := parse(folder)
	if err != nil {
		return nil, err
	}
	p := &Protocol{Enums: make(map[string][]Const), words: make(map[string]string)}
	s.readConstants(p)
	if p.Statuses = p.Enums["Status"]; len(p.Statuses) == 0 {
		return nil, fmt.Errorf("%w: no statuses", ErrSource)
	}
	errorBody, err := s.structOf(p, "ErrorBody")
	if err != nil {
		return nil, err
	}
	errorBody.IsBody = true
	return p, s.readTable(p)
}

// parse reads the files and checks their types, as far as that goes without the packages that they import.
func parse(folder string) (*source, error) {
	paths, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return nil, err
	}
	s := &source{
		info: &types.Info{
			Defs: make(map[*ast.Ident]types.Object), Uses: make(map[*ast.Ident]types.Object), Types: make(map[ast.Expr]types.TypeAndValue),
		},
		structs: make(map[string]*Struct), docs: make(map[string]string), fields: make(map[string]string),
		lengths: make(map[string]string),
	}
	positions := token.NewFileSet()
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(positions, path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		s.files = append(s.files, file)
		s.readComments(file)
	}
	config := types.Config{Importer: nothing{}, Error: func(error) {}} // what needs an import is not looked at
	s.pkg, _ = config.Check("libproto", positions, s.files, s.info)
	return s, nil
}

// nothing imports no package: types and constants of libproto need none.
type nothing struct{}

func (nothing) Import(path string) (*types.Package, error) {
	return nil, fmt.Errorf("%w: import of %s", ErrSource, path)
}

func (s *source) readComments(file *ast.File) {
	ast.Inspect(file, func(n ast.Node) bool {
		decl, ok := n.(*ast.GenDecl)
		if !ok || decl.Tok != token.TYPE {
			return true
		}
		for _, spec := range decl.Specs {
			t := spec.(*ast.TypeSpec)
			doc := decl.Doc
			if t.Doc != nil {
				doc = t.Doc
			}
			s.docs[t.Name.Name] = oneLine(doc.Text())
			if body, ok := t.Type.(*ast.StructType); ok {
				for _, f := range body.Fields.List {
					for _, name := range f.Names {
						member := t.Name.Name + "." + name.Name
						s.fields[member] = oneLine(f.Comment.Text())
						if array, ok := f.Type.(*ast.ArrayType); ok && array.Len != nil {
							s.lengths[member] = types.ExprString(array.Len)
						}
					}
				}
			}
		}
		return false
	})
}

func oneLine(comment string) string { return strings.Join(strings.Fields(comment), " ") }

// readConstants collects the exported constants of named types, and what C calls each.
func (s *source) readConstants(p *Protocol) {
	for _, file := range s.files {
		for _, decl := range file.Decls {
			d, ok := decl.(*ast.GenDecl)
			if !ok || d.Tok != token.CONST {
				continue
			}
			for _, spec := range d.Specs {
				v := spec.(*ast.ValueSpec)
				for _, name := range v.Names {
					s.addConstant(p, name, oneLine(v.Comment.Text()))
				}
			}
		}
	}
}

func (s *source) addConstant(p *Protocol, name *ast.Ident, comment string) {
	c, ok := s.info.Defs[name].(*types.Const)
	if !ok || !name.IsExported() || c.Val().Kind() != constant.Int {
		return
	}
	value, _ := constant.Int64Val(c.Val())
	goType := ""
	if named, ok := c.Type().(*types.Named); ok {
		goType = named.Obj().Name()
	}
	p.words[name.Name] = cConstant(goType, name.Name)
	if goType != "" {
		p.Enums[goType] = append(p.Enums[goType], Const{Go: name.Name, Comment: comment, Value: value})
	}
}

// readTable reads the rows of the variable called table.
func (s *source) readTable(p *Protocol) error {
	rows, err := s.tableRows()
	if err != nil {
		return err
	}
	for _, row := range rows {
		op := new(Op)
		for _, e := range row.(*ast.CompositeLit).Elts {
			if err := s.readCell(p, op, e.(*ast.KeyValueExpr)); err != nil {
				return err
			}
		}
		p.Ops = append(p.Ops, op)
	}
	return nil
}

func (s *source) tableRows() ([]ast.Expr, error) {
	for _, file := range s.files {
		for _, decl := range file.Decls {
			d, ok := decl.(*ast.GenDecl)
			if !ok || d.Tok != token.VAR {
				continue
			}
			if v := d.Specs[0].(*ast.ValueSpec); v.Names[0].Name == "table" {
				return v.Values[0].(*ast.CompositeLit).Elts, nil
			}
		}
	}
	return nil, fmt.Errorf("%w: no table", ErrSource)
}

func (s *source) readCell(p *Protocol, op *Op, cell *ast.KeyValueExpr) (err error) {
	switch key := cell.Key.(*ast.Ident).Name; key {
	case "op":
		name := cell.Value.(*ast.Ident)
		value, ok := constant.Uint64Val(s.info.Uses[name].(*types.Const).Val())
		if !ok {
			return fmt.Errorf("%w: opcode %s", ErrSource, name.Name)
		}
		op.Go, op.Value = name.Name, uint16(value)
	case "name":
		op.Wire, err = strconv.Unquote(cell.Value.(*ast.BasicLit).Value)
	case "request":
		if op.Request, err = s.body(p, cell.Value); err == nil {
			op.Request.Request = append(op.Request.Request, op)
		}
	case "response":
		if op.Response, err = s.body(p, cell.Value); err == nil {
			op.Response.Answer = append(op.Response.Answer, op)
		}
	case "push":
		if op.Push, err = s.body(p, cell.Value); err == nil {
			op.Push.Pushed = append(op.Push.Pushed, op)
		}
	}
	return err
}

// body is the struct that zero[T] names.
func (s *source) body(p *Protocol, value ast.Expr) (*Struct, error) {
	name := value.(*ast.IndexExpr).Index.(*ast.Ident)
	object, ok := s.pkg.Scope().Lookup(name.Name).(*types.TypeName)
	if !ok {
		return nil, fmt.Errorf("%w: no type %s", ErrSource, name.Name)
	}
	body, err := s.structOf(p, types.Unalias(object.Type()).(*types.Named).Obj().Name())
	if err == nil {
		body.IsBody = true
	}
	return body, err
}

// structOf is a struct by its name, read when it is first asked for.
func (s *source) structOf(p *Protocol, name string) (*Struct, error) {
	if body := s.structs[name]; body != nil {
		return body, nil
	}
	object := s.pkg.Scope().Lookup(name)
	if object == nil {
		return nil, fmt.Errorf("%w: no type %s", ErrSource, name)
	}
	fields, ok := object.Type().Underlying().(*types.Struct)
	if !ok {
		return nil, fmt.Errorf("%w: %s is no struct", ErrSource, name)
	}
	body := &Struct{Go: name, Doc: strings.TrimPrefix(strings.TrimPrefix(s.docs[name], name+" "), "is ")}
	p.words[name] = body.cName()
	s.structs[name] = body
	for i := range fields.NumFields() {
		f, err := s.field(p, name, fields.Field(i))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		body.Fields = append(body.Fields, f)
	}
	p.Bodies = append(p.Bodies, body)
	return body, nil
}
