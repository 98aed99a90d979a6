package main

import (
	"errors"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestEveryMutantFitsTheSource: what a mutant replaces is there, once, and what comes of it compiles.
func TestEveryMutantFitsTheSource(t *testing.T) {
	root := filepath.Join("..", "..", "..")
	names, packages := make(map[string]bool), make(map[string]*pkg)
	for _, m := range mutants {
		if names[m.name] {
			t.Errorf("two mutants are called %s", m.name)
		}
		names[m.name] = true
		source, err := os.ReadFile(filepath.Join(root, m.file))
		if err != nil {
			t.Fatal(err)
		}
		changed, err := m.apply(string(source))
		if err != nil {
			t.Error(err)
			continue
		}
		if !slices.ContainsFunc(checks, func(c check) bool { return c.sees(m.file) }) {
			t.Errorf("no check sees %s", m.file)
		}
		if changed == string(source) {
			t.Errorf("mutant %s changes nothing", m.name)
		}
		folder := path.Dir(m.file)
		if packages[folder] == nil {
			packages[folder] = loadPackage(t, filepath.Join(root, folder))
			if err := packages[folder].check(path.Base(m.file), string(source)); err != nil {
				t.Fatalf("%s without a mutant: %v", m.file, err)
			}
		}
		if err := packages[folder].check(path.Base(m.file), changed); err != nil {
			t.Errorf("mutant %s: %v", m.name, err)
		}
	}
}

// pkg is a package whose files can be checked with another text.
type pkg struct {
	folder  string
	files   []string
	imports types.Importer
	set     *token.FileSet
}

func loadPackage(t *testing.T, folder string) *pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "-export", "-f", `{{.ImportPath}} {{.Export}}{{if not .DepOnly}} {{join .GoFiles " "}}{{end}}`, ".")
	cmd.Dir = folder
	text, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list in %s: %v", folder, err)
	}
	p, exports := &pkg{folder: folder, set: token.NewFileSet()}, make(map[string]string)
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) > 1 {
			exports[fields[0]] = fields[1]
			p.files = fields[2:] // the package itself comes last
		}
	}
	p.imports = importer.ForCompiler(p.set, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	return p
}

// check compiles the package as far as its types go, with one file changed.
func (p *pkg) check(changed, text string) error {
	var parsed []*ast.File
	for _, name := range p.files {
		var source any
		if name == changed {
			source = text
		}
		file, err := parser.ParseFile(p.set, filepath.Join(p.folder, name), source, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		parsed = append(parsed, file)
	}
	if !slices.Contains(p.files, changed) {
		return errors.New(changed + " is not built here")
	}
	c := types.Config{Importer: p.imports}
	_, err := c.Check(p.folder, p.set, parsed, nil)
	return err
}
