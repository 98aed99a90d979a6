// Package htmlreport writes the results of the Real Test for people: one page that needs nothing else, neither network nor other
// files, and the same as Markdown, beside whose file the pictures lie.
//
//	NAME.json ─┬─▶ report.html   tables, findings, the SVGs inside
//	NAME.svg  ─┘─▶ results.md    tables, findings, links to the SVGs
package htmlreport

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"os"
	"path/filepath"
	"strings"

	"tradechat.internal/bench/internal/realtest"
	"tradechat.internal/testkit/figure"
)

// PageName and TableName are the files that Write makes.
const (
	PageName  = "report.html"
	TableName = "results.md"
)

//go:embed page.html
var pageSource string

var page = template.Must(template.New("page").Parse(pageSource))

// section is one test of the page.
type section struct {
	*realtest.Result
	Drawings []drawing
}

// drawing is a figure with its SVG.
type drawing struct {
	realtest.Drawing
	SVG template.HTML
}

// Write reads a folder of results and puts the page and the tables beside them.
func Write(folder string) error {
	results, err := realtest.Read(folder)
	if err != nil {
		return err
	}
	var html, markdown bytes.Buffer
	if err := Page(&html, folder, results); err != nil {
		return err
	}
	if err := Markdown(&markdown, results); err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(filepath.Join(folder, PageName), html.Bytes(), 0o644),
		os.WriteFile(filepath.Join(folder, TableName), markdown.Bytes(), 0o644),
	)
}

// Page writes the page; the SVGs are read from the folder.
func Page(w io.Writer, folder string, results []realtest.Result) error {
	data := struct {
		Environments []figure.Environment
		Sections     []section
	}{Environments: environments(results)}
	for i := range results {
		s := section{Result: &results[i]}
		for _, d := range results[i].Figures {
			svg, err := os.ReadFile(filepath.Join(folder, d.Name+".svg"))
			if err != nil {
				return fmt.Errorf("htmlreport: %w", err)
			}
			s.Drawings = append(s.Drawings, drawing{Drawing: d, SVG: inline(string(svg))})
		}
		data.Sections = append(data.Sections, s)
	}
	if err := page.Execute(w, data); err != nil {
		return fmt.Errorf("htmlreport: %w", err)
	}
	return nil
}

// inline is the svg element of a file, without what stands before it. The files are our own: what they say is trusted.
func inline(svg string) template.HTML {
	return template.HTML(svg[max(strings.Index(svg, "<svg"), 0):])
}

// environments are those that the results were found in, each once: tests may be run one by one.
func environments(results []realtest.Result) (list []figure.Environment) {
	seen := make(map[string]bool)
	for i := range results {
		e := results[i].Environment
		if !seen[e.String()] {
			seen[e.String()], list = true, append(list, e)
		}
	}
	return list
}
