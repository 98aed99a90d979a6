package gen

import (
	_ "embed"
	"errors"
	"fmt"
	"go/format"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

//go:embed dissector.lua
var dissector string

// ErrMarks says that a file lacks the marks between which generated text goes.
var ErrMarks = errors.New("gen: marks are missing")

// Files are all generated files by their paths under root, whole, with the text between their marks as it ought to be.
func (p *Protocol) Files(root string) (map[string]string, error) {
	files := make(map[string]string)
	for path, text := range map[string]string{
		"libproto/capi/bodies_gen.go": p.goConversions(),
		"libproto/capi/codecs_gen.go": p.goCodecs(),
	} {
		formatted, err := format.Source([]byte(text))
		if err != nil {
			return nil, fmt.Errorf("gen: %s: %w", path, err)
		}
		files[path] = string(formatted)
	}
	files["libproto/capi/kinds_gen.h"] = p.cKinds()
	files["libproto/capi/names_gen.c"] = p.cNames()
	files["contrib/wireshark/tradechat.lua"] = strings.Replace(dissector, "-- TABLES\n", p.luaTables(), 1)

	header := marked{path: "include/tradechat/proto.h", begin: "/* generated: %s */\n", end: "/* end of generated */\n", parts: []part{
		{"opcodes", p.cOpcodes()}, {"statuses", p.cStatuses()}, {"enums", p.cEnums()}, {"bodies", p.cBodies()},
	}}
	page := marked{path: "docs/protocol.md", begin: "<!-- generated: %s -->\n", end: "<!-- end of generated -->\n",
		parts: []part{{"statuses", p.pageStatuses()}}}
	for i, name := range groups {
		page.parts = append(page.parts, part{name + " opcodes", p.pageOpcodes(i)})
	}
	for _, m := range []marked{header, page} {
		text, err := m.fill(root)
		if err != nil {
			return nil, err
		}
		files[m.path] = text
	}
	return files, nil
}

// marked is a file that people write, with places between marks.
type marked struct {
	path, begin, end string
	parts            []part
}

type part struct{ name, text string }

func (m marked) fill(root string) (string, error) {
	bytes, err := os.ReadFile(filepath.Join(root, m.path))
	if err != nil {
		return "", err
	}
	text := string(bytes)
	for _, p := range m.parts {
		begin := fmt.Sprintf(m.begin, p.name)
		before, rest, found := strings.Cut(text, begin)
		_, after, ended := strings.Cut(rest, m.end)
		if !found || !ended {
			return "", fmt.Errorf("%w: %s in %s", ErrMarks, p.name, m.path)
		}
		text = before + begin + p.text + m.end + after
	}
	return text, nil
}

// Stale are the paths whose files differ from what they ought to be.
func Stale(root string, files map[string]string) (paths []string, err error) {
	for path, want := range files {
		got, err := os.ReadFile(filepath.Join(root, path))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		if string(got) != want {
			paths = append(paths, path)
		}
	}
	return paths, nil
}
